"""The whole house in one thread, from one seed, with faults: feed, journal, log, cycles and board on a simulated clock.

    outcome = simulate(folder, Trial(seed=7))          # the same whenever it is called
    python -m tests.simulate --seeds 1-20 --days 7

A fabricated hospital (whose law is not the twin's) tells its events as messages over a network that loses requests and
answers, sends twice and is down for a while; the house's disk fills up, refuses to sync and forgets on a crash what was
not synced; the process dies at its failpoints; workers die; the clock steps. What must hold then is checked against
what was sent, and never against what the house says of itself.
"""

from __future__ import annotations

import hashlib
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path

import numpy as np

from forecast.archive import SCHEMA_SQL as FORECAST_SQL
from forecast.archive import Archive
from forecast.ensemble import Run
from forecast.loop import Loop, Rhythm, Site
from ingest import failpoints
from ingest.clock import SimulatedClock
from ingest.columns import to_table
from ingest.database import SCHEMA_SQL, Database
from ingest.errors import EdtwinError
from ingest.event_json import EventJson, written
from ingest.events import Event
from ingest.formats import Format
from ingest.indexer import Indexer, JournalledLog
from ingest.journal import Journal
from ingest.journal_frames import Record
from ingest.links import LinkNow
from ingest.log import Position
from ingest.pipeline import Message, Pipeline, Receipt
from ingest.pseudonyms import Pseudonyms
from tests import simulated_checks as checks
from tests.journals import OF_AN_ERASURE, OF_MENDING
from tests.planted_faults import planted
from tests.simulated_machine import MortalWorkers, SimulatedDisk, SteppedClock
from twin.fabricate import FabricatedHospital, fabricate
from twin.hospital import load_hospital
from twin.scenarios import catalogue

START = datetime(2026, 3, 16, tzinfo=UTC)
"""So that the first week of a trial has the night in which clocks go forward in France."""
LEARNED_DAYS = 11
"""Loaded before the trial begins: what the parameters are learned from."""
SOURCE = "events"
POINTS = frozenset(name for name in failpoints.NAMES if not name.startswith((OF_MENDING, *OF_AN_ERASURE)))
"""Where a house as simulated may die: wherever nobody is being erased."""
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
SEGMENT_BYTES = 256 * 1024
"""Small, so that segments begin often."""
HOW = Run(members=2, horizon_min=120.0, step_min=60.0)


class Killed(BaseException):
    """The process is dead: what it had in memory is gone."""


@dataclass(frozen=True)
class Trial:
    """What is tried: how long, from which seed, and how often what goes wrong, by hour."""

    seed: int
    days: float = 7.0
    cycle: timedelta | None = timedelta(hours=6)
    """None: nothing is forecast, and the rest is quicker."""
    bug: str = ""
    """A planted fault of the house, by name; none where it is empty."""
    kills: float = 0.10
    full_disks: float = 0.03
    bad_syncs: float = 0.05
    outages: float = 0.04
    dead_workers: float = 0.05
    steps: float = 0.05
    lost: float = 0.02
    """Of requests, and of answers."""
    twice: float = 0.02
    poison: float = 0.01


@dataclass
class Outcome:
    """What a trial did, what was wrong, and a digest of all that happened."""

    trial: Trial
    wrong: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    reached: Counter[str] = field(default_factory=Counter)
    """How often each failpoint was reached, and `died: ` it."""
    digest: str = ""


class House:
    """One life of the process, from its opening to its death."""

    def __init__(self, world: World) -> None:
        self._world = world
        folder, clock = world.folder, world.house_clock
        self.workers = MortalWorkers()
        with ExitStack() as opened:
            database = opened.enter_context(Database.open(folder / "db", [SCHEMA_SQL, FORECAST_SQL], threads=1))
            self.log = JournalledLog(database, clock)
            self.log.instants.longest_wait_s = 0.0  # nobody else would index meanwhile
            self.journal = opened.enter_context(
                Journal.open(
                    folder / "journal", self.log.instants, segment_bytes=SEGMENT_BYTES, reserve_bytes=1, disk=world.disk
                )
            )
            self.indexer = Indexer(self.journal, self.log, self._reader)
            opened.callback(self.indexer.close)
            self.log.follow(self.journal, self.indexer)
            self._stack = opened.pop_all()
        self.pipeline = Pipeline(self.journal)
        site = Site(load_hospital(), (catalogue()["as_usual"],), "live")
        self.loop = Loop(
            self.log, Archive(database), site, self.workers, clock, how=HOW, rhythm=Rhythm(world.trial.cycle or HOUR),
            links=self._links,
        )  # fmt: skip

    def _reader(self, record: Record) -> Format:
        return self._world.form

    def _links(self) -> Sequence[LinkNow]:
        return [LinkNow(name=SOURCE, kind="mllp", backlog=self.indexer.lag, connections=int(self._world.linked))]

    def receive(self, content: bytes, offset: int) -> Receipt:
        """A message through the pipeline, in this thread."""
        told = self.pipeline.submit([Message(content, offset)], self._world.form, SOURCE)
        if not told.done():
            self.pipeline.write_waiting()
        return told.result()[0]

    def told(self) -> list[Record]:
        """What it journalled of the hospital's messages."""
        return [record for record in self.journal.records() if record.position.source == SOURCE]

    def die(self) -> None:
        """The database's files as they are at this instant are what is found again."""
        folder = self._world.folder
        for name in ("db", "db.wal"):
            (folder / f"{name}.found").unlink(missing_ok=True)
            if (folder / name).exists():
                shutil.copyfile(folder / name, folder / f"{name}.found")
        with suppress(Exception):
            self._stack.close()
        for name in ("db", "db.wal"):
            (folder / name).unlink(missing_ok=True)
            if (folder / f"{name}.found").exists():
                (folder / f"{name}.found").rename(folder / name)

    def close(self) -> None:
        self._stack.close()


