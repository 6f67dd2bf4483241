"""What the board says during a burst of a hundred times the traffic: that it is catching up, until it has.

Real HL7 by MLLP at 1,000 messages a second, as far as the machine takes them: a few seconds of it into a house in this
process in `make test`, a minute of it into a living house in `make soak`. Mutants are a house that does not count what
waits, and one that never says that it is over.
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from dashboard import house as houses
from dashboard.house import House, open_house
from dashboard.intake import Intake
from dashboard.panels import banner, now
from dashboard.settings import Settings
from dashboard.words import Reader
from forecast.board import Board
from forecast.feeds import Feeds
from ingest.clock import WallClock, stopwatch
from ingest.links import LinkNow
from tests.boards import ordinary
from tests.component_trees import texts
from tests.hammer import hammered, message_of
from tests.living import Living
from tests.ports import free_port
from tests.test_dashboard_serve import wall
from tests.years import MAPPING

PER_S = 1_000
BACK_WITHIN_S = 180.0
GROWN_AT_MOST = 256 * 1024**2
READER = Reader("en", "Europe/Paris")
WORDS = "CATCHING UP"
PROVISIONAL = "the counts are provisional"
Links = Callable[[], Sequence[LinkNow]]


# --- who sends --------------------------------------------------------------------------------------------------------


def framed(messages: Sequence[bytes]) -> bytes:
    return b"".join(b"\x0b" + message + b"\x1c\r" for message in messages)


def poured(port: int, messages: Sequence[bytes]) -> int:
    """Send all of them at the pace, without waiting for an answer before the next; how many were acknowledged (AA)."""
    answers: list[bytes] = []
    with socket.create_connection(("127.0.0.1", port)) as link:

        def listen() -> None:
            while sum(answer.count(b"\x1c") for answer in answers) < len(messages):
                if not (answer := link.recv(65536)):
                    return
                answers.append(answer)

        ears = threading.Thread(target=listen, daemon=True)
        ears.start()
        began, step = stopwatch(), PER_S // 20
        for first in range(0, len(messages), step):
            link.sendall(framed(messages[first : first + step]))
            threading.Event().wait(max(0.0, began + first / PER_S - stopwatch()))
        ears.join(BACK_WITHIN_S)
    return b"".join(answers).count(b"MSA|AA|")


def prepared(count: int, port: int) -> list[bytes]:
    """About visits that the house knows, so that nobody more comes or goes."""
    return [message_of(number, port) for number in range(count)]


# --- a house in this process ------------------------------------------------------------------------------------------


@dataclass
class Hall:
    """A house that takes HL7, and what its wall says, looked at ten times a second."""

    house: House
    intake: Intake
    links: Links
    stop: threading.Event = field(default_factory=threading.Event)
    said: list[tuple[float, str, str]] = field(default_factory=list)
    """When it was looked at, the banner, and the tiles of now."""

    def __post_init__(self) -> None:
        self._feeds = Feeds(self.house.log.traffic(), self.house.hospital, self.links)

    def board(self) -> Board:
        at = WallClock().now()
        return replace(ordinary(), feed=self._feeds.feed(at), made_at=at)

    def look(self) -> str:
        """The banner now, remembered with the tiles."""
        board = self.board()
        banners, tiles = (" ".join(texts(panel(board, READER))) for panel in (banner.panel, now.panel))
        self.said.append((stopwatch(), banners, tiles))
        return banners

    def watch(self) -> None:
        while not self.stop.wait(0.1):
            self.look()

    def goes_away_within(self, seconds: float) -> bool:
        """Whether it says no more that it is catching up, before so many seconds are over."""
        until = stopwatch() + seconds
        while WORDS in self.look():
            if stopwatch() > until:
                return False
            self.stop.wait(0.1)
        return True


@contextmanager
def hall(folder: Path, links_of: Callable[[Intake], Links]) -> Iterator[tuple[Hall, int]]:
    port = free_port()
    settings = Settings(data=folder / "d", disk_reserve_mb=0, mllp_port=port, mllp_mapping=MAPPING)
    with open_house(settings) as house:
        intake = Intake(house)
        intake.start()
        try:
            yield Hall(house, intake, links_of(intake)), port
        finally:
            intake.join(10.0)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    scenarios = houses.scenario_catalogue(Settings())
    monkeypatch.setattr(houses, "scenario_catalogue", lambda _: scenarios)


def counting(intake: Intake) -> Links:
    return intake.links


def uncounted(intake: Intake) -> Links:
    """The mutant: what waits is not counted."""
    return lambda: [replace(link, backlog=0) for link in intake.links()]


def never_over(intake: Intake) -> Links:
    """The mutant: what once waited waits for ever."""
    most = [0]

    def links() -> list[LinkNow]:
        most[0] = max(most[0], *(link.backlog for link in intake.links()))
        return [replace(link, backlog=most[0]) for link in intake.links()]

    return links


def faults_of(folder: Path, links_of: Callable[[Intake], Links], count: int, back_s: float) -> Iterator[str]:
    """What is wrong with what a house says of a burst."""
    with hall(folder, links_of) as (here, port), ExitStack() as ends:
        first, *messages = prepared(count, port)
        if poured(port, [first]) != 1 or WORDS in here.look():
            yield "it says that it catches up with one message"
        watcher = threading.Thread(target=here.watch)
        watcher.start()
        ends.callback(watcher.join)
        ends.callback(here.stop.set)
        if poured(port, messages) != len(messages):
            yield "not all were acknowledged"
        here.stop.set()
        watcher.join()
        here.stop.clear()
        during = [(banners, tiles) for _, banners, tiles in here.said if WORDS in banners]
        if not during:
            yield "it never says that it catches up"
        if not all("wait" in banners and PROVISIONAL in banners for banners, _ in during):
            yield "it does not say how many wait, or that counts are provisional"
        if not all("provisional" in tiles.lower() for _, tiles in during):
            yield "the tiles are not stamped"
        if not here.goes_away_within(back_s):
            yield "it says so for ever"
        began = stopwatch()
        while here.house.indexer.lag and stopwatch() - began < BACK_WITHIN_S:  # fewer than a hundred are not told of
            here.stop.wait(0.05)
        account = here.house.log.accounts()["mllp"]
        if account.read != count or account.duplicate or account.rejected:
            yield f"not all are in the log, once: {account}"


def test_a_burst_is_told_while_it_lasts_and_no_longer(tmp_path: Path) -> None:
    assert list(faults_of(tmp_path, counting, 5 * PER_S, BACK_WITHIN_S)) == []


@pytest.mark.parametrize(
    ("mutant", "fault"),
    [(uncounted, "it never says that it catches up"), (never_over, "it says so for ever")],
    ids=["what waits is not counted", "never over"],
)
def test_a_house_that_says_otherwise_is_seen(tmp_path: Path, mutant: Callable[[Intake], Links], fault: str) -> None:
    assert fault in list(faults_of(tmp_path, mutant, 2 * PER_S, 5.0))


# --- a living house ---------------------------------------------------------------------------------------------------


@dataclass
class Watched:
    """What the wall and the figures of a living house say, looked at twice a second."""

    house: Living
    stop: threading.Event
    said: list[str] = field(default_factory=list)
    bytes: list[float] = field(default_factory=list)

    def run(self) -> None:
        """Until it is stopped."""
        while not self.stop.wait(0.5):
            self.said.append(json.dumps(wall(self.house.place)))
            self.bytes.append(self.house.figures()["process_resident_memory_bytes"])


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_a_minute_of_it_is_told_on_the_wall_of_a_living_house(tmp_path: Path) -> None:
    with hammered(tmp_path) as (house, port):
        messages, stop = prepared(60 * PER_S, port), threading.Event()
        before = house.figures()["process_resident_memory_bytes"]
        watched = Watched(house, stop)
        watcher = threading.Thread(target=watched.run)
        watcher.start()
        began = stopwatch()
        assert poured(port, messages) == len(messages)
        sent_s = stopwatch() - began
        while WORDS in watched.said[-1]:
            assert stopwatch() - began - sent_s < BACK_WITHIN_S
            threading.Event().wait(0.5)
        back_s = stopwatch() - began - sent_s
        stop.set()
        watcher.join()
        told = [PROVISIONAL in said for said in watched.said if WORDS in said]
        grown = max(watched.bytes) - before
        print(f"{len(messages) / sent_s:.0f} a second; told in {len(told)} of {len(watched.said)} looks; back after")
        print(f"{back_s:.1f} s; grown by {grown / 1024**2:.0f} MB")
        assert len(told) > len(watched.said) / 2
        assert all(told)
        assert grown <= GROWN_AT_MOST
