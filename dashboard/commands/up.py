"""Run everything: sources, loop, wall. Without configuration: a fabricated hospital, live."""

from __future__ import annotations

import argparse
import json
import logging
import shutil
import signal
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from math import isfinite
from pathlib import Path
from types import FrameType

from dashboard.audit.wiring import kept_where
from dashboard.commands.forgotten import finished
from dashboard.commands.ingest import CHOICES, reader
from dashboard.commands.retain import retained
from dashboard.commands.said import progress
from dashboard.commands.typed import add_address, add_executor, instant, settings_of, speed
from dashboard.errors import CommandError
from dashboard.house import DATABASE, FABRICATED, JOURNAL, House, open_house, site_of
from dashboard.retaining import QuietHour, begin_again, is_fed, is_quiet
from dashboard.settings import Settings
from dashboard.works_beside import Work
from forecast.loop import Rhythm
from ingest.clock import SimulatedClock, WallClock
from ingest.columns import to_table
from ingest.errors import EdtwinError
from ingest.log import Position
from ingest.rewriting import is_rewritten
from ingest.sources.feed import Feed
from ingest.sources.replay import Recording
from ingest.unswept import seldom_swept, unswept
from twin.fabricate import FabricatedHospital, World

logger = logging.getLogger(__name__)
_SOURCE = "fabricated"


def add_options(command: argparse.ArgumentParser) -> None:
    """The options of `edtwin up`."""
    add_address(command)
    command.add_argument("--language", choices=("fr", "en"), help="of a page that names none (default fr)")
    command.add_argument("--mllp-port", type=int, help="port that HL7 is taken on by MLLP (default 0: none)")
    command.add_argument("--mllp-mapping", type=Path, metavar="M.toml", help="mapping of the HL7 messages")
    command.add_argument(
        "--accept-gap", action="append", default=[], metavar="TOPIC", help="go on although records of it are missing"
    )
    command.add_argument("--members", type=int, help="runs of each ensemble (default 200)")
    add_executor(command)
    command.add_argument("--every", dest="every_min", type=float, metavar="MIN", help="minutes between forecasts")
    command.add_argument("--kind", choices=("roomy", "congested"), default="congested", help="of the fabricated one")
    command.add_argument("--size", choices=("small", "medium", "large"), default="large", help="of the fabricated one")
    command.add_argument("--replay", type=Path, metavar="SRC", help="a folder of data, or an extract")
    command.add_argument("--from", dest="since", type=instant, metavar="T", help="where the replay starts")
    command.add_argument("--speed", type=speed, default=60.0, metavar="N", help="how many times as fast as it was")
    command.add_argument("--wait", action="store_true", help="the replay's clock waits for a late forecast")
    command.add_argument("--format", choices=CHOICES)
    command.add_argument("--mapping", metavar="M.toml")
    command.add_argument("--extracted-at", type=instant, metavar="T")


