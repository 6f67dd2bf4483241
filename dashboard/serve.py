"""How a house is served: its pages and doors on one port, while it runs."""

from __future__ import annotations

import socket
import threading
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from ipaddress import ip_address

from dash import Dash
from flask import Flask
from waitress.server import BaseWSGIServer, create_server

from dashboard import logs
from dashboard.about_view import AboutView, about_view, as_it_stands
from dashboard.access.table import PAGES
from dashboard.access.wiring import Access, access_of
from dashboard.api import answer_api
from dashboard.api_board import Shown
from dashboard.api_wiring import ApiHouse, api_of
from dashboard.app import Pages, WallSettings, build_app
from dashboard.audit.acts import audited, of_sign_ins
from dashboard.audit.consultations import answer_to_audit
from dashboard.audit.mending import begin_anew_if_damaged
from dashboard.audit.wiring import begin, shown_head, trail_of
from dashboard.downtime_files import answer_downtime
from dashboard.drill import Exercise
from dashboard.drill_decisions import Held, Players
from dashboard.errors import CommandError
from dashboard.fhir_endpoint import answer_fhir
from dashboard.floor_days import answer_floor
from dashboard.house import House, study_of
from dashboard.household import Feeding, Household, household_of
from dashboard.huddle_files import answer_huddle
from dashboard.intake import FhirDoor
from dashboard.keeper import Keeper
from dashboard.known_wiring import known_of
from dashboard.latest import as_it_is
from dashboard.logs import tell
from dashboard.pages.beside import BESIDE, WALL
from dashboard.probes import answer_metrics, answer_readyz
from dashboard.readiness import Readiness
from dashboard.report.serving import answer_report, written_at
from dashboard.running import Running
from dashboard.settings import Settings
from dashboard.settings_told import settings_view
from dashboard.settings_view import SettingsView
from dashboard.whatif_wiring import view_of, whatif_of
from forecast.board import Mended
from forecast.by_unit import by_unit
from forecast.by_unit_view import ByUnitView
from forecast.desk_page import DeskPage
from forecast.executors import fault_of
from forecast.loop import Loop, Rhythm
from forecast.proposals import Proposal
from forecast.remote import code_digest
from forecast.whatif_ask import Asking
from ingest.clock import WallClock
from ingest.database import losses_heard

