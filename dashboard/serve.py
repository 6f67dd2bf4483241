"""THE ONE PLACE THAT WIRES the running house: feeds, loop, wall."""

from __future__ import annotations

import socket
import threading
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import replace
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from flask import Flask, Response
from waitress.server import BaseWSGIServer, create_server

from dashboard import logs
from dashboard.about_view import AboutView, about_view, as_it_stands
from dashboard.access.table import PAGES
from dashboard.access.wiring import access_of
from dashboard.api import answer_api
from dashboard.api_board import Shown
from dashboard.api_wiring import api_of
from dashboard.app import Pages, WallSettings, build_app
from dashboard.audit.acts import audited, of_sign_ins
from dashboard.audit.consultations import answer_to_audit
from dashboard.audit.mending import begin_anew_if_damaged
from dashboard.audit.wiring import begin, end, mended_audits, shown_head, trail_of
from dashboard.care import Care
from dashboard.downtime_files import answer_downtime
from dashboard.drill import Exercise
from dashboard.drill_decisions import Held, Players
from dashboard.errors import CommandError
from dashboard.fhir_endpoint import answer_fhir
from dashboard.floor_days import answer_floor
from dashboard.house import BACKTESTS, REPLAYS, REPORT, House, names_of, processes_of, study_of
from dashboard.huddle_files import asked_for
from dashboard.identical_law import identical_twin
from dashboard.intake import FhirDoor
from dashboard.keeper import Keeper
from dashboard.known_wiring import known_of
from dashboard.latest import Latest, as_it_is
from dashboard.logs import tell
from dashboard.mending import noted
from dashboard.pages.beside import BESIDE, WALL
from dashboard.probes import answer_metrics, answer_readyz
from dashboard.proposal_window import DeskDoor
from dashboard.readiness import Readiness
from dashboard.report.making import WrittenAs, write_report
from dashboard.report.serving import answer_report, written_at
from dashboard.scrubbing import Scrubs
from dashboard.settings import Settings
from dashboard.settings_told import settings_view
from dashboard.settings_view import SettingsView
from dashboard.whatif_wiring import view_of, whatif_of
from dashboard.works_beside import Work, check_the_model, measure_the_past
from forecast.adopted import Adopted
from forecast.alert_deliveries import Carrier, Postman
from forecast.alert_mail import MailCarrier
from forecast.alert_settings import AlertSettings
from forecast.alert_watch import Watch
from forecast.alert_webhook import WebhookCarrier
from forecast.alerts import Alerts, Place
from forecast.backtest_desk import BacktestDesk, Subject
from forecast.board import Mended
from forecast.by_unit import by_unit
from forecast.by_unit_view import ByUnitView
from forecast.checks import CHECKED, Checks
from forecast.comparisons import Comparisons
from forecast.desk import Desk
from forecast.desk_page import DeskPage
from forecast.executors import fault_of
from forecast.floor_desk import FloorDesk
from forecast.grid_desk import GridDesk
from forecast.grid_store import GridStore
from forecast.huddle_desk import Huddle, Sheets
from forecast.loop import Loop, Rhythm, Site
from forecast.pages import ModelChecks
from forecast.pathview import PathViews
from forecast.people import people_of
from forecast.placebos import Placebos
from forecast.proposals import Proposal
from forecast.remote import code_digest
from forecast.replay_desk import ReplayDesk
from forecast.replay_store import ReplayStore
from forecast.supplies_desk import SuppliesDesk
from forecast.supply_archive import SupplyArchive
from forecast.validation_desk import Beside, ValidationDesk
from forecast.workers import GENTLY
from ingest.clock import WallClock
from ingest.database import losses_heard
from ingest.links import LinkNow

if TYPE_CHECKING:
    from forecast.publication import Publisher


WEB_THREADS = 8
SHOWN_FIRST = 3
"""Scenarios of the wall that the page of the comparison begins with."""
LONGEST_END_S = 10.0
"""How long the end waits for a feed."""


