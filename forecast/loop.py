"""The scheduler: calibrate, issue, verify, publish; every ten minutes, one cycle at a time, late ones counted.

APScheduler fires on the world's time; `OnClock` tells it when the house's clock reaches the next turn, so a replay at
600 times the speed fires 600 times as often. A cycle that fails keeps the last forecast with its age. A turn that
comes while a cycle is still running is missed and counted, or, with `wait`, the clock stands still until it is done.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from apscheduler.schedulers.background import BackgroundScheduler

from forecast.adopted import Adopted
from forecast.alert_history import Stretch
from forecast.alert_watch import Watch
from forecast.analytic import with_count_model
from forecast.archive import Archive, CycleRecord, Status
from forecast.backtest import seed_of
from forecast.baselines import History, Rivals, fit
from forecast.board import Board, Cycle, Feed, Mended, Scrubbed
from forecast.calibrated import Recalibration, shares_of
from forecast.complete import complete_at
from forecast.ensemble import Run
from forecast.feeds import Feeds
from forecast.floor_desk import FloorDesk
from forecast.huddle_desk import Huddle
from forecast.issue import Times, issue
from forecast.moved import Remembered, Said, moved, said
from forecast.nightly import Nightly
from forecast.pages import AlertsView, DoubtView, FeedsView, LearnedView, Published, QuarantineView, ReasonView
from forecast.past import Past, grid_start
from forecast.record import HEADLINES, Record
from forecast.replayed import Replayed, Subject
from forecast.situation import Situation, situation_of
from forecast.supplies_desk import SuppliesDesk
from forecast.trust import Trust
from forecast.trust_view import TrustView
from forecast.turns import OnClock, turn_of
from forecast.values import Forecast
from forecast.wall import EARLIER, House, Made, empty_board, make_board
from forecast.whatif import Ground
from ingest.clock import Clock, SimulatedClock, stopwatch
from ingest.errors import EdtwinError
from ingest.failpoints import failpoint
from ingest.links import LinkNow
from ingest.log import EventLog
from twin.calibrate import Calibration
from twin.errors import TwinError
from twin.hospital import Hospital
from twin.memory import Memory
from twin.scenarios import Scenario
from twin.settled import learnable_from
from twin.site import Site as Description
from twin.state import State

logger = logging.getLogger(__name__)
_issued = failpoint("cycle: issued, not kept")
_archived = failpoint("cycle: kept, not shown")

HOLDING = ("catching_up", "stale", "off")
"""States of the feed in which no new forecast is published."""
_NOTHING_TOLD = {"engines": {"checked": 0, "equal": 0}, "recalibration": {"days": 0}}
_GRACE_S = 3600
"""APScheduler skips what is a second late by default; here a late turn runs, and is counted."""


@dataclass(frozen=True)
class Rhythm:
    """How often a cycle runs, and whether a replay's clock waits for a late one."""

    every: timedelta = timedelta(minutes=10)
    wait: bool = False


@dataclass(frozen=True)
class Site:
    """What is forecast, and how it is shown."""

    hospital: Hospital
    scenarios: tuple[Scenario, ...]
    mode: str = "live"
    spaces: int | None = None
    """Treatment spaces, where the hospital's file is the site's own."""
    own_beds: bool = False
    call: str | None = None
    """Telephone or extension to call while the board is blind."""
    learns_at_h: int = 4
    """Local hour at which the parameters are learned anew."""
    described: Description | None = None
    """What the site says of itself, which serves while the log has not taught enough; None where it may not."""


@dataclass
class Counts:
    """How the cycles went."""

    done: int = 0
    missed: int = 0
    failed: int = 0
    seconds: float | None = None
    last_error: str | None = None