@dataclass
class Sent:
    """A message that the hospital's system has to tell."""

    due: datetime
    content: bytes
    offset: int
    event_id: str | None
    """None for what is no message."""
    is_acknowledged: bool = False


class World:
    """The hospital outside, the network, and the machine that the house runs on."""

    def __init__(self, folder: Path, trial: Trial) -> None:
        self.folder, self.trial = folder, trial
        self.dice = np.random.Generator(np.random.PCG64(np.random.SeedSequence([trial.seed, 0x51])))
        self.disk = SimulatedDisk(self.dice)
        self.form = EventJson(Pseudonyms(b"0" * 32, "simulated"))
        self.begins = START + timedelta(days=LEARNED_DAYS)
        self.ends = self.begins + timedelta(days=trial.days)
        self.clock = SimulatedClock(self.begins)
        self.house_clock = SteppedClock(self.clock)
        told = sorted(_told(trial.seed, LEARNED_DAYS + int(trial.days) + 1), key=lambda e: (_told_at(e), e.event_id))
        self.before = [e for e in told if _told_at(e) <= self.begins]
        coming = [e for e in told if self.begins < _told_at(e) <= self.ends]
        self.coming = list(self._messages(coming))
        self.events = {e.event_id: e for e in [*self.before, *coming]}
        self.linked = True
        self.down_until = self.full_until = self.begins
        self.house: House | None = None
        self.outcome = Outcome(trial)
        self._trace = hashlib.sha256()
        self._kills_at: str | None = None
        self._points: list[str] = []
        """Failpoints at which the process has still to die, before it dies at all of them again."""
        self.views: list[tuple[datetime, str]] = []
        self.heard_at = self.begins

    def _messages(self, coming: Sequence[Event]) -> Iterator[Sent]:
        offset = 0
        for event in coming:
            offset += 1
            if self.dice.random() < self.trial.poison:
                yield Sent(_told_at(event), self.dice.bytes(40), offset, None)
                offset += 1
            yield Sent(_told_at(event), written(event, pseudonyms=True), offset, event.event_id)

    # --- what happened, for the digest -------------------------------------------------------------------------------

    def note(self, what: str, count: str | None = None) -> None:
        """One more line of what happened; it may be counted."""
        self._trace.update(f"{self.clock.now().isoformat()} {what}\n".encode())
        if count is not None:
            self.outcome.counts[count] += 1

    def wrong(self, what: str) -> None:
        """Something that must never be."""
        self.note(f"WRONG {what}")
        self.outcome.wrong.append(f"{self.clock.now():%d %H:%M} {what}")

    # --- lives -------------------------------------------------------------------------------------------------------

    def reached(self, name: str) -> None:
        """A failpoint: the process may die here."""
        self.outcome.reached[name] += 1
        if self._kills_at == name:
            self._kills_at = None
            self.outcome.reached[f"died: {name}"] += 1
            self.note(f"killed at {name}", "killed")
            raise Killed(name)

    @contextmanager
    def living(self) -> Iterator[House]:
        """The house, opened if it is not; a death inside the block ends it."""
        try:
            if self.house is None:
                self.house = House(self)
                self.house.indexer.catch_up()
                self.note(f"opened, journal {self.house.journal.last}", "opened")
            yield self.house
        except Killed:
            self._crash()

    def _crash(self) -> None:
        if self.house is not None:
            self.house.die()
            self.house = None
        if self.disk.crash():
            self.outcome.counts["torn"] += 1

    # --- what goes wrong ---------------------------------------------------------------------------------------------

    def fate(self) -> None:
        """What the next hour has in store."""
        t, dice, now = self.trial, self.dice, self.clock.now()
        if dice.random() < t.kills and self._kills_at is None:
            self._points = self._points or dice.permutation(sorted(POINTS)).tolist()
            self._kills_at = self._points.pop()
        if dice.random() < t.full_disks:
            self.full_until = now + MINUTE * int(dice.integers(5, 120))
            self.note("disk full", "disk full")
        if dice.random() < t.bad_syncs:
            self.disk.bad_syncs = int(dice.integers(1, 4))
            self.note("syncs fail", "syncs fail")
        if dice.random() < t.outages:
            self.down_until = now + MINUTE * int(dice.integers(10, 600))
            self.note("link down", "link down")
        if dice.random() < t.steps:
            self.house_clock.wrong_by = timedelta(seconds=int(dice.integers(-120, 121)))
            self.note("clock steps", "clock steps")
        if self.house is not None:
            self.house.workers.dead = bool(dice.random() < t.dead_workers)
        self.disk.full, self.linked = now < self.full_until, now >= self.down_until

    # --- a message ---------------------------------------------------------------------------------------------------

    def send(self, sent: Sent) -> None:
        """Sent until it is acknowledged, by one that keeps to the order; what is lost is sent again later."""
        dice, t = self.dice, self.trial
        if dice.random() < t.lost:
            self.note(f"request {sent.offset} lost", "request lost")
            return
        for _ in range(2 if dice.random() < t.twice else 1):
            with self.living() as house:
                receipt = house.receive(sent.content, sent.offset)
                if dice.random() < t.lost:
                    self.note(f"answer {sent.offset} lost", "answer lost")
                    return
                self.note(f"{sent.offset} {receipt.answer.value} {receipt.number}", f"answer {receipt.answer.value}")
                if receipt.is_kept:
                    sent.is_acknowledged = True
                    self.heard_at = self.clock.now()


