"""What a running house is made of, each part with what it needs of the others."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from dashboard.audit.acts import audited
from dashboard.audit.trail import Trail
from dashboard.audit.wiring import mended_audits
from dashboard.care import Care
from dashboard.house import BACKTESTS, REPLAYS, REPORT, House, names_of, processes_of, study_of
from dashboard.identical_law import identical_twin
from dashboard.latest import Latest
from dashboard.mending import noted
from dashboard.proposal_window import DeskDoor
from dashboard.report.making import WrittenAs, write_report
from dashboard.report.serving import written_at
from dashboard.scrubbing import Scrubs
from dashboard.settings import Settings
from forecast.adopted import Adopted
from forecast.alert_settings import AlertSettings
from forecast.alert_watch import Watch
from forecast.alerts import Alerts, Place
from forecast.backtest_desk import BacktestDesk, Subject
from forecast.board import Mended
from forecast.checks import CHECKED, Checks
from forecast.comparisons import Comparisons
from forecast.desk import Desk
from forecast.executors import fault_of
from forecast.floor_desk import FloorDesk
from forecast.grid_desk import GridDesk
from forecast.grid_store import GridStore
from forecast.huddle_desk import Huddle, Sheets
from forecast.loop import Loop, Rhythm, Site
from forecast.pages import ModelChecks
from forecast.pathview import PathViews
from forecast.people import People, people_of
from forecast.placebos import Placebos
from forecast.replay_desk import ReplayDesk
from forecast.replay_store import ReplayStore
from forecast.supplies_desk import SuppliesDesk
from forecast.supply_archive import SupplyArchive
from forecast.validation_desk import Beside, ValidationDesk
from forecast.workers import GENTLY
from ingest.links import LinkNow

if TYPE_CHECKING:
    from forecast.publication import Publisher

SHOWN_FIRST = 3
"""Scenarios of the wall that the page of the comparison begins with."""


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


@dataclass(frozen=True)
class Desks:
    """What people and pages ask of a house, its loop too."""

    alerts: Alerts
    desk: Desk
    people: People
    adopted: Adopted
    door: DeskDoor
    huddle: Huddle
    supplies: SuppliesDesk
    floor: FloorDesk


@dataclass(frozen=True)
class Household:
    """All that runs in a house or is asked while it runs."""

    house: House
    mode: str
    trail: Trail
    feeds: Sequence[Feeding]
    workers: Executor
    publishers: Sequence[Publisher]
    desks: Desks
    mended: Sequence[Mended]
    scrubs: Scrubs
    loop: Loop
    latest: Latest
    comparisons: Comparisons
    grids: GridDesk
    checks: Checks
    replays: ReplayDesk
    backtests: BacktestDesk
    validation: ValidationDesk
    care: Care
    report: Path
    """Where the last report of a back-test lies, once there is one."""

    @property
    def model_checks(self) -> ModelChecks:
        """What the checks of the model found last."""
        hospital = self.house.hospital
        return self.checks.view(hospital.zone, hospital.name, self.mode)


def household_of(
    house: House, feeds: Sequence[Feeding], stop: threading.Event, trail: Trail, *, mode: str, rhythm: Rhythm
) -> Household:
    """All of them, made and not yet begun."""
    workers, publishers = house.workers(runs_on=True), _publishers(house, stop)
    site, desks, mended = _site(house, mode), _desks(house, mode, trail), mended_of(house.settings)
    scrubs = Scrubs(house.journal, house.settings.data, house.clock, house.settings.scrub_every_days)
    loop = Loop(
        house.log, house.archive, site, workers, house.clock, how=house.run(), rhythm=rhythm,
        told=publishers[0].offer if publishers else None,
        watch=Watch(desks.alerts, AlertSettings(house.database), site.spaces),
        links=lambda: [link for feed in feeds for link in feed.links()],
        published=lambda: publishers[0].counts if publishers else None,
        elsewhere=lambda: fault_of(workers), audit_gap=lambda: trail.gap.since if trail.gap else None,
        mended=mended, missing_records=house.indexer.missing, huddle=desks.huddle, adopted=desks.adopted,
        supplies=desks.supplies, floor=desks.floor, scrubbed=lambda: scrubs.last,
    )  # fmt: skip
    comparisons, grids = _studies(house, loop, workers, mode, desks)
    latest, report = Latest(loop, PathViews(house.site)), house.settings.data / BACKTESTS / REPORT
    checks = Checks(house.settings.data, house.clock, (*CHECKED, identical_twin))
    backtests = _backtests(house, site)
    validation = ValidationDesk(
        house.log, house.archive, site, backtests, house.settings.data / BACKTESTS, house.clock,
        beside=lambda: _beside(latest, household.model_checks, report),
    )  # fmt: skip
    household = Household(
        house, mode, trail, feeds, workers, publishers, desks, mended, scrubs, loop, latest, comparisons, grids, checks,
        _replays(house, site), backtests, validation,
        Care(house, mode, latest.board, lambda: loop.calibration, scrubs), report,
    )  # fmt: skip
    return household


def _desks(house: House, mode: str, trail: Trail) -> Desks:
    hospital, settings, zone = house.hospital, house.settings, house.hospital.zone
    desk = Desk(house.database, house.clock, names_of(settings), horizon_min=house.run().horizon_min, zone=zone)
    people = people_of(settings.people)
    return Desks(
        alerts=Alerts(house.rules, house.database, house.clock, Place(hospital.name, zone, mode)),
        desk=desk,
        people=people,
        adopted=Adopted(desk, Placebos(house.database)),
        door=DeskDoor(audited(desk, "desk", trail), people, hospital, house.supplies, house.clock),
        huddle=Huddle(Sheets(settings.data), zone, mode, settings.huddle_at),
        supplies=SuppliesDesk(house.supplies, hospital, mode, SupplyArchive(house.database)),
        floor=FloorDesk(house.site),
    )


def _studies(house: House, loop: Loop, workers: Executor, mode: str, desks: Desks) -> tuple[Comparisons, GridDesk]:
    """What the pages of the comparison and of the robustness map ask; a grid has processes of its own."""
    study, how = study_of(house), house.run()
    shown = house.settings.wall_scenarios[1 : 1 + SHOWN_FIRST]
    comparisons = Comparisons(
        study, lambda: loop.situation, workers, house.clock, how, mode=mode, default=shown,
        carried=desks.desk.carried, further=partial(desks.supplies.further, seed=how.seed),
    )  # fmt: skip
    grids = GridDesk(
        study, GridStore(house.database), lambda: loop.situation, house.clock, how, mode=mode,
        workers=partial(processes_of, house.settings), further=partial(desks.supplies.further, seed=how.seed),
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


def _publishers(house: House, stop: threading.Event) -> list[Publisher]:
    """What publishes the forecasts, where the settings name a topic for them."""
    if house.settings.kafka_forecasts_topic is None:
        return []
    from dashboard.kafka_wiring import publisher_of

    publisher = publisher_of(house, stop)
    return [publisher] if publisher else []


def _site(house: House, mode: str) -> Site:
    own = house.own_hospital
    return Site(
        house.hospital, tuple(house.scenarios()), mode, spaces=house.hospital.spaces if own else None, own_beds=own,
        call=house.settings.downtime_call, learns_at_h=house.settings.learn_at_h,
        described=house.site,
    )  # fmt: skip


def mended_of(settings: Settings) -> list[Mended]:
    """What was damaged in this house and is told of, the last one last."""
    return sorted([*noted(settings.data), *mended_audits(settings)], key=lambda one: one.found_at)