class Feeding(Protocol):
    """Whatever brings events in while the house runs."""

    def start(self) -> None:
        """Begin."""

    def join(self, timeout_s: float | None = None) -> None:
        """End, or wait for the end."""

    def links(self) -> Sequence[LinkNow]:
        """How its sources stand."""

    def fault(self) -> str | None:
        """Why nothing more is heard of it until a person does something; None while all is well."""


def serve(
    house: House,
    feeds: Sequence[Feeding],
    stop: threading.Event,
    *,
    mode: str,
    rhythm: Rhythm,
    fhir: FhirDoor | None = None,
    exercise: Exercise | None = None,
    held: Held = Proposal.carried_at,
) -> None:
    """Run the house until it is interrupted.

    1. The wall takes its port; it says that nothing is known yet.
    2. The feeds bring events in.
    3. The loop forecasts; its first turn is at once.
    4. The wall shows what the loop last published.
    5. At the end simulation is given up first, so that nobody waits for a cycle; then feeds and loop.

    In an `exercise` what was adopted before holds as `held` says. Raises CommandError where the port cannot be had.
    """
    trail = trail_of(house.settings, mode)
    begin_anew_if_damaged(trail.chain, mode, trail.now())
    access = access_of(house.settings, of_sign_ins(trail))
    workers = house.workers(runs_on=True)
    publishers = _publishers(house, stop)
    site = _site(house, mode)
    alerts = Alerts(house.rules, house.database, house.clock, Place(house.hospital.name, house.hospital.zone, mode))
    watch = Watch(alerts, AlertSettings(house.database), site.spaces)
    desk = Desk(
        house.database, house.clock, names_of(house.settings), horizon_min=house.run().horizon_min,
        zone=house.hospital.zone,
    )  # fmt: skip
    people, adopted = people_of(house.settings.people), Adopted(desk, Placebos(house.database))
    door = DeskDoor(audited(desk, "desk", trail), people, house.hospital, house.supplies, house.clock)
    huddle = Huddle(Sheets(house.settings.data), house.hospital.zone, mode, house.settings.huddle_at)
    supplies = SuppliesDesk(house.supplies, house.hospital, mode, SupplyArchive(house.database))
    floor = FloorDesk(house.site)
    mended = mended_of(house.settings)
    scrubs = Scrubs(house.journal, house.settings.data, house.clock, house.settings.scrub_every_days)
    loop = Loop(
        house.log, house.archive, site, workers, house.clock, how=house.run(), rhythm=rhythm,
        told=publishers[0].offer if publishers else None, watch=watch,
        links=lambda: [link for feed in feeds for link in feed.links()],
        published=lambda: publishers[0].counts if publishers else None,
        elsewhere=lambda: fault_of(workers), audit_gap=lambda: trail.gap.since if trail.gap else None,
        mended=mended, missing_records=house.indexer.missing, huddle=huddle, adopted=adopted, supplies=supplies,
        floor=floor, scrubbed=lambda: scrubs.last,
    )  # fmt: skip
    comparisons, grids = _studies(house, loop, workers, mode, desk, supplies)
    latest, report = Latest(loop, PathViews(house.site)), house.settings.data / BACKTESTS / REPORT
    checks = Checks(house.settings.data, house.clock, (*CHECKED, identical_twin))
    replays, backtests = _replays(house, site), _backtests(house, site)
    validation = ValidationDesk(
        house.log, house.archive, site, backtests, house.settings.data / BACKTESTS, house.clock,
        beside=lambda: _beside(latest, checks.view(house.hospital.zone, house.hospital.name, mode), report),
    )  # fmt: skip
    about = _about(house, mode, mended)
    care = Care(house, mode, latest.board, lambda: loop.calibration, scrubs)
    pages: Pages = {
        "feeds": latest.feeds, "quarantine": latest.quarantine, "path": latest.path, "learned": latest.learned,
        "alerts": latest.alerts, "supplies": lambda: supplies.view(house.clock.now()),
        "trust": lambda: replace(latest.trust(), report_at=written_at(report)),
        "floor": lambda: floor.view(latest.board()),
        "checks": lambda: checks.view(house.hospital.zone, house.hospital.name, mode),
        "huddle": lambda: huddle.view(house.clock.now(), house.hospital.name),
        "settings": partial(as_it_is, _settings(house, mode)),
        "about": lambda: as_it_stands(
            about, house.clock.now(), care.backups.standing(), shown_head(trail), scrubs.last
        ),
        "forecast": partial(_by_unit, house, loop, mode),
        "whatif": lambda: view_of(house, mode), "compare": comparisons.view, "robustness": grids.view,
        "replay": replays.view, "validation": validation.view,
        "desk": DeskPage(
            desk, people, comparisons, house.hospital, house.supplies, house.clock, mode, lambda: adopted.faults
        ).view,
    }  # fmt: skip
    if exercise is not None:
        exercise.join(Players(desk, study_of(house), lambda: loop.situation, workers, house.hospital, held))
        pages = {**pages, "instructor": exercise.view, "debrief": exercise.view}
    whatif = whatif_of(house, loop, door)
    shown = Shown(latest.board, lambda: loop.forecast, latest.trust, latest.alerts)
    api = api_of(house, loop, door, whatif.asking.catalogue, shown)
    known = known_of(house, loop, people, mode)
    known = replace(known, sayings=audited(known.sayings, "known", trail))
    wall = _wall(house.settings, is_exercise=exercise is not None)
    app = build_app(
        latest.board, wall, house.clock.now, pages, audited(alerts, "alarms", trail),
        audited(whatif.asking, "whatif", trail), audited(grids, "grids", trail), door,
        audited(exercise, "exercise", trail) if exercise is not None else None, known,
        audited(replays, "replays", trail), audited(backtests, "backtests", trail), access,
    )  # fmt: skip
    answer_to_audit(app.server, trail)
    keeper = Keeper(house.settings.data, house.settings.disk_reserve_mb * 1024**2)
    readiness = Readiness(
        house.log, lambda: loop.counts.done > 0, WallClock(),
        stopped=lambda: keeper.said or house.journal.refuses or _stopped(feeds),
    )  # fmt: skip
    answer_readyz(app.server, readiness, lambda: fault_of(workers))
    answer_metrics(app.server, latest.board, care.backups.standing, care.sheets.written_at)
    answer_downtime(app.server, care.sheets)
    answer_huddle(app.server, huddle.sheets)
    answer_report(app.server, report)
    answer_floor(app.server, floor.day)
    answer_api(app.server, api.routes)
    if fhir is not None:
        answer_fhir(app.server, fhir.told, fhir.receive, fhir.token, house.clock)
    measuring = Work("measure the past", partial(measure_the_past, loop, house, stop, backtests))
    checking = Work("check the model", partial(check_the_model, checks, stop))
    postman = Postman(alerts, _carriers(house), house.clock, stop)
    server = _listening(app.server, house.settings)  # 1
    begin(trail, house.settings, mode=mode, code=code_digest())
    keeping = Work("keep the database", partial(keeper.keep, readiness, stop))
    # what a cycle says while its workers are taken away is no fault
    with losses_heard(keeper.hear), logs.heard_until(stop, Loop.__module__):
        try:
            for feed in feeds:  # 2
                feed.start()
            for publisher in publishers:
                publisher.start()
            loop.start()  # 3
            postman.start()
            whatif.start()
            measuring.start()
            checking.start()
            care.start(readiness, stop)
            keeping.start()
            server.run()  # 4
        finally:
            stop.set()  # 5
            keeper.call()
            grids.cancel()
            workers.shutdown(wait=False, cancel_futures=True)
            whatif.stop()
            api.stop()
            measuring.join(LONGEST_END_S)
            checking.join(LONGEST_END_S)
            keeping.join(LONGEST_END_S)
            care.end(LONGEST_END_S)
            grids.join(LONGEST_END_S)
            replays.stop(LONGEST_END_S)
            backtests.end(LONGEST_END_S)
            validation.join(LONGEST_END_S)
            postman.join(LONGEST_END_S)
            for publisher in publishers:
                publisher.join(LONGEST_END_S)
            for feed in reversed(feeds):
                feed.join(LONGEST_END_S)
            loop.stop()
            end(trail)
            server.task_dispatcher.shutdown()  # has threads from its making on, though it may never have run
            server.close()
    keeper.require_well()