WEB_THREADS = 8


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
    2. All that runs beside it begins, and the wall shows what the loop last published.
    3. At the end all of it ends in order, whatever the end was.

    In an `exercise` what was adopted before holds as `held` says. Raises CommandError where the port cannot be had.
    """
    trail = trail_of(house.settings, mode)
    begin_anew_if_damaged(trail.chain, mode, trail.now())
    access = access_of(house.settings, of_sign_ins(trail))
    household = household_of(house, feeds, stop, trail, mode=mode, rhythm=rhythm)
    loop, latest, desks = household.loop, household.latest, household.desks
    if exercise is not None:
        exercise.join(
            Players(desks.desk, study_of(house), lambda: loop.situation, household.workers, house.hospital, held)
        )
    whatif = whatif_of(house, loop, desks.door)
    shown = Shown(latest.board, lambda: loop.forecast, latest.trust, latest.alerts)
    api = api_of(house, loop, desks.door, whatif.asking.catalogue, shown)
    keeper = Keeper(house.settings.data, house.settings.disk_reserve_mb * 1024**2)
    readiness = Readiness(
        house.log, lambda: loop.counts.done > 0, WallClock(),
        stopped=lambda: keeper.said or house.journal.refuses or _stopped(feeds),
    )  # fmt: skip
    app = _application(household, whatif.asking, exercise, access)
    _answer(app.server, household, api, readiness, fhir)
    running = Running(household, whatif, api, keeper, readiness, stop)
    server = _listening(app.server, house.settings)  # 1
    begin(trail, house.settings, mode=mode, code=code_digest())
    # what a cycle says while its workers are taken away is no fault
    with losses_heard(keeper.hear), logs.heard_until(stop, Loop.__module__):
        try:
            running.start()  # 2
            server.run()
        finally:
            running.end()  # 3
            server.task_dispatcher.shutdown()  # has threads from its making on, though it may never have run
            server.close()
    keeper.require_well()


def _application(here: Household, asking: Asking, exercise: Exercise | None, access: Access) -> Dash:
    """The wall and its pages; whoever acts on them is recorded."""
    house, desks = here.house, here.desks
    recorded = partial(audited, trail=here.trail)
    known = known_of(house, here.loop, desks.people, here.mode)
    return build_app(
        here.latest.board, _wall(house.settings, is_exercise=exercise is not None), house.clock.now,
        _pages(here, exercise), recorded(desks.alerts, "alarms"), recorded(asking, "whatif"),
        recorded(here.grids, "grids"), desks.door,
        recorded(exercise, "exercise") if exercise is not None else None,
        replace(known, sayings=recorded(known.sayings, "known")), recorded(here.replays, "replays"),
        recorded(here.backtests, "backtests"), access,
    )  # fmt: skip


def _pages(here: Household, exercise: Exercise | None) -> Pages:
    """What each page shows, whenever it is asked for."""
    house, loop, latest, desks, mode = here.house, here.loop, here.latest, here.desks, here.mode
    about = _about(house, mode, here.mended)
    pages: Pages = {
        "feeds": latest.feeds, "quarantine": latest.quarantine, "path": latest.path, "learned": latest.learned,
        "alerts": latest.alerts, "supplies": lambda: desks.supplies.view(house.clock.now()),
        "trust": lambda: replace(latest.trust(), report_at=written_at(here.report)),
        "floor": lambda: desks.floor.view(latest.board()),
        "checks": lambda: here.model_checks,
        "huddle": lambda: desks.huddle.view(house.clock.now(), house.hospital.name),
        "settings": partial(as_it_is, _settings(house, mode)),
        "about": lambda: as_it_stands(
            about, house.clock.now(), here.care.backups.standing(), shown_head(here.trail), here.scrubs.last
        ),
        "forecast": partial(_by_unit, house, loop, mode),
        "whatif": lambda: view_of(house, mode), "compare": here.comparisons.view, "robustness": here.grids.view,
        "replay": here.replays.view, "validation": here.validation.view,
        "desk": DeskPage(
            desks.desk, desks.people, here.comparisons, house.hospital, house.supplies, house.clock, mode,
            lambda: desks.adopted.faults,
        ).view,
    }  # fmt: skip
    return pages if exercise is None else {**pages, "instructor": exercise.view, "debrief": exercise.view}


def _answer(server: Flask, here: Household, api: ApiHouse, readiness: Readiness, fhir: FhirDoor | None) -> None:
    """All that is asked for beside pages: probes, files, the API, a FHIR server's door."""
    care = here.care
    answer_to_audit(server, here.trail)
    answer_readyz(server, readiness, lambda: fault_of(here.workers))
    answer_metrics(server, here.latest.board, care.backups.standing, care.sheets.written_at)
    answer_downtime(server, care.sheets)
    answer_huddle(server, here.desks.huddle.sheets)
    answer_report(server, here.report)
    answer_floor(server, here.desks.floor.day)
    answer_api(server, api.routes)
    if fhir is not None:
        answer_fhir(server, fhir.told, fhir.receive, fhir.token, here.house.clock)


def _stopped(feeds: Sequence[Feeding]) -> str | None:
    return next((fault for feed in feeds if (fault := feed.fault()) is not None), None)


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


def _by_unit(house: House, loop: Loop, mode: str, query: str = "") -> ByUnitView | None:
    """What is likely unit by unit; None before the first forecast of this run: an archive keeps no members."""
    forecast = loop.forecast
    if forecast is None or not forecast.members:
        return None
    minute = house.clock.now().replace(second=0, microsecond=0)  # a page that says nothing new is not drawn again
    return by_unit(forecast, house.hospital, minute, mode, query)


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
