"""Run everything: sources, loop, wall. Without configuration: a fabricated hospital, live."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import threading
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path

from dashboard.commands.common import instant, progress, settings_of
from dashboard.commands.ingest import load
from dashboard.house import DATABASE, House, open_house
from dashboard.settings import Settings
from forecast.loop import Rhythm
from ingest.clock import SimulatedClock
from ingest.columns import to_table
from ingest.log import Position
from ingest.sources.feed import Feed
from ingest.sources.replay import Recording
from twin.errors import TwinError
from twin.fabricate import FabricatedHospital, World

FABRICATED = "fabricated.json"
"""Says, beside the database, which fabricated hospital the log is of."""
_SOURCE = "fabricated"


def add_options(command: argparse.ArgumentParser) -> None:
    """The options of `edtwin up`."""
    command.add_argument("--host")
    command.add_argument("--port", type=int)
    command.add_argument("--language", choices=("fr", "en"))
    command.add_argument("--members", type=int)
    command.add_argument("--every", dest="every_min", type=float, metavar="MIN", help="minutes between forecasts")
    command.add_argument("--kind", choices=("roomy", "congested"), default="congested", help="of the fabricated one")
    command.add_argument("--size", choices=("small", "medium", "large"), default="large")
    command.add_argument("--replay", type=Path, metavar="SRC", help="a folder of data, or an extract")
    command.add_argument("--from", dest="since", type=instant, metavar="T", help="where the replay starts")
    command.add_argument("--speed", type=float, default=60.0, metavar="N", help="how many times as fast as it was")
    command.add_argument("--wait", action="store_true", help="the replay's clock waits for a late forecast")
    command.add_argument("--format", choices=("wide", "long", "events"))
    command.add_argument("--mapping", metavar="M.toml")
    command.add_argument("--extracted-at", type=instant, metavar="T")


def run(options: argparse.Namespace) -> None:
    """Serve until interrupted."""
    settings = settings_of(options)
    if options.replay is not None:
        _replay(settings, options)
    else:
        _live(settings, options)


# --- live -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Fabricated:
    """Which fabricated hospital a log is of; the same again after a restart."""

    kind: str
    size: str
    start: str
    seed: int

    def world(self) -> World:
        """Its world, from its start on."""
        hospital = FabricatedHospital(kind=self.kind, size=self.size)  # type: ignore[arg-type]
        return World(hospital, datetime.fromisoformat(self.start), self.seed)


def _live(settings: Settings, options: argparse.Namespace) -> None:
    with open_house(settings) as house:
        stop = threading.Event()
        fabricated = _fabricated(house, options)
        feed = _fabricated_feed(house, fabricated, stop) if fabricated else None
        rhythm = Rhythm(every=timedelta(minutes=settings.every_min))
        _serve(house, feed, stop, "fabricated" if fabricated else "live", rhythm)


def _fabricated(house: House, options: argparse.Namespace) -> Fabricated | None:
    """The fabricated hospital that the log is of, a new one for an empty log; None for a log of a real one."""
    told = house.settings.data / FABRICATED
    if told.exists():
        return Fabricated(**json.loads(told.read_text(encoding="utf-8")))
    if house.log.span() is not None:
        return None
    midnight = house.clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
    start = midnight - timedelta(days=house.settings.history_days)
    made = Fabricated(options.kind, options.size, start.isoformat(), house.settings.seed)
    told.write_text(json.dumps(asdict(made)), encoding="utf-8")
    return made


def _fabricated_feed(house: House, fabricated: Fabricated, stop: threading.Event) -> Feed:
    """The history up to now stored, and the feed of what comes."""
    world = fabricated.world()
    with progress("fabricating the history") as report:
        history = world.run_until(house.clock.now(), lambda share: report(round(share * 100), 100))
    stored = house.log.position(_SOURCE)
    if history and (stored is None or stored.offset < len(history)):
        house.log.append_table(to_table(history), Position(source=_SOURCE, offset=len(history)))
    return Feed(house.log, _SOURCE, world.live(house.clock, stop), stop)


def _serve(house: House, feed: Feed | None, stop: threading.Event, mode: str, rhythm: Rhythm) -> None:
    """The wall's libraries are heavy: they are imported here, so that simulating processes do without them."""
    from dashboard.serve import serve

    settings = house.settings
    print(f"the wall is at http://{settings.host}:{settings.port}/ (Ctrl-C ends)", file=sys.stderr, flush=True)
    serve(house, [feed] if feed else [], stop, mode=mode, rhythm=rhythm)


# --- replay ---------------------------------------------------------------------------------------------------------


def _replay(settings: Settings, options: argparse.Namespace) -> None:
    """The whole house on a simulated clock, in a sandbox: nothing of it reaches the data that it is made from."""
    if options.since is None:
        raise TwinError("a replay needs --from: the instant at which it starts")
    settings.data.mkdir(parents=True, exist_ok=True)
    sandbox = Path(tempfile.mkdtemp(prefix="sandbox-", dir=settings.data))
    clock = SimulatedClock(options.since, speed=options.speed)
    try:
        recording = _recorded(settings, options, sandbox / "source")
        with open_house(settings.model_copy(update={"data": sandbox / "replay"}), clock) as house:
            with clock.held():
                _store_history(house, recording.before(options.since))
            stop = threading.Event()
            feed = Feed(house.log, "replay", recording.after(options.since).deliver(clock, stop), stop)
            rhythm = Rhythm(every=timedelta(minutes=settings.every_min), wait=options.wait)
            _serve(house, feed, stop, "replay", rhythm)
    finally:
        shutil.rmtree(sandbox, ignore_errors=True)


def _recorded(settings: Settings, options: argparse.Namespace, scratch: Path) -> Recording:
    """What is replayed: a folder that holds a log, or an extract read into a log of the sandbox."""
    source: Path = options.replay
    if source.is_dir() and (source / DATABASE).exists():
        with open_house(settings.model_copy(update={"data": source})) as house:
            return Recording.of(house.log, None, house.clock.now())
    if options.format is None:
        raise TwinError(f"{source} holds no log, so --format must say what it is: wide, long or events")
    with open_house(settings.model_copy(update={"data": scratch})) as house:
        load(house, source, options)
        return Recording.of(house.log, None, house.clock.now())


def _store_history(house: House, history: Recording) -> None:
    if history.events:
        house.log.append_table(to_table(history.events), Position(source="history", offset=len(history.events)))
