"""How fast the wall is served: a hundred viewers of a board that changes at each of their ticks, and one that opens it.

    python -m tests.bench_wall [--viewers 100] [--tick 10] [--ticks 4]

The server is a process of its own, kept to one core; the viewers ask as a browser does, spread over the tick. Prints
the time of the server's processor for each answer, how long viewers wait, and what an answer weighs. With chromium also
how soon a page that was never opened shows its first figure.
"""

from __future__ import annotations

import argparse
import http.client
import json
import multiprocessing
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import sync_playwright
from waitress.server import create_server

from dashboard.app import WallSettings, build_app
from dashboard.bench.timing import machine
from dashboard.serve import WEB_THREADS
from ingest.clock import stopwatch
from tests.boards import MADE_AT, ordinary
from tests.chromium import CHROMIUM, launch

CALLBACK = "/_dash-update-component"
PATIENCE_S = 60.0


@contextmanager
def kept_to(core: int) -> Iterator[None]:
    """Keep this process to one core meanwhile, where the system can."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {sorted(cores)[core % len(cores)]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


def serve(line: Connection, tick_s: float) -> None:
    """The house's web server on one core, with another board at each tick."""
    began = stopwatch()

    def board() -> Any:
        minute = int((stopwatch() - began) / tick_s)
        return replace(ordinary(), made_at=MADE_AT + timedelta(minutes=minute))

    app = build_app(board, WallSettings()).server
    with kept_to(0):
        server = create_server(app, host="127.0.0.1", port=0, threads=WEB_THREADS, connection_limit=400)
        threading.Thread(target=server.run, daemon=True).start()
        line.send(server.effective_port)
        line.recv()


@contextmanager
def house(tick_s: float) -> Iterator[tuple[int, int]]:
    """The server's port and process."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    child = context.Process(target=serve, args=(there, tick_s))
    child.start()
    try:
        yield here.recv(), child.pid or 0
    finally:
        here.send(None)
        child.join(PATIENCE_S)


@dataclass(frozen=True)
class Answer:
    """One answer to a viewer's tick."""

    waited_s: float
    bytes: int
    is_full: bool


def asked(port: int) -> dict[str, Any]:
    """What a page sends at a tick."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    line.request("GET", "/_dash-dependencies")
    [output] = [one["output"] for one in json.loads(line.getresponse().read()) if "beat" in one["output"]]
    line.close()
    screen = {"tick": 1, "language": "fr", "rem_px": 20, "narrow": False, "path": "/", "number": 1, "query": ""}
    return {
        "output": output,
        "outputs": [{"id": i, "property": p} for i, p in (o.split(".") for o in output.strip(".").split("..."))],
        "inputs": [{"id": "screen", "property": "data", "value": screen}],
        "state": [{"id": "version", "property": "data", "value": None}],
        "changedPropIds": ["screen.data"],
    }


def view(port: int, body: bytes, times: list[float], answers: list[Answer]) -> None:
    """One viewer, who asks at some moments over a connection that stays open."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    headers = {"Content-Type": "application/json", "Accept-Encoding": "gzip, deflate, br, zstd"}
    pause = threading.Event()
    for at in times:
        pause.wait(max(0.0, at - stopwatch()))
        began = stopwatch()
        line.request("POST", CALLBACK, body, headers)
        told = line.getresponse().read()
        answers.append(Answer(stopwatch() - began, len(told), len(told) > 2_000))
    line.close()


def had_s(pid: int) -> float:
    """Seconds of the processor that a process has had."""
    fields = Path("/proc", str(pid), "stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def many(viewers: int, tick_s: float, ticks: int) -> str:
    """A hundred viewers: what an answer costs the server, and how long it is waited for."""
    with house(tick_s) as (port, pid), kept_to(1):
        body = json.dumps(asked(port)).encode()
        view(port, body, [stopwatch()] * 3, [])  # what is loaded once
        answers: list[Answer] = []
        start, spread = stopwatch() + 1.0, np.random.default_rng(1).uniform(0.0, tick_s, viewers)
        moments = [[start + float(at) + k * tick_s for k in range(ticks)] for at in spread]
        threads = [threading.Thread(target=view, args=(port, body, times, answers)) for times in moments]
        before = had_s(pid)
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        used = had_s(pid) - before
    waited = 1e3 * np.array([one.waited_s for one in answers])
    weigh = np.mean([one.bytes for one in answers]) / 1e3
    assert all(one.is_full for one in answers)
    p50, p99 = np.quantile(waited, [0.5, 0.99])
    return (
        f"{viewers} viewers, a new board every {tick_s:g} s: {1e3 * used / len(answers):.1f} ms of one core an answer; "
        f"waited {p50:.0f} ms, p99 {p99:.0f} ms, longest {waited.max():.0f} ms; {weigh:.0f} kB an answer"
    )


def first_paint() -> str:
    """How soon the wall shows its first figure, and all of its charts, in a browser that has never been there; and how
    long the page itself was at work until then, which a machine that others use does not lengthen as much."""
    with house(10.0) as (port, _), sync_playwright() as playwright:
        browser, times = launch(playwright), []
        for _ in range(5):
            context = browser.new_context(viewport={"width": 1920, "height": 1080})
            page = context.new_page()
            line = context.new_cdp_session(page)
            line.send("Performance.enable", {"timeDomain": "threadTicks"})
            page.goto(f"http://127.0.0.1:{port}/")
            figure = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
            page.locator("#chart-free_beds .main-svg").first.wait_for(timeout=1e3 * PATIENCE_S)
            charts = page.evaluate("performance.now()")
            told = {one["name"]: one["value"] for one in line.send("Performance.getMetrics")["metrics"]}
            times.append((figure, charts, 1e3 * told["TaskDuration"]))
            context.close()
        browser.close()
    figure, charts, worked = np.median(np.array(times), axis=0) / 1e3
    return (
        f"a page opened for the first time: first figures after {figure:.1f} s, all charts after {charts:.1f} s, "
        f"{worked:.1f} s of the processor in its main thread"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--viewers", type=int, default=100)
    parser.add_argument("--tick", type=float, default=10.0, help="seconds from one tick of a viewer to the next")
    parser.add_argument("--ticks", type=int, default=4, help="ticks of each viewer")
    told = parser.parse_args()
    print(machine(), flush=True)
    print(many(told.viewers, told.tick, told.ticks), flush=True)
    if CHROMIUM.exists():
        print(first_paint(), flush=True)
    print(machine(), flush=True)


if __name__ == "__main__":
    main()