def _studies(
    house: House, loop: Loop, workers: Executor, mode: str, desk: Desk, supplies: SuppliesDesk
) -> tuple[Comparisons, GridDesk]:
    """What the pages of the comparison and of the robustness map ask; a grid has processes of its own."""
    study, how = study_of(house), house.run()
    shown = house.settings.wall_scenarios[1 : 1 + SHOWN_FIRST]
    comparisons = Comparisons(
        study, lambda: loop.situation, workers, house.clock, how, mode=mode, default=shown,
        carried=desk.carried, further=partial(supplies.further, seed=how.seed),
    )  # fmt: skip
    grids = GridDesk(
        study, GridStore(house.database), lambda: loop.situation, house.clock, how, mode=mode,
        workers=partial(processes_of, house.settings), further=partial(supplies.further, seed=how.seed),
    )  # fmt: skip
    return comparisons, grids


def _replays(house: House, site: Site) -> ReplayDesk:
    """What the page of the replay asks; a forecast that it has made has a process of its own."""
    return ReplayDesk(
        house.log, house.archive, site, ReplayStore(house.settings.data / REPLAYS), house.clock, house.run(),
        workers=partial(processes_of, house.settings.model_copy(update={"workers": 1}), gives_way=GENTLY),
    )  # fmt: skip


