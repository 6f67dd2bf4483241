"""The whole house in one thread, from one seed, with faults: feed, journal, log, cycles and board on a simulated clock.

    outcome = simulate(folder, Trial(seed=7))          # the same whenever it is called
    python -m tests.simulate --seeds 1-20 --days 7

A fabricated hospital (whose law is not the twin's) tells its events as messages over a network that loses requests and
answers, sends twice and is down for a while; the house's disk fills up, refuses to sync and forgets on a crash what was
not synced; the process dies at its failpoints; workers die; the clock steps. What must hold then is checked against
what was sent, and never against what the house says of itself.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO
from unittest.mock import patch

import numpy as np

from forecast.archive import SCHEMA_SQL as FORECAST_SQL
from forecast.archive import Archive
from forecast.board import Board
from forecast.ensemble import Run
from forecast.loop import Loop, Rhythm, Site
from ingest import failpoints
from ingest.clock import SimulatedClock
from ingest.columns import to_table
from ingest.database import SCHEMA_SQL, Database
from ingest.disk import Disk
from ingest.errors import EdtwinError
from ingest.event_json import EventJson, written
from ingest.events import Arrived, Departed, Event, LeftDuringCare, LeftWard, LeftWithoutBeingSeen
from ingest.formats import Format
from ingest.indexer import Indexer, JournalledLog
from ingest.journal import Entry, Journal
from ingest.journal_frames import Record
from ingest.links import LinkNow
from ingest.log import EventLog, Position
from ingest.pipeline import Answer, Message, Pipeline, Receipt, Waiting
from ingest.pseudonyms import Pseudonyms
from twin.fabricate import FabricatedHospital, fabricate
from twin.hospital import load_hospital
from twin.scenarios import catalogue
from twin.state import State, fold

START = datetime(2026, 3, 16, tzinfo=UTC)
"""So that the first week of a trial has the night in which clocks go forward in France."""
LEARNED_DAYS = 11
"""Loaded before the trial begins: what the parameters are learned from."""
SOURCE = "events"
POINTS = frozenset(failpoints.NAMES)
"""Where a house as simulated may die: all there are."""
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
SEGMENT_BYTES = 256 * 1024
"""Small, so that segments begin often."""
SILENT = timedelta(hours=2)
"""A feed that was silent for so long must not be shown as live."""
VIEWS_LOOKED_AT = 6
"""So many of the views that cycles had are made again at the end."""
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


class _SimulatedDisk(Disk):
    """Files of which a crash takes what was not synced, or some bytes of it; it can be full, and refuse to sync."""

    def __init__(self, dice: np.random.Generator) -> None:
        super().__init__(sync=lambda _: None)
        self._dice = dice
        self.full = False
        self.bad_syncs = 0
        self._kept: dict[Path, int] = {}
        self.refused = 0

    def free_bytes(self, folder: Path) -> int:
        return 0 if self.full else 1 << 40

    def write(self, file: BinaryIO, block: bytes) -> None:
        path = Path(file.name)
        self._kept.setdefault(path, path.stat().st_size)
        if self.full:
            self.refused += 1
            super().write(file, block[: int(self._dice.integers(0, len(block) + 1))])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        super().write(file, block)

    def sync(self, file: BinaryIO) -> None:
        if self.bad_syncs:
            self.bad_syncs -= 1
            self.refused += 1
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        path = Path(file.name)
        self._kept[path] = path.stat().st_size

    def sync_folder(self, folder: Path) -> None:
        """Names are kept at once."""

    def crash(self) -> int:
        """Of what was not synced, only a piece from its beginning is left; how many files lost something."""
        torn = 0
        for path, kept in self._kept.items():
            size = path.stat().st_size if path.exists() else 0
            if size > kept:
                torn += 1
                os.truncate(path, kept + int(self._dice.integers(0, size - kept + 1)))
        self._kept.clear()
        return torn


class _SteppedClock(SimulatedClock):
    """The house's own: as far from the hospital's as it was last set."""

    def __init__(self, world: SimulatedClock) -> None:
        super().__init__(world.now())
        self._world = world
        self.wrong_by = timedelta(0)

    def now(self) -> datetime:
        return self._world.now() + self.wrong_by


class _Workers(Executor):
    """Runs in this thread, and dies when told to."""

    def __init__(self) -> None:
        self.dead = False

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        if self.dead:
            future.set_exception(BrokenProcessPool("a worker was killed"))
        else:
            future.set_result(fn(*args, **kwargs))
        return future


class _House:
    """One life of the process, from its opening to its death."""

    def __init__(self, world: _World) -> None:
        self._world = world
        folder, clock = world.folder, world.house_clock
        self.workers = _Workers()
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
class _Sent:
    """A message that the hospital's system has to tell."""

    due: datetime
    content: bytes
    offset: int
    event_id: str | None
    """None for what is no message."""
    is_acknowledged: bool = False


