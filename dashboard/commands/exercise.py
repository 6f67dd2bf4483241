"""A drill on a sandbox copy of the hospital: a crisis is put in, players act through the desk, and it is debriefed.

The world of the fabricated hospital is run on by its own law; that of any other is one run of the twin from its log.
"""

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
from functools import partial
from pathlib import Path

from dashboard.audit.wiring import kept_where
from dashboard.commands.calibrate import AFTER_THE_END, learned
from dashboard.commands.said import progress, say
from dashboard.commands.typed import add_address, add_executor, instant, settings_of, speed
from dashboard.commands.up import Fabricated, ended_by_signals
from dashboard.drill import MODE, Exercise
from dashboard.drill_copy import copy_desk, copy_log
from dashboard.drill_decisions import Held
from dashboard.drill_record import as_text, read_record
from dashboard.drill_script import AnyInject, load_script
from dashboard.drill_world import DrillWorld
from dashboard.errors import CommandError
from dashboard.house import DATABASE, FABRICATED, JOURNAL, House, open_house
from dashboard.settings import Settings
from forecast.adopted import untold
from forecast.drawn_drill import DrawnDrill, seed_of
from forecast.loop import Rhythm
from forecast.proposals import Proposal
from forecast.situation import Situation, situation_of
from ingest.clock import Clock, SimulatedClock, WallClock
from ingest.columns import to_table
from ingest.log import Position
from twin.described import basis_of, sentence_of
from twin.fabricate import World
from twin.fabricated_drill import FabricatedDrill
from twin.memory import Memory
from twin.scenarios import Scenario
from twin.settled import learnable_from
from twin.state import State

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
    add_address(command)
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
        _hold(alone, settings, plan)


@dataclass(frozen=True)
class Plan:
    """An exercise to be held: of which hospital, when, how fast, with what, and where it is kept."""

    fabricated: Fabricated | None
    """None for the hospital whose log the folder of the data holds."""
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
    if fabricated is not None:
        first = datetime.fromisoformat(fabricated.start) + LEAST_HISTORY
        require_known(first, since, now)
    elif since > now:
        raise CommandError(f"--from must not lie in the future, but is {since:%Y-%m-%d %H:%M} UTC")
    script = load_script(options.script) if options.script else ()
    require_port(settings)
    record = options.record or settings.data / RECORDS / f"exercise-{now:%Y%m%dT%H%M%S}.json"
    return Plan(fabricated, since, options.speed, script, record)


def require_known(first: datetime, since: datetime, last: datetime) -> None:
    """Raise CommandError for a beginning that is not within what is known."""
    if not first <= since <= last:
        held = f"from {first:%Y-%m-%d %H:%M} (its log and the days to learn from) to {last:%Y-%m-%d %H:%M}"
        raise CommandError(f"--from must lie within what is known, {held} UTC, but is {since:%Y-%m-%d %H:%M}")


def _instant(text: str) -> datetime:
    try:
        return instant(text)
    except argparse.ArgumentTypeError as error:
        raise CommandError(f"--from must be now, or {str(error).removeprefix('an instant must be ')}") from error


def _fabricated(settings: Settings, options: argparse.Namespace, now: datetime) -> Fabricated | None:
    """The fabricated hospital that the data are of; a new one where there are none; None for the log of a real one."""
    told = settings.data / FABRICATED
    if told.exists():
        return Fabricated(**json.loads(told.read_text(encoding="utf-8")))
    if (settings.data / DATABASE).exists() or (settings.data / JOURNAL).exists():
        return None
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
            **kept_where(settings), "data": place / "exercise", "mllp_port": 0, "kafka_topics": (),
            "kafka_forecasts_topic": None, "fhir_mapping": None, "fhir_token": None,
            "access_file": settings.accounts_file,
        })  # fmt: skip
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _hold(alone: Settings, live: Settings, plan: Plan) -> None:
    """Fill the sandbox, make its world, and serve it until it is interrupted."""
    from dashboard.serve import serve

    clock = SimulatedClock(plan.since, speed=plan.speed)
    with open_house(alone, clock) as house:
        with clock.held():
            exercise, held = made(house, live, plan)
        stop = threading.Event()
        rhythm = Rhythm(every=timedelta(minutes=alone.every_min))
        feed = exercise.feed(house.log, stop)
        try:
            serve(house, [feed], stop, mode=MODE, rhythm=rhythm, exercise=exercise, held=held)
        finally:
            exercise.save()


def made(house: House, live: Settings, plan: Plan) -> tuple[Exercise, Held]:
    """The exercise, its sandbox filled from the live folder, and what holds in it of what was adopted before."""
    held: Held
    if plan.fabricated is not None:
        world = plan.fabricated.world()
        store_history(house, world, plan.since)
        exercise, held = exercise_of(house, world, plan), Proposal.carried_at
    else:
        situation, state = situation_at(house, live, plan.since)
        exercise = exercise_in(house, DrawnDrill(situation, seed_of(live.seed)), plan)
        held = partial(held_at, state)
    copy_desk(live.data, house, plan.since)
    return exercise, held


def store_history(house: House, world: World, since: datetime) -> None:
    """The past of the fabricated hospital up to an instant, in the sandbox's log."""
    with progress("fabricating the history") as report:
        history = world.run_until(since, lambda share: report(round(share * 100), 100))
    house.log.append_table(to_table(history), Position(source="history", offset=len(history)))


def exercise_of(house: House, world: World, plan: Plan) -> Exercise:
    """The exercise that begins where a fabricated world is."""
    return exercise_in(house, FabricatedDrill(world), plan)


def exercise_in(house: House, world: DrillWorld, plan: Plan) -> Exercise:
    """The exercise in a world; raises EdtwinError for a script that asks for what it cannot know."""
    return Exercise(world, house.clock, plan.script, house.run(), speed=plan.speed, record=plan.record)


def situation_at(house: House, live: Settings, since: datetime) -> tuple[Situation, State]:
    """The hospital as its log knew it at an instant, which the sandbox's log then holds.

    Raises CommandError for an instant of which the log tells nothing, or before it had taught enough.
    """
    span = copy_log(live, house, house.settings.data.parent / "source", since)
    memory = Memory(house.log)
    state = memory.at(since)
    first = learnable_from(state) or span.first_occurred_at + LEAST_HISTORY
    require_known(first, since, span.last_known_at + AFTER_THE_END)
    calibration = learned(house, memory, since)
    if calibration.described is not None and not house.site.keeps_path:
        basis = sentence_of(basis_of(calibration) or {})
        raise CommandError(f"an exercise takes a hospital that the twin has learned, but at --from: {basis}")
    return situation_of(state, calibration, since), state


def held_at(state: State, one: Proposal, at: datetime) -> Scenario | None:
    """What holds of a proposal at an instant and is not in what the log tells: beds that were counted since are."""
    rest = one.carried_at(at)
    left = untold(rest, one, state, at) if rest is not None else None
    return left if left is not None and left.change.changes else None