def _backtests(house: House, site: Site) -> BacktestDesk:
    """What the page of the validation begins; its members have a process of their own."""
    settings = house.settings
    told = WrittenAs(REPORT, settings.language)
    subject = Subject(
        house.hospital, site.scenarios[0], house.own_hospital, settings.data / BACKTESTS,
        tell=lambda found: write_report(house, found, told),
    )  # fmt: skip
    alone = settings.model_copy(update={"workers": 1})
    workers = partial(processes_of, alone, gives_way=GENTLY)
    return BacktestDesk(house.log, subject, house.clock, house.run(), workers=workers)


def _beside(latest: Latest, checks: ModelChecks, report: Path) -> Beside:
    """What the page of the validation tells of the house beside its scores."""
    trust, fallen = latest.trust(), sum(not check.holds for check in checks.checks)
    checked = (checks.ran_at, len(checks.checks), fallen) if checks.ran_at is not None else None
    return Beside(trust.shares, trust.learned_days, written_at(report), checked)


def _stopped(feeds: Sequence[Feeding]) -> str | None:
    return next((fault for feed in feeds if (fault := feed.fault()) is not None), None)


def _publishers(house: House, stop: threading.Event) -> list[Publisher]:
    """What publishes the forecasts, where the settings name a topic for them."""
    if house.settings.kafka_forecasts_topic is None:
        return []
    from dashboard.kafka_wiring import publisher_of

    publisher = publisher_of(house, stop)
    return [publisher] if publisher else []


def answer_huddle(server: Flask, sheets: Sheets) -> None:
    """`/huddle/fr/2026-11-24T0800.pdf` (or `en`, or `.xlsx`): a huddle sheet to download; 404 where there is none."""

    def download(language: str, file: str) -> Response:
        found = asked_for(sheets, file, language)
        if found is None:
            return Response("there is no such huddle sheet\n", 404, mimetype="text/plain")
        name, made, kind = found
        return Response(made, mimetype=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})

    server.add_url_rule("/huddle/<language>/<file>", "huddle-file", download)


