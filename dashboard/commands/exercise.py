"""A drill on a sandbox copy of the hospital: a crisis is put in, players act through the desk, and it is debriefed."""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from dashboard.commands.common import add_executor, instant, progress, say, settings_of, speed
from dashboard.commands.up import FABRICATED, Fabricated, ended_by_signals
from dashboard.drill import MODE, Exercise
from dashboard.drill_record import as_text, read_record
from dashboard.drill_script import AnyInject, load_script
from dashboard.errors import CommandError
from dashboard.house import DATABASE, House, open_house
from dashboard.settings import Settings
from forecast.loop import Rhythm
from ingest.clock import Clock, SimulatedClock, WallClock
from ingest.columns import to_table
from ingest.log import Position
from twin.fabricate import World
from twin.fabricated_drill import Drill

RECORDS = "exercises"
"""The folder of the records, in the data's."""
SPEEDS = (0.1, 120.0)
LEAST_HISTORY = timedelta(days=10)
"""The twin learns from so much before an exercise begins, at least."""


def add_options(command: argparse.ArgumentParser) -> None:
    """The options of `edtwin exercise`."""
    command.add_argument("--from", dest="since", metavar="T", default="now", help="when it begins (default now)")
    command.add_argument("--speed", type=speed, default=1.0, metavar="N", help="how many times as fast as the world")
    command.add_argument("--script", type=Path, metavar="DRILL.toml", help="what is put in, and when")
    command.add_argument("--record", type=Path, metavar="FILE.json", help="where the debrief is kept")
    command.add_argument("--debrief", type=Path, metavar="FILE.json", help="tell the debrief of a record, and no more")
    command.add_argument("--host", help="address to serve on; there is no sign-in yet (default 127.0.0.1)")
    command.add_argument("--port", type=int, help="port to serve on (default 8050)")
    command.add_argument("--language", choices=("fr", "en"), help="of a page that names none (default fr)")
    command.add_argument("--members", type=int, help="runs of each ensemble (default 200)")
    add_executor(command)
    command.add_argument("--every", dest="every_min", type=float, metavar="MIN", help="minutes between forecasts")
    command.add_argument("--kind", choices=("roomy", "congested"), default="congested", help="of a new fabricated one")
    command.add_argument("--size", choices=("small", "medium", "large"), default="large", help="of a new one")


def run(options: argparse.Namespace) -> None:
    """Hold an exercise until it is interrupted; or tell the debrief of one."""
    if options.debrief is not None:
        record = read_record(options.debrief)
        say(options, record, lambda: "\n".join(as_text(record)))
        return
    settings = settings_of(options)
    plan = planned(settings, options, WallClock())
    with ended_by_signals(), sandbox(settings) as alone:
        _hold(alone, plan)


@dataclass(frozen=True)
class Plan:
    """An exercise to be held: of which hospital, when, how fast, with what, and where it is kept."""

    fabricated: Fabricated
    since: datetime
    speed: float
    script: tuple[AnyInject, ...]
    record: Path


def planned(settings: Settings, options: argparse.Namespace, clock: Clock) -> Plan:
    """What the options ask for; raises EdtwinError where it cannot be. Nothing is made."""
    from dashboard.serve import require_port

    low, high = SPEEDS
    if not low <= options.speed <= high:
        raise CommandError(f"--speed of an exercise must be {low:g} to {high:g}, but is {options.speed:g}")
    now = clock.now()
    since = now if options.since == "now" else _instant(options.since)
    fabricated = _fabricated(settings, options, now)
    first = datetime.fromisoformat(fabricated.start) + LEAST_HISTORY
    if not first <= since <= now:
        held = f"from {first:%Y-%m-%d %H:%M} (its log and the days to learn from) to now, {now:%Y-%m-%d %H:%M}"
        raise CommandError(f"--from must lie within what is known, {held} UTC, but is {since:%Y-%m-%d %H:%M}")
    script = load_script(options.script) if options.script else ()
    require_port(settings)
    record = options.record or settings.data / RECORDS / f"exercise-{now:%Y%m%dT%H%M%S}.json"
    return Plan(fabricated, since, options.speed, script, record)


def _instant(text: str) -> datetime:
    try:
        return instant(text)
    except argparse.ArgumentTypeError as error:
        raise CommandError(f"--from must be now, or {str(error).removeprefix('an instant must be ')}") from error


def _fabricated(settings: Settings, options: argparse.Namespace, now: datetime) -> Fabricated:
    """The fabricated hospital that the data are of; a new one where there are none.

    Raises CommandError for the log of a real one.
    """
    told = settings.data / FABRICATED
    if told.exists():
        return Fabricated(**json.loads(told.read_text(encoding="utf-8")))
    if (settings.data / DATABASE).exists():
        raise CommandError(
            f"{settings.data} holds the log of a hospital of which no world can be run on: an exercise is held on the "
            "fabricated hospital (a folder that edtwin up made, or an empty one)"
        )
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    start = midnight - timedelta(days=settings.history_days)
    return Fabricated(options.kind, options.size, start.isoformat(), settings.seed)


@contextmanager
def sandbox(settings: Settings) -> Iterator[Settings]:
    """The settings of a house of its own, that nothing comes to and nothing leaves; it is removed at the end."""
    settings.data.mkdir(parents=True, exist_ok=True)
    place = Path(tempfile.mkdtemp(prefix="sandbox-", dir=settings.data))
    try:
        yield settings.model_copy(update={
            "data": place / "exercise", "mllp_port": 0, "kafka_topics": (), "kafka_forecasts_topic": None,
            "fhir_mapping": None, "fhir_token": None,
        })  # fmt: skip
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _hold(alone: Settings, plan: Plan) -> None:
    from dashboard.serve import serve

    clock = SimulatedClock(plan.since, speed=plan.speed)
    with open_house(alone, clock) as house:
        with clock.held():
            world = plan.fabricated.world()
            store_history(house, world, plan.since)
            exercise = exercise_of(house, world, plan)
        stop = threading.Event()
        rhythm = Rhythm(every=timedelta(minutes=alone.every_min))
        try:
            serve(house, [exercise.feed(house.log, stop)], stop, mode=MODE, rhythm=rhythm, exercise=exercise)
        finally:
            exercise.save()


def store_history(house: House, world: World, since: datetime) -> None:
    """The past of the fabricated hospital up to an instant, in the sandbox's log."""
    with progress("fabricating the history") as report:
        history = world.run_until(since, lambda share: report(round(share * 100), 100))
    house.log.append_table(to_table(history), Position(source="history", offset=len(history)))


def exercise_of(house: House, world: World, plan: Plan) -> Exercise:
    """The exercise that begins where the world is."""
    return Exercise(Drill(world), house.clock, plan.script, house.run(), speed=plan.speed, record=plan.record)