def run(options: argparse.Namespace) -> int | None:
    """Serve until interrupted; a status where the house is to be started again."""
    settings = settings_of(options)
    if unknown := set(options.accept_gap) - set(settings.topic_formats):
        raise CommandError(f"--accept-gap must name a topic of kafka_topics, but is {', '.join(sorted(unknown))}")
    with seldom_swept(), ended_by_signals():
        if options.replay is not None:
            _replay(settings, options)
            return None
        return _live(settings, options)


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Inside the block SIGTERM, by which systems end a service, does what Ctrl-C does, and Ctrl-C is always heard."""

    def end(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


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
        return World(hospital, datetime.fromisoformat(self.start), self.seed, stores=1.0)


def _live(settings: Settings, options: argparse.Namespace) -> int | None:
    """Serve; a house that ends for its quiet hour begins again, and what is due is ended before it serves."""
    _end_what_is_due(settings)
    with open_house(settings, shows_what_is_known=True) as house:
        stop = threading.Event()
        quiet = QuietHour(house, stop)
        if is_fed(settings):
            Work("wait for the quiet hour", quiet.watch).start()
        try:
            _serve_live(house, stop, options)
        except KeyboardInterrupt:
            if not quiet.came:
                raise
    return begin_again() if quiet.came else None


def _end_what_is_due(settings: Settings) -> None:
    """In a house that is fed, at its quiet hour. Whatever hinders it is told, and the house serves."""
    if is_rewritten(settings.data / JOURNAL):
        finished(settings, None)
    if not (is_fed(settings) and (settings.data / DATABASE).exists() and _is_quiet(settings)):
        return
    try:
        retained(settings)
    except (EdtwinError, OSError) as error:
        logger.error("events that are too old could not be ended: %s", error)
        if is_rewritten(settings.data / JOURNAL):
            raise


def _is_quiet(settings: Settings) -> bool:
    return is_quiet(settings, WallClock(), site_of(settings).hospital.zone)


def _serve_live(house: House, stop: threading.Event, options: argparse.Namespace) -> None:
    fabricated = _fabricated(house, options)
    feed = _fabricated_feed(house, fabricated, stop) if fabricated and not house.indexer.missing else None
    rhythm = Rhythm(every=timedelta(minutes=house.settings.every_min))
    mode = "fabricated" if fabricated or house.settings.fabricated else "live"
    _serve(house, feed, stop, mode, rhythm, options.accept_gap)


def _fabricated(house: House, options: argparse.Namespace) -> Fabricated | None:
    """The fabricated hospital that the log is of, a new one for an empty log; None for a log of a real one."""
    told = house.settings.data / FABRICATED
    if told.exists():
        return Fabricated(**json.loads(told.read_text(encoding="utf-8")))
    settings = house.settings
    if house.log.span() is not None or settings.mllp_port or settings.kafka_topics or settings.fhir_mapping is not None:
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


def _serve(
    house: House, feed: Feed | None, stop: threading.Event, mode: str, rhythm: Rhythm, accept_gap: Sequence[str] = ()
) -> None:
    """The wall's libraries are heavy: they are imported here, so that simulating processes do without them."""
    with unswept():
        from dashboard.intake import Intake
        from dashboard.serve import serve

    intake = Intake(house, accept_gap)
    serve(house, [intake, *([feed] if feed else [])], stop, mode=mode, rhythm=rhythm, fhir=intake.fhir)


# --- replay ---------------------------------------------------------------------------------------------------------


def _replay(settings: Settings, options: argparse.Namespace) -> None:
    """The whole house on a simulated clock, in a sandbox: nothing of it reaches the data that it is made from."""
    if options.since is None:
        raise CommandError("a replay needs --from: the instant at which it starts")
    if not isfinite(options.speed):
        raise CommandError("a replay that is looked at needs a --speed in numbers")
    settings.data.mkdir(parents=True, exist_ok=True)
    sandbox = Path(tempfile.mkdtemp(prefix="sandbox-", dir=settings.data))
    clock = SimulatedClock(options.since, speed=options.speed)
    try:
        recording = _recorded(settings, options, sandbox / "source")
        alone = {
            **kept_where(settings), "data": sandbox / "replay", "mllp_port": 0, "kafka_topics": (),
            "kafka_forecasts_topic": None, "fhir_mapping": None, "fhir_token": None,
            "access_file": settings.accounts_file,
        }  # fmt: skip
        with open_house(settings.model_copy(update=alone), clock) as house:
            with clock.held():
                _store_history(house, _history(recording, options.since))
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
        raise CommandError(f"{source} holds no log, so --format must say what it is: {', '.join(CHOICES)}")
    read = reader(source, options)
    with open_house(settings.model_copy(update={"data": scratch})) as house:
        read(house)
        return Recording.of(house.log, None, house.clock.now())


def _history(recording: Recording, since: datetime) -> Recording:
    """What was known at the start; raises CommandError where the replay would have nothing before or after it."""
    history = recording.before(since)
    if not 0 < len(history.events) < len(recording.events):
        first, last = recording.span if recording.events else (None, None)
        held = f"from {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M}" if first and last else "nothing"
        raise CommandError(f"--from must lie within what is replayed, {held}, but is {since:%Y-%m-%d %H:%M}")
    return history


def _store_history(house: House, history: Recording) -> None:
    if history.events:
        house.log.append_table(to_table(history.events), Position(source="history", offset=len(history.events)))