class _World:
    """The hospital outside, the network, and the machine that the house runs on."""

    def __init__(self, folder: Path, trial: Trial) -> None:
        self.folder, self.trial = folder, trial
        self.dice = np.random.Generator(np.random.PCG64(np.random.SeedSequence([trial.seed, 0x51])))
        self.disk = _SimulatedDisk(self.dice)
        self.form = EventJson(Pseudonyms(b"0" * 32, "simulated"))
        self.begins = START + timedelta(days=LEARNED_DAYS)
        self.ends = self.begins + timedelta(days=trial.days)
        self.clock = SimulatedClock(self.begins)
        self.house_clock = _SteppedClock(self.clock)
        told = sorted(_told(trial.seed, LEARNED_DAYS + int(trial.days) + 1), key=lambda e: (_told_at(e), e.event_id))
        self.before = [e for e in told if _told_at(e) <= self.begins]
        coming = [e for e in told if self.begins < _told_at(e) <= self.ends]
        self.coming = list(self._messages(coming))
        self.events = {e.event_id: e for e in [*self.before, *coming]}
        self.linked = True
        self.down_until = self.full_until = self.begins
        self.house: _House | None = None
        self.outcome = Outcome(trial)
        self._trace = hashlib.sha256()
        self._kills_at: str | None = None
        self._points: list[str] = []
        """Failpoints at which the process has still to die, before it dies at all of them again."""
        self.views: list[tuple[datetime, str]] = []
        self.heard_at = self.begins

    def _messages(self, coming: Sequence[Event]) -> Iterator[_Sent]:
        offset = 0
        for event in coming:
            offset += 1
            if self.dice.random() < self.trial.poison:
                yield _Sent(_told_at(event), self.dice.bytes(40), offset, None)
                offset += 1
            yield _Sent(_told_at(event), written(event, pseudonyms=True), offset, event.event_id)

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
    def living(self) -> Iterator[_House]:
        """The house, opened if it is not; a death inside the block ends it."""
        try:
            if self.house is None:
                self.house = _House(self)
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

    def send(self, sent: _Sent) -> None:
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
    world = _World(folder, trial)
    with _planted(trial.bug), failpoints.watched(world.reached), _ended_by_a_refusal(world):
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
def _ended_by_a_refusal(world: _World) -> Iterator[None]:
    """A house that cannot go on by its own word is wrong: no fault of a trial may lead to that."""
    try:
        yield
    except EdtwinError as refused:
        world.wrong(f"the house cannot go on: {refused}".replace(str(world.folder), "folder"))
        if world.house is not None:
            world.house.die()


def _load(house: _House, world: _World) -> None:
    house.log.append_table(to_table(world.before), Position(source="history", offset=1))


def _hour(world: _World) -> None:
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


def _turn(house: _House, world: _World) -> None:
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
    _check_board(house.loop.board, world)


def _hash_of(log: EventLog, at: datetime) -> str:
    return fold(State(), log.read_versions(None, at)).hash


def _check_board(board: Board, world: _World) -> None:
    """What was not heard of for long is not shown as live."""
    world.note(f"board {board.feed.state}")
    silent = world.clock.now() - world.heard_at
    if silent > SILENT and board.feed.state == "live":
        world.wrong(f"the board says live, but nothing was heard for {silent}")


def _settle(world: _World) -> None:
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
        _check_journal(house, world)
        _check_log(house, world)
        _check_views(house, world)
        house.close()
    world.house = None