@lru_cache(maxsize=2)
def _told(seed: int, days: int) -> list[Event]:
    """What a fabricated hospital tells in so many days."""
    return fabricate(FabricatedHospital("roomy", "small"), start=START, days=days, seed=seed).events


def _told_at(event: Event) -> datetime:
    return event.known_at or event.recorded_at or event.occurred_at


def simulate(folder: Path, trial: Trial) -> Outcome:
    """A trial in an empty folder; what was wrong, and what happened.

    1. The hospital's history is loaded, a first cycle runs.
    2. Hour by hour: what goes wrong is drawn; messages come when they are due, cycles at their turns.
    3. All faults end; what is still to be told is told; the house is closed, opened, and held against what was sent.
    """
    world = World(folder, trial)
    with planted(trial.bug), failpoints.watched(world.reached), _ended_by_a_refusal(world):
        with world.living() as house:  # 1
            _load(house, world)
            if trial.cycle:
                house.loop.turn()
        while world.clock.now() < world.ends:  # 2
            world.fate()
            _hour(world)
        _settle(world)  # 3
    world.outcome.digest = world._trace.hexdigest()
    return world.outcome


@contextmanager
def _ended_by_a_refusal(world: World) -> Iterator[None]:
    """A house that cannot go on by its own word is wrong: no fault of a trial may lead to that."""
    try:
        yield
    except EdtwinError as refused:
        world.wrong(f"the house cannot go on: {refused}".replace(str(world.folder), "folder"))
        if world.house is not None:
            world.house.die()


def _load(house: House, world: World) -> None:
    house.log.append_table(to_table(world.before), Position(source="history", offset=1))


def _hour(world: World) -> None:
    """Messages in their order, each once it is due and those before it are acknowledged; a cycle at its turn."""
    ends = min(world.clock.now() + HOUR, world.ends)
    if world.linked:
        for sent in [one for one in world.coming if not one.is_acknowledged and one.due <= ends]:
            world.clock.advance_to(sent.due)
            world.send(sent)
            if not sent.is_acknowledged:
                break  # the sender waits, and goes on with this one
    world.clock.advance_to(ends)
    with world.living() as house:
        house.indexer.catch_up()
    with world.living() as house:
        _turn(house, world)


def _turn(house: House, world: World) -> None:
    done, failed = house.loop.counts.done, house.loop.counts.failed
    if world.trial.cycle:
        house.loop.turn()
    if house.loop.counts.done > done:
        assert house.loop.state is not None
        world.views.append((world.house_clock.now(), house.loop.state.hash))
        world.note(f"cycle {house.loop.state.hash}", "cycles done")
    elif house.loop.counts.failed > failed:
        world.note(f"cycle failed: {house.loop.counts.last_error}", "cycles failed")
        if not house.workers.dead:
            world.wrong(f"a cycle failed although its workers live: {house.loop.counts.last_error}")
    checks.check_board(house.loop.board, world)


def _settle(world: World) -> None:
    """The end: what was told is all there, once, and in order; what was seen before is still seen so."""
    world.disk.full, world.disk.bad_syncs, world.linked, world._kills_at = False, 0, True, None
    world.house_clock.wrong_by = timedelta(0)
    world.clock.advance_to(world.clock.now() + HOUR)  # later than all that was known by a clock that was ahead
    for sent in [one for one in world.coming if not one.is_acknowledged]:
        while not sent.is_acknowledged:
            world.send(sent)
    world.note("settled")
    if world.house is not None:
        world.house.close()
        world.house = None
    world.clock.advance_to(world.clock.now() + MINUTE)  # records that came at one instant are told apart by a tick
    with world.living() as house:
        checks.check_journal(house, world)
        checks.check_log(house, world)
        checks.check_views(house, world)
        house.close()
    world.house = None
