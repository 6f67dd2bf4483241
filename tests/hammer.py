"""A living house under load: messages at a pace, alone and while many ask what-if; how soon they are on the board.

    python -m tests.hammer FOLDER [--clients 50] [--seconds 120] [--per-s 10]

Real HTTP, real MLLP, the callbacks of the page of what-if and the API. On the board is a message when the board says
that it has heard of something stored no earlier than the message was acknowledged: its counts are those of the last
cycle. Prints the figures of both stretches, and what was answered to those who asked too much.
"""

from __future__ import annotations

import argparse
import json
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ingest.clock import WallClock, stopwatch
from ingest.events import Arrived, Changed, EventId, VisitId
from ingest.hl7_render import render
from ingest.sources.mllp_client import MllpClient
from tests.living import Living, living, load, seconds_until
from tests.test_dashboard_serve import get, wall
from tests.years import FINE, tell
from twin.fabricated_hospital import FabricatedHospital
from twin.fabricated_world import World

VISITS = 20
"""Who the messages are about: known to the house, and changed again and again, so that nobody more comes or goes."""
SCENARIOS = ("arrivals_up_20", "one_more_doctor", "earlier_discharges", "escalation_beds", "mass_casualty_20")
SETTINGS = """
members = 100
workers = 1
horizon_h = 12
every_min = 0.25
measure_days = 0
alert_days = 0
wall_scenarios = ["as_usual", "arrivals_up_20"]
"""
"""Of a house whose cycles come every quarter of a minute, so that a minute has some."""


@dataclass
class Paced:
    """A sender of so many messages a second: when each was acknowledged, and how long that took."""

    port: int
    per_s: float
    stop: threading.Event
    acknowledged: list[tuple[float, float]] = field(default_factory=list)
    """On the world's clock, when each was sent and when its answer came."""

    def run(self) -> None:
        """Until it is stopped."""
        clock, number = WallClock(), 0
        start = clock.now()
        with MllpClient("127.0.0.1", self.port) as client:
            while not self.stop.is_set():
                clock.sleep_until(start + timedelta(seconds=number / self.per_s), self.stop)
                began = clock.now()
                code = client.send(message_of(number, self.port))
                assert code == "AA", code
                self.acknowledged.append((began.timestamp(), clock.now().timestamp()))
                number += 1


