"""A living house as a process, fed with HL7 as a hospital does it, for campaigns: started, asked, killed, back."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ingest.clock import WallClock, stopwatch
from ingest.errors import LinkError
from ingest.hl7_render import render
from ingest.sources.mllp_client import MllpClient, Patience
from tests.processes import children, cpu_s
from tests.test_dashboard_serve import get, running
from tests.years import MAPPING
from twin.fabricated_world import World

_FIGURE = re.compile(r"^(\w+)(?:\{([^}]*)\})? (\S+)$")


@dataclass(frozen=True)
class Living:
    """A house that runs."""

    process: subprocess.Popen[bytes]
    place: str

    def figures(self) -> dict[str, float]:
        """What `/metrics` tells, by name and labels; nothing where nobody answers."""
        return figures_of(get(f"{self.place}/metrics")[1])

    def is_ready(self) -> bool:
        """Whether it says that it can do its work."""
        return get(f"{self.place}/readyz")[0] == 200

    def state(self) -> str:
        """The state of its feed, as the board has it; empty where nobody answers."""
        states = (name for name, value in self.figures().items() if name.startswith("edtwin_feed_state{") and value)
        return next((name.split('"')[1] for name in states), "")

    def cpu_s(self) -> float:
        """How long it and the children that it has have kept processors busy."""
        return cpu_s(self.process.pid, *children(self.process.pid))

    def kill(self) -> None:
        """End the house as a failing machine does; its children are left to themselves."""
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()


def figures_of(text: str) -> dict[str, float]:
    """The figures of a text in Prometheus's form, by name and labels."""
    found = (_FIGURE.match(line) for line in text.splitlines() if not line.startswith("#"))
    return {f"{m[1]}{{{m[2]}}}" if m[2] else m[1]: float(m[3]) for m in found if m}


@contextmanager
def living(folder: Path, said: Path, mllp_port: int, *options: str | Path) -> Iterator[Living]:
    """`edtwin up` on a folder of data, which takes HL7 at a port; what it says is in `said`. Nothing of it is left."""
    said.mkdir(exist_ok=True)
    fed = ("--data", folder, "--mllp-port", str(mllp_port), "--mllp-mapping", MAPPING)
    with running(said, *fed, *options) as (process, place):
        yield Living(process, place)


@dataclass
class Adt:
    """A hospital's system: tells what happens by MLLP when it happens, and again until it is taken."""

    world: World
    port: int
    stop: threading.Event = field(default_factory=threading.Event)
    taken: int = 0

    def run(self) -> None:
        """Until it is stopped."""
        patience = Patience(tries=10_000, tries_once_known=10_000, pause_s=0.1, longest_pause_s=0.5, answer_s=10)
        with MllpClient("127.0.0.1", self.port, patience) as client:
            for events in self.world.live(WallClock(), self.stop):
                for message in render(events):
                    try:
                        client.send(message)
                    except LinkError:
                        return
                    self.taken += 1
                    if self.stop.is_set():
                        return


@contextmanager
def telling(adt: Adt) -> Iterator[Adt]:
    """The hospital tells while the block lasts."""
    thread = threading.Thread(target=adt.run, daemon=True)
    thread.start()
    try:
        yield adt
    finally:
        adt.stop.set()
        thread.join(30)


def load() -> str:
    """How busy the machine is, for a figure to be told with."""
    return f"load {os.getloadavg()[0]:.1f}, {os.cpu_count()} processors"


def seconds_until(come: Sequence[tuple[str, object]], at_most_s: float) -> dict[str, float]:
    """Seconds from now until each of the named conditions held for the first time; raises where one never did."""
    began, left, found = stopwatch(), dict(come), {}
    while left:
        for name in [name for name, holds in left.items() if holds()]:  # type: ignore[operator]
            found[name] = stopwatch() - began
            del left[name]
        assert stopwatch() - began < at_most_s, f"did not come within {at_most_s} s: {', '.join(left)}"
        threading.Event().wait(0.1)
    return found
