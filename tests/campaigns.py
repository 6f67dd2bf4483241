"""A campaign: senders go on while the house is killed and started again; then what was acknowledged is looked for."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ingest.backup import DATABASE, JOURNAL
from ingest.clock import WallClock
from ingest.database import Database
from ingest.errors import DatabaseHeldError, LinkError
from ingest.indexer import Indexer, JournalledLog
from ingest.journal import Journal
from ingest.sources.mllp_client import MllpClient, Patience
from tests.fake_format import FakeHl7, hl7
from tests.mllp_nursery import DEATHS, ENDED

SENDERS = 4
USUAL = Patience(tries=2_000, tries_once_known=2_000, pause_s=0.02, longest_pause_s=0.05, answer_s=5)
"""Of senders that are answered again within a second, where the machine does little else."""


@dataclass
class Nursery:
    """Starts houses on a folder, and kills them."""

    folder: Path
    mutants: tuple[str, ...] = ()
    port: int = 0
    pid: int = 0

    def __enter__(self) -> Nursery:
        with socket.create_server(("127.0.0.1", 0)) as ear:
            self.port = ear.getsockname()[1]
        command = [sys.executable, "-m", "tests.mllp_nursery", str(self.folder), str(self.port), *self.mutants]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with suppress(ProcessLookupError):  # its houses too, of which a start that was broken off knows nothing
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.read()  # until the last of them has let go of it
        self._process.stdout.close()

    def start(self) -> None:
        """A house that listens; one that dies on the way is started again."""
        was_running, self.pid = self.pid, 0
        self._say_go()
        while not self.pid:
            told = self._told()
            if told != ENDED:
                self.pid = int(told.split()[0])
            elif was_running:
                was_running = 0
            else:
                self._say_go()

    def _say_go(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()

    def _told(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def kill(self) -> None:
        """End it as a failing machine does."""
        if self.pid:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)


@dataclass
class Sender:
    """Sends one message after the other until it is stopped; one in twenty is sent twice."""

    port: int
    number: int
    patience: Patience = USUAL
    acknowledged: list[str] = field(default_factory=list)
    sent: int = 0
    stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        with MllpClient("127.0.0.1", self.port, self.patience) as client:
            while not self.stop.is_set():
                visit = f"s{self.number}-{self.sent}"
                message = hl7(self.number * 1_000_000 + self.sent, visit=visit, minute=self.sent % 1000)
                self.sent += 1
                for _ in range(2 if self.sent % 20 == 0 else 1):
                    try:
                        assert client.send(message) == "AA"
                    except LinkError:
                        return
                self.acknowledged.append(visit)


@contextmanager
def sending(port: int, count: int = SENDERS, patience: Patience = USUAL) -> Iterator[list[Sender]]:
    """Senders that go on while the block lasts."""
    senders = [Sender(port, number, patience) for number in range(count)]
    threads = [threading.Thread(target=sender.run) for sender in senders]
    for thread in threads:
        thread.start()
    try:
        yield senders
    finally:
        for sender in senders:
            sender.stop.set()
        for thread in threads:
            thread.join(60)


@dataclass(frozen=True)
class Found:
    """What a campaign left: visits acknowledged and not in the log, and what is there, or counted, more than once."""

    acknowledged: int
    lost: int
    doubled: int
    miscounted: int
    kills: int


def campaign(folder: Path, kills: int, *mutants: str, seed: int = 1) -> Found:
    """Kill the house as often as stated, each time a while after it took messages; then look what is there."""
    rng = np.random.default_rng(seed)
    pause = threading.Event()
    with Nursery(folder, mutants) as nursery:
        nursery.start()
        with sending(nursery.port) as senders:
            for _ in range(kills):
                _until_more(senders)
                pause.wait(float(rng.uniform(0.0, 0.2)))
                nursery.kill()
                nursery.start()
            _until_more(senders)
        nursery.kill()
    acknowledged = [visit for sender in senders for visit in sender.acknowledged]
    return found(folder, acknowledged, kills)


def deaths_at_failpoints(folder: Path, deaths: int, *mutants: str) -> tuple[Found, Counter[str]]:
    """As `campaign`, for houses that die by themselves, at one failpoint after the other; how often at which."""
    told = folder / DEATHS
    with Nursery(folder, ("at_every_failpoint", *mutants)) as nursery:
        nursery.start()
        with sending(nursery.port) as senders:
            while len(at := told.read_text().splitlines() if told.exists() else []) < deaths:
                nursery.start()  # comes back when the one before is dead and another one listens
        nursery.kill()
    acknowledged = [visit for sender in senders for visit in sender.acknowledged]
    return found(folder, acknowledged, len(at)), Counter(at)


def found(folder: Path, acknowledged: list[str], kills: int) -> Found:
    """What the log holds of what was acknowledged."""
    with _opened(folder / DATABASE) as database:
        log = JournalledLog(database, WallClock())
        with Journal.open(folder / JOURNAL, log.instants, reserve_bytes=0) as journal:
            indexer = Indexer(journal, log, lambda record: FakeHl7())
            indexer.catch_up()
            indexer.close()
            held = Counter(getattr(event, "visit", "") for event in log.read_versions(None, journal.last_stored_at))
            return Found(
                acknowledged=len(acknowledged),
                lost=len(set(acknowledged) - set(held)),
                doubled=sum(count > 1 for count in held.values()),
                miscounted=abs(log.accounts()["mllp"].read - journal.last),
                kills=kills,
            )


def _opened(file: Path) -> Database:
    """A process that was killed holds its files for a moment yet, on a machine that does much else."""
    pause = threading.Event()
    for _ in range(300):
        try:
            return Database.open(file, threads=1)
        except DatabaseHeldError:
            pause.wait(0.1)
    return Database.open(file, threads=1)


def _until_more(senders: list[Sender]) -> None:
    """Until each sender has had an answer of the house that runs now."""
    before = [len(sender.acknowledged) for sender in senders]
    pause = threading.Event()
    for _ in range(6000):  # starting takes long on a machine that does much else
        if all(len(s.acknowledged) > b for s, b in zip(senders, before, strict=True)):
            return
        pause.wait(0.01)
    raise AssertionError("the house takes no messages")