def message_of(number: int, run: int) -> bytes:
    now, visit = WallClock().now(), VisitId(f"hammered-{number % VISITS}")
    at: dict[str, Any] = {"event_id": EventId(f"{run}-{number}-{now.timestamp()}"), "visit": visit}
    at |= {"occurred_at": now, "recorded_at": now, "source": "adt", "position": number}
    event = Arrived(**at) if number < VISITS else Changed(**at, acuity="4" if number // VISITS % 2 else "3")
    return next(render([event]))


@dataclass
class Board:
    """Looks at the board four times a second: when it looked, and what the board had heard of by then."""

    house: Living
    stop: threading.Event
    seen: list[tuple[float, float]] = field(default_factory=list)
    states: Counter[str] = field(default_factory=Counter)

    def run(self) -> None:
        """Until it is stopped."""
        while not self.stop.wait(0.25):
            told = self.house.figures()
            heard = told.get("edtwin_feed_heard_timestamp_seconds")
            if heard is not None:
                self.seen.append((WallClock().now().timestamp(), heard))
            self.states.update(n.split('"')[1] for n, v in told.items() if n.startswith("edtwin_feed_state{") and v)


@dataclass
class Client:
    """One who asks what-if, as the page does, and each fourth one the API: another question as soon as one is answered
    or refused."""

    place: str
    number: int
    body: Callable[[str, int, Any], dict[str, Any]]
    stop: threading.Event
    answers: Counter[str] = field(default_factory=Counter)

    def run(self) -> None:
        """Until it is stopped."""
        question, state = self.number, None
        while not self.stop.wait(0.5):
            if self.number % 4 == 3:
                scenarios = [SCENARIOS[question % len(SCENARIOS)]]
                status, _ = get(f"{self.place}/api/v1/runs", {"scenarios": scenarios, "members": 50})
                self.answers[f"api {status or 'no answer'}"] += 1
                question += 1
                continue
            status, text = get(f"{self.place}/_dash-update-component", self.body(_viewer(self.number), question, state))
            state = json.loads(text)["response"]["whatif-state"]["data"] if status == 200 else None
            said = state["word"][1] if state else ""
            self.answers[f"page {status or 'no answer'} {said}".strip()] += 1
            if state is None or state["whole"] or state["failed"] or said == "full":
                question, state = question + 1, None


def _viewer(number: int) -> str:
    return f"{number:08x}"


def asking(place: str) -> Callable[[str, int, Any], dict[str, Any]]:
    """What the page sends for a question of a viewer, and what it was told before."""
    found = json.loads(get(f"{place}/_dash-dependencies")[1])
    output = next(one["output"] for one in found if "whatif-said.children" in one["output"])
    outputs = [{"id": i, "property": p} for i, p in (o.split(".") for o in output.strip(".").split("..."))]

    def body(viewer: str, question: int, state: Any) -> dict[str, Any]:
        asked: dict[str, Any] = {
            "viewer": viewer, "preset": SCENARIOS[question % len(SCENARIOS)], "numbers": {}, "values": {}, "at": None,
            "n": question, "measure": "ed_census", "language": "en", "rem_px": 20, "narrow": False, "theme": "light",
        }  # fmt: skip
        return {
            "output": output, "outputs": outputs, "changedPropIds": ["whatif-asked.data"],
            "inputs": [{"id": "whatif-asked", "property": "data", "value": asked}],
            "state": [{"id": "whatif-state", "property": "data", "value": state}],
        }  # fmt: skip

    return body


@dataclass(frozen=True)
class Stretch:
    """What a stretch of time came to. Times in seconds; `wall_s`: until a page of the wall was answered."""

    clients: int
    messages: int
    acknowledged_p99_s: float
    on_board_p50_s: float
    on_board_p99_s: float
    cycles: int
    missed: int
    failed: int
    cycle_s: float
    wall_s: float
    states: dict[str, int]
    answers: dict[str, int]


def stretch(house: Living, port: int, *, clients: int, seconds: float, per_s: float = 10.0) -> Stretch:
    """So many seconds of messages at a pace, while so many ask what-if."""
    stop = threading.Event()
    sender, board, body = Paced(port, per_s, stop), Board(house, stop), asking(house.place)
    askers = [Client(house.place, number, body, stop) for number in range(clients)]
    before, walls = house.figures(), []
    with _running([sender.run, board.run, *(one.run for one in askers)], stop):
        ends = stopwatch() + seconds
        while stopwatch() < ends:
            began = stopwatch()
            wall(house.place)
            walls.append(stopwatch() - began)
            stop.wait(2.0)
    after = house.figures()
    delays = on_board_s(sender.acknowledged, board.seen)
    cycles = {n: int(after[name] - before[name]) for n in ("done", "missed", "failed") if (name := _cycles(n))}
    answers = sum((one.answers for one in askers), Counter[str]())
    return Stretch(
        clients=clients, messages=len(sender.acknowledged),
        acknowledged_p99_s=float(np.percentile([t - s for s, t in sender.acknowledged], 99)),
        on_board_p50_s=float(np.percentile(delays, 50)), on_board_p99_s=float(np.percentile(delays, 99)),
        cycles=cycles["done"], missed=cycles["missed"], failed=cycles["failed"],
        cycle_s=after["edtwin_cycle_seconds"], wall_s=float(np.max(walls)),
        states=dict(board.states), answers=dict(answers),
    )  # fmt: skip


def _cycles(outcome: str) -> str:
    return f'edtwin_cycles_total{{outcome="{outcome}"}}'


def on_board_s(acknowledged: Sequence[tuple[float, float]], seen: Sequence[tuple[float, float]]) -> list[float]:
    """From when each message was sent until the board had heard of something stored when it was acknowledged or later;
    messages of the last seconds, of which nothing later was heard, are left out.

    >>> on_board_s([(0.0, 0.1), (1.0, 1.1), (2.0, 2.1)], [(0.5, 0.05), (1.5, 1.05), (2.5, 2.05), (3.0, 2.9)])
    [1.5, 1.5, 1.0]
    """
    looked, heard = np.array([t for t, _ in seen]), np.maximum.accumulate([h for _, h in seen])
    first = np.searchsorted(heard, [t for _, t in acknowledged])
    return [float(looked[n] - sent) for n, (sent, _) in zip(first, acknowledged, strict=True) if n < len(looked)]


@contextmanager
def _running(works: Sequence[Callable[[], None]], stop: threading.Event) -> Iterator[None]:
    threads = [threading.Thread(target=work, daemon=True) for work in works]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(60)


@contextmanager
def hammered(folder: Path, days: int = 14) -> Iterator[tuple[Living, int]]:
    """A living house on some days of a small hospital told by HL7, once it shows a forecast; and its port."""
    now = WallClock().now()
    start = now - timedelta(days=days)
    tell(folder / "data", World(FabricatedHospital("congested", "small"), start, 3), start, now, 9 * FINE)
    (folder / "house.toml").write_text(SETTINGS)
    with socket.create_server(("127.0.0.1", 0)) as ear:
        port = ear.getsockname()[1]
    with ExitStack() as stack:
        options = ("--config", folder / "house.toml")
        house = stack.enter_context(living(folder / "data", folder / "said", port, *options))
        seconds_until([("ready", house.is_ready)], 300)
        yield house, port


def main() -> None:
    """Both stretches, and the one beside the other."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--per-s", type=float, default=10.0)
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True)
    with hammered(asked.folder) as (house, port):
        measure = partial(stretch, house, port, seconds=asked.seconds, per_s=asked.per_s)
        for clients in (0, asked.clients, 0):
            print(f"{measure(clients=clients)}; {load()}", flush=True)


if __name__ == "__main__":
    main()