class Loop:
    """One hospital's cycles. `board` is the latest view; it is never None and never waits for a cycle.

    `told` is called with each forecast once it is kept; it must neither wait nor raise. `watch` judges the rules of
    alarms by it. `links` says how the sources that run stand, `published` what became of what was told, `elsewhere` why
    members do not run where they should, `audit_gap` since when the audit cannot be written, `mended` what of the data
    was damaged and made whole, `missing_records` how many the journal lacks that the log was made of, `scrubbed` what
    the last look through it found; `huddle` makes the huddle sheets after the cycles of their hours, `supplies` says
    what each forecast means for support services, `floor` keeps who is where.
    """

    def __init__(
        self,
        log: EventLog,
        archive: Archive,
        site: Site,
        workers: Executor,
        clock: Clock,
        *,
        how: Run,
        rhythm: Rhythm,
        told: Callable[[Forecast], None] | None = None,
        watch: Watch | None = None,
        links: Callable[[], Sequence[LinkNow]] = tuple,
        published: Callable[[], Published | None] = lambda: None,
        elsewhere: Callable[[], str | None] = lambda: None,
        audit_gap: Callable[[], datetime | None] = lambda: None,
        mended: Sequence[Mended] = (),
        missing_records: int = 0,
        scrubbed: Callable[[], Scrubbed | None] = lambda: None,
        huddle: Huddle | None = None,
        supplies: SuppliesDesk | None = None,
        adopted: Adopted | None = None,
        floor: FloorDesk | None = None,
    ) -> None:
        self._log, self._archive, self._site, self._clock = log, archive, site, clock
        self._workers, self._how, self._rhythm = workers, how, rhythm
        self._told, self._published, self._elsewhere, self._watch = told, published, elsewhere, watch
        self._audit_gap, self._mended, self._missing_records = audit_gap, tuple(mended), missing_records
        self._scrubbed = scrubbed
        self._huddle, self._adopted, self._supplies, self._floor = huddle, adopted, supplies, floor
        self._memory = Memory(log, saves=True)
        self._nightly = Nightly(log, site.hospital, hour=site.learns_at_h, own_beds=site.own_beds, site=site.described)
        self._past: Past | None = None
        self._calibration: Calibration | None = None
        self._rivals: Rivals | None = None
        self._recalibration: Recalibration | None = None
        self._learnable_at: datetime | None = None
        self._made: Made | None = None
        self.state: State | None = None
        """What was known at the last cycle; None before."""
        self.ground: Ground | None = None  # of the forecast on the wall: a what-if from now stands on it
        self._remembered = Remembered()
        self._record = Record(archive)
        self._replayed = Replayed()
        self._trust = Trust(archive)
        self._feeds = Feeds(log.traffic(), site.hospital, links)
        self._turned: int | None = None
        self._busy = threading.Lock()
        self._scheduler: BackgroundScheduler | None = None
        self.counts = Counts()

    # --- turning ------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Turn by turn from now on, in a thread of its own; the first turn at once."""
        self._scheduler = BackgroundScheduler(timezone="UTC")
        self._scheduler.add_job(
            self.turn, OnClock(self._clock, self._rhythm.every), max_instances=2, coalesce=True,
            misfire_grace_time=_GRACE_S,
        )  # fmt: skip
        self._scheduler.start()

    def stop(self) -> None:
        """No further turn; the one that runs is waited for."""
        if self._scheduler is not None:
            self._scheduler.shutdown(wait=True)

    def turn(self) -> None:
        """One turn: a cycle, unless its time has not come or one is still running, which is a missed turn."""
        if not self._is_due():
            return
        if not self._busy.acquire(blocking=False):
            self.counts.missed += 1
            now = self._clock.now()
            self._archive.record_cycle(CycleRecord(now, now, now, 0.0, "missed"))
            return
        try:
            with self._standing_still():
                self._recorded_cycle()
        finally:
            self._busy.release()

    def _is_due(self) -> bool:
        """True once a turn of the house's clock; the trigger may wake us more often."""
        turn = turn_of(self._clock.now(), self._rhythm.every)
        due, self._turned = turn != self._turned, turn
        return due

    def _standing_still(self) -> AbstractContextManager[None]:
        waits = self._rhythm.wait and isinstance(self._clock, SimulatedClock)
        return self._clock.held() if waits and isinstance(self._clock, SimulatedClock) else nullcontext()

    def _recorded_cycle(self) -> None:
        began, started_at = stopwatch(), self._clock.now()
        error = self._error_of(started_at)
        self.counts.done += error is None
        self.counts.failed += error is not None
        self.counts.last_error, self.counts.seconds = error, stopwatch() - began
        ended_at = self._clock.now()
        status: Status = "failed" if error else "done"
        self._archive.record_cycle(CycleRecord(started_at, started_at, ended_at, self.counts.seconds, status, error))
        if self._huddle is not None:
            made = replace(self._made, skills=self._record.skills) if self._made else None
            self._huddle.turn(made, self._feed(ended_at), ended_at, executor=self._workers)

    def _error_of(self, as_of: datetime) -> str | None:
        """The cycle's fault as a sentence without identifiers; None when it went well."""
        try:
            self.cycle(as_of)
        except EdtwinError as fault:
            logger.warning("the cycle could not be done: %s", fault)
            return str(fault)
        except Exception as fault:
            logger.exception("the cycle failed")
            return f"{type(fault).__name__}"
        return None

    # --- one cycle -----------------------------------------------------------------------------------------------

    def cycle(self, as_of: datetime) -> None:
        """One cycle as of an instant.

        1. Read what became known; learn anew if a day has passed. Of a late feed the newest is missing: begin where
           what is known is complete.
        2. Ask the rivals; issue the forecast, weighed with them; keep both.
        3. Verify what has come true, when its truth is a week old; tell what adopted changes did, and foresee new ones.
        4. Publish; but while what is known is only the last known, or is being caught up with, what was published
           before stays, and so do the alarms.
        5. Judge the rules of alarms.
        6. Say who is where, what it means for supplies, and why it moved.
        """
        self._feeds.learn(as_of)  # 1
        state = self.state = self._memory.at(as_of)
        calibration, learned = self._nightly.calibration(state, as_of, seen=self._memory.seen)
        self._calibration = calibration
        feed = self._feed(as_of)
        begins_at = complete_at(feed, as_of, timedelta(minutes=self._how.step_min))
        situation = situation_of(state, calibration, begins_at)
        self._past = self._past or Past(grid_start(as_of))
        history, now = self._past.at(state, situation.known, calibration, begins_at)
        how = replace(self._how, seed=seed_of(self._how.seed, as_of))
        times = Times(as_of, as_of, as_of)
        if learned or self._recalibration is None:
            self._learnable_at = learnable_from(state)
            since, known, zone = self._learnable_at, (state, calibration), self._site.hospital.zone
            self._recalibration = self._record.recalibration(as_of, zone, since=since, known=known)
            self._trust.learned = as_of, self._recalibration.days
        fitted = self._fitted(history, how, learned)  # 2
        rivals = with_count_model(fitted.ahead(as_of, now, history), situation, as_of, fitted.lead_min)
        scenarios = self._scenarios(state, as_of, calibration.hospital)
        forecast = issue(
            situation, scenarios, how, times, recalibration=self._recalibration, rivals=rivals, executor=self._workers
        )
        self._trust_engines(forecast)
        earlier = self._archive.issued_near(as_of - EARLIER)
        _issued()
        self._record.keep(forecast, rivals)
        _archived()
        self._record.verify(state, calibration, as_of)  # 3
        self._trust.look(as_of)
        self._archive.prune(as_of)
        if self._adopted is not None:
            self._adopted.look(
                forecast, situation, state, how, times, self._site.scenarios[0], recalibration=self._recalibration,
                rivals=rivals, executor=self._workers,
            )  # fmt: skip
        if self._made is not None and feed.state in HOLDING:  # 4
            return
        self.ground = Ground(situation, times, how, scenarios[0], self._recalibration, rivals)
        self._made = Made(forecast, situation, history, rivals["climatology"], earlier, scenarios, self._record.skills)
        if self._told is not None:
            self._told(forecast)
        if self._watch is not None and feed.state not in HOLDING:  # 5
            self._watch.look(forecast, situation, history, rivals, state)
        if self._floor is not None:  # 6
            self._floor.look(state, situation, forecast)
        if self._supplies is not None:
            self._supplies.look(state, history, situation, forecast, scenarios, how.seed)
        if begins_at == as_of:
            self._say_why(said(situation, how, forecast, scenarios[0]))

    def _scenarios(self, state: State, as_of: datetime, hospital: Hospital) -> tuple[Scenario, ...]:
        """The wall's scenarios, with what was adopted."""
        wall = self._site.scenarios
        if self._adopted is None:
            return wall
        return self._adopted.scenarios(wall, state, as_of, hospital, self._how.horizon_min)

    def _say_why(self, now: Said) -> None:
        """Why the forecast is another than an hour ago, once there is one to compare with."""
        before = self._remembered.before(now)
        self._remembered.keep(now)
        if before is not None and self._made is not None:
            why = moved(before, now, executor=self._workers)
            self._made = replace(self._made, moved=why)

    def _trust_engines(self, forecast: Forecast) -> None:
        """Say in how many runs both engines agreed; SimPy serves from the next cycle on if they ever do not."""
        told = forecast.provenance["engines"]
        logger.info("%d of %d runs checked are equal in both engines", told["equal"], told["checked"])
        if told["equal"] < told["checked"]:
            logger.error("the compiled engine differs from the law: SimPy serves from now on")
            self._how = replace(self._how, engine="simpy")

    def _fitted(self, history: History, how: Run, learned: bool) -> Rivals:
        if self._rivals is None or learned:
            shown = replace(history, measures={m: v for m, v in history.measures.items() if m in HEADLINES})
            self._rivals = fit(shown, lead_min=how.lead_min[1:])
        return self._rivals

    def measure_past(self, log: EventLog, days: int) -> None:
        """Learn from how good forecasts of the last days would have been; show it until live ones are verified."""
        if self._calibration is None or (self._recalibration and self._recalibration.days >= days):
            return
        site = self._site
        subject = Subject(site.hospital, site.scenarios[0], site.own_beds, self._learnable_at)
        report = self._replayed.run(log, subject, self._how, self._calibration.as_of, days, self._workers)
        if report is not None:
            self._record.replayed(report.pairs, report.verifications)
            self._trust.replayed(report.pairs)
            self._recalibration = None

    def measure_alerts(self, log: EventLog, days: int, go_on: Callable[[], bool]) -> None:
        """Until enough was said live, set the rules from the last days, forecast again; `go_on` may end it."""
        if self._watch is None or self._calibration is None or self._watch.settings.settings:
            return
        end = self._calibration.as_of - timedelta(days=1)
        stretch = Stretch(
            end - timedelta(days=days), end, every=timedelta(hours=2),
            how=replace(self._how, members=60, horizon_min=min(self._how.horizon_min, 600.0)),
            own_beds=self._site.own_beds,
        )  # fmt: skip
        try:
            self._watch.measure(log, self._site.hospital, self._site.scenarios[0], stretch, self._workers, go_on)
        except TwinError as fault:
            logger.info("the last days cannot be forecast again: %s", fault)

    # --- the board -----------------------------------------------------------------------------------------------

    @property
    def board(self) -> Board:
        """The wall's view at this moment."""
        now, made, site = self._clock.now(), self._made, self._site
        house = House(site.mode, site.spaces, self._feed(now), self._cycle(now), site.call)
        if made is None:
            return empty_board(house, site.hospital.name, site.hospital.zone, now)
        alarms = self._watch.alerts.alarms if self._watch is not None else ()
        return replace(make_board(replace(made, skills=self._record.skills), house, now), alarms=alarms)

    @property
    def forecast(self) -> Forecast | None:
        """The forecast that is shown; None before there is one."""
        return self._made.forecast if self._made else None

    @property
    def calibration(self) -> Calibration | None:
        """What the last cycle's forecast was made with; None before there is one."""
        return self._made.situation.calibration if self._made else None

    @property
    def situation(self) -> Situation | None:
        """What the last cycle's forecast was made from; None before there is one."""
        return self._made.situation if self._made else None

    @property
    def feeds(self) -> FeedsView:
        """The page of the feeds at this moment."""
        now, site = self._clock.now(), self._site
        feed, sources, files = self._feeds.sources(now)
        return FeedsView(
            now, site.hospital.zone, site.hospital.name, site.mode, feed, sources, files, self._published()
        )

    @property
    def quarantine(self) -> QuarantineView:
        """The page of the quarantine at this moment."""
        now, site = self._clock.now(), self._site
        reasons = tuple(
            ReasonView(w.source, w.reason, w.count, w.first_at, w.last_at, w.places)
            for w in self._log.traffic().waiting()
        )
        flags = [(source, code, n) for (source, what, code), n in self._log.remarks().items() if what == "flag"]
        doubts = tuple(DoubtView(*flag) for flag in sorted(flags, key=lambda flag: -flag[2]))
        return QuarantineView(now, site.hospital.zone, site.hospital.name, site.mode, reasons, doubts)

    @property
    def learned(self) -> LearnedView:
        """The page of what was learned at this moment."""
        return self._nightly.view(self._clock.now(), self._site.mode)

    @property
    def trust(self) -> TrustView:
        """The page of trust at this minute: what it shows changes no faster."""
        site, minute = self._site, self._clock.now().replace(second=0, microsecond=0)
        return TrustView(
            minute, site.hospital.zone, site.hospital.name, site.mode, self._trust.judged,
            shares_of(self._made.forecast) if self._made else {}, *self._trust.learned, self._replayed.days,
        )  # fmt: skip

    @property
    def alerts(self) -> AlertsView | None:
        """The page of the alerts at this moment; None where nothing is watched."""
        now = self._clock.now()
        return None if self._watch is None else self._watch.view(now, held=self._feed(now).state in HOLDING)

    def _feed(self, now: datetime) -> Feed:
        try:
            return self._feeds.feed(now)
        except Exception:  # a log that cannot be read is what the wall is there to say
            logger.exception("the log cannot be read")
            return Feed("off", None, None, timedelta(0), fault="the log cannot be read")

    def _cycle(self, now: datetime) -> Cycle:
        made, counts = self._made, self.counts
        report = made.situation.calibration.report if made else None
        told = made.forecast.provenance if made else _NOTHING_TOLD
        return Cycle(
            issued_at=made.forecast.issued_at if made else None,
            age=now - made.forecast.issued_at if made else None,
            seconds=counts.seconds, done=counts.done, missed=counts.missed, failed=counts.failed,
            last_error=counts.last_error, every=self._rhythm.every, members=self._how.members,
            learned_days=report["days"] if report else None,
            described=report.get("described") if report else None, path=str(report["path"]) if report else "",
            checked=told["engines"]["checked"], equal=told["engines"]["equal"],
            corrected_days=told["recalibration"]["days"], begins_at=made.situation.as_of if made else None,
            cluster_fault=self._elsewhere(), audit_gap_since=self._audit_gap(), mended=self._mended,
            missing_records=self._missing_records, scrubbed=self._scrubbed(),
            measured_days=self._replayed.days,
        )  # fmt: skip