def _check_journal(house: _House, world: _World) -> None:
    records = [r for r in house.journal.records() if r.position.source == SOURCE]
    offsets = Counter(record.position.offset for record in records)
    for sent in world.coming:
        if offsets[sent.offset] != 1:
            world.wrong(f"message {sent.offset} is {offsets[sent.offset]} times in the journal")
    stored = [record.stored_at for record in records]
    if stored != sorted(set(stored)):
        world.wrong("records of the journal are not in the order of their instants")


def _check_log(house: _House, world: _World) -> None:
    table = house.log.read_table()
    ids = Counter(table.column("event_id").to_pylist())
    expected = set(world.events)
    for lost in sorted(expected - set(ids)):
        world.wrong(f"event {lost} was told and is not in the log")
    for extra in sorted(set(ids) - expected):
        world.wrong(f"event {extra} is in the log and was never told")
    for event_id, count in ids.items():
        if count > 1:
            world.wrong(f"event {event_id} is {count} times in the log")
    rejected = sum(w.count for w in house.log.traffic().waiting())
    poison = sum(one.event_id is None for one in world.coming)
    if rejected != poison:
        world.wrong(f"{poison} messages could not be read, but the quarantine has {rejected}")
    census = len(fold(State(), house.log.read_versions(None, world.clock.now())).present(world.clock.now()))
    if census != (truly := _present(world.events.values(), world.clock.now())):
        world.wrong(f"{census} are present by the log, but {truly} by what was told")


def _present(events: Iterable[Event], at: datetime) -> int:
    """Who came and has not left, by what was told."""
    came = {e.visit for e in events if isinstance(e, Arrived) and e.occurred_at <= at}
    left = (Departed, LeftDuringCare, LeftWard, LeftWithoutBeingSeen)
    return len(came - {e.visit for e in events if isinstance(e, left) and e.occurred_at <= at})


def _check_views(house: _House, world: _World) -> None:
    """What a cycle saw is seen again, whatever became known since."""
    for at, seen in world.views[:: max(len(world.views) // VIEWS_LOOKED_AT, 1)]:
        if _hash_of(house.log, at) != seen:
            world.wrong(f"the view at {at} is another than it was")


def _told_before_it_is_written() -> AbstractContextManager[Any]:
    """Receipts come before the messages are on the disk."""
    write = Pipeline._write

    def early(self: Pipeline, group: list[Waiting]) -> None:
        for waiting in group:
            told = [Receipt(answer=Answer.ACCEPTED, number=0) for _ in waiting.entries]
            waiting.receipts.set_result(told)
            write(self, [replace(waiting, receipts=Future())])

    return patch.object(Pipeline, "_write", early)


def _never_synced() -> AbstractContextManager[Any]:
    """The journal does not wait for the disk."""
    return patch.object(_SimulatedDisk, "sync", lambda *_: None)


def _taken_twice() -> AbstractContextManager[Any]:
    """What comes again is journalled again."""

    def placed(self: Journal, entries: Sequence[Entry]) -> list[tuple[Entry, Position]]:
        return [(entry, Position(source=entry.source, offset=entry.offset or 1)) for entry in entries]

    return patch.object(Journal, "_placed", placed)


def _forgets_what_waits() -> AbstractContextManager[Any]:
    """What was journalled and not stored when the process died is never stored."""
    resume = Indexer._resume

    def at_the_end(self: Indexer) -> int:
        resume(self)
        return self._journal.last

    return patch.object(Indexer, "_resume", at_the_end)


def _always_live() -> AbstractContextManager[Any]:
    """The board never says that it hears nothing."""
    feed = Loop._feed
    return patch.object(Loop, "_feed", lambda self, now: replace(feed(self, now), state="live"))


BUGS: dict[str, Callable[[], AbstractContextManager[Any]]] = {
    "told before it is written": _told_before_it_is_written,
    "never synced": _never_synced,
    "taken twice": _taken_twice,
    "forgets what waits": _forgets_what_waits,
    "always live": _always_live,
}
"""Planted faults of the house, by name."""


def _planted(bug: str) -> AbstractContextManager[Any]:
    return BUGS[bug]() if bug else nullcontext()