def _listening(app: Flask, settings: Settings) -> BaseWSGIServer:
    """The server with its port taken; where it can be reached is said on standard error."""
    ear = _ear(settings)
    place = f"[{settings.host}]" if ear.family == socket.AF_INET6 else settings.host
    tell(f"the wall is at http://{place}:{ear.getsockname()[1]}/ (Ctrl-C ends)")
    if settings.access == "open" and not ip_address(ear.getsockname()[0]).is_loopback:
        tell("whoever reaches this address sees the wall: nobody signs in (access = open)")
    # what a proxy tells is kept for the gate, which believes it of those that are trusted alone
    is_told = {"clear_untrusted_proxy_headers": not settings.access_proxies}
    return create_server(app, sockets=[ear], threads=WEB_THREADS, **is_told)


def _ear(settings: Settings) -> socket.socket:
    """The port of the settings, taken; raises CommandError where it cannot be had."""
    host = settings.host
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, settings.port), family=family)
    except OSError as error:
        why = error.strerror or error
        raise CommandError(f"the wall cannot be served on {host}, port {settings.port}: {why}") from error


def require_port(settings: Settings) -> None:
    """Raise CommandError where the port cannot be had, before anything else is done."""
    _ear(settings).close()


def _site(house: House, mode: str) -> Site:
    own = house.own_hospital
    return Site(
        house.hospital, tuple(house.scenarios()), mode, spaces=house.hospital.spaces if own else None, own_beds=own,
        call=house.settings.downtime_call, learns_at_h=house.settings.learn_at_h,
        described=house.site,
    )  # fmt: skip


def _carriers(house: House) -> dict[str, Carrier]:
    """The way to each recipient of the file of alerts."""
    rules, out = house.rules, dict[str, Carrier]()
    for name, one in rules.recipient.items():
        if one.webhook is not None:
            out[name] = WebhookCarrier(one, house.clock)
        elif rules.mail is not None:
            out[name] = MailCarrier(rules.mail, one)
    return out


def _by_unit(house: House, loop: Loop, mode: str, query: str = "") -> ByUnitView | None:
    """What is likely unit by unit; None before the first forecast of this run: an archive keeps no members."""
    forecast = loop.forecast
    if forecast is None or not forecast.members:
        return None
    minute = house.clock.now().replace(second=0, microsecond=0)  # a page that says nothing new is not drawn again
    return by_unit(forecast, house.hospital, minute, mode, query)


def mended_of(settings: Settings) -> list[Mended]:
    """What was damaged in this house and is told of, the last one last."""
    return sorted([*noted(settings.data), *mended_audits(settings)], key=lambda one: one.found_at)


def _settings(house: House, mode: str) -> SettingsView:
    of = house.hospital
    return settings_view(house.settings, made_at=house.clock.now(), zone=of.zone, hospital=of.name, mode=mode)


def _about(house: House, mode: str, mended: Sequence[Mended]) -> AboutView:
    of, now = house.hospital, house.clock.now()
    return about_view(
        since=now, zone=of.zone, hospital=of.name, mode=mode, code=code_digest(), mended=mended,
        kept_from=house.log.kept_from,
    )  # fmt: skip


def _wall(settings: Settings, *, is_exercise: bool) -> WallSettings:
    """How the wall is shown; raises CommandError where it is to show a page that there is not."""
    there = [WALL, *(name for name, page in BESIDE.items() if not page.of_exercises)]
    for name in settings.wall_rotation:
        if name not in there:
            raise CommandError(f"wall_rotation: there is no page {name!r}; there are {', '.join(there)}")
        if settings.access != "open" and PAGES[name] != "wall":
            raise CommandError(
                f"wall_rotation: a wall's screen may not see {name!r}, which takes the role {PAGES[name]}"
            )
    return WallSettings(
        refresh_s=settings.refresh_s, language=settings.language, downtime_call=settings.downtime_call,
        rotation=settings.wall_rotation, rotation_s=settings.wall_rotation_s, charts=settings.wall_charts,
        is_exercise=is_exercise,
    )  # fmt: skip
