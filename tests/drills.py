"""An exercise of six hours: a crisis, and two decisions at the desk."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from dashboard.drill import Exercise
from dashboard.drill_decisions import Players
from dashboard.drill_script import AnyInject, inject_of
from forecast.archive import SCHEMA_SQL
from forecast.desk import Desk
from forecast.ensemble import Run
from forecast.people import Person
from forecast.points_of_view import points_of_view
from forecast.services import services_file
from forecast.study import Study
from ingest.clock import SimulatedClock
from ingest.database import SCHEMA_SQL as INGEST_SQL
from ingest.database import Database
from ingest.sources.paced import paced
from tests.histories import NOON, hospital, situation
from twin.fabricate import FabricatedHospital, World
from twin.fabricated_drill import FabricatedDrill
from twin.pathway import TABLES, load_path
from twin.scenarios import Names, catalogue

MARY = Person("mary", "Marie", "Mary", frozenset({"proposer", "manager"}))
DOCTORS: dict[str, object] = {"capacity": [{"pool": "doctor", "add": 3, "until_min": 480}]}
FASTER: dict[str, object] = {"discharges": [{"earlier_min": 120}]}
SCRIPT = (
    inject_of({"kind": "victims", "patients": 30, "over_min": 45, "at_min": 10}),
    inject_of({"kind": "outage", "hours": 0.5, "at_min": 200}),
)


class Stepped(SimulatedClock):
    """A clock that is wherever somebody waits for."""

    def sleep_until(self, instant: object, wake: threading.Event | None = None) -> bool:
        self.advance_to(instant)  # type: ignore[arg-type]
        return wake is None or not wake.is_set()


class Held:
    """An exercise, its desk and its clock."""

    def __init__(self, folder: Path, script: tuple[AnyInject, ...] = SCRIPT) -> None:
        world = World(FabricatedHospital("congested", "small"), NOON - timedelta(days=2), 11)
        world.run_until(NOON)
        self.clock = Stepped(NOON)
        how = Run(members=20, horizon_min=480.0, seed=4)
        self.exercise = Exercise(
            FabricatedDrill(world), self.clock, script, how, speed=10.0, record=folder / "told.json"
        )
        names = Names.of([hospital()], [load_path(table, hospital()) for table in TABLES])
        self.database = Database.open(folder / "sandbox.duckdb", schemas=(INGEST_SQL, SCHEMA_SQL))
        self.desk = Desk(self.database, self.clock, names, horizon_min=1440.0, zone=hospital().zone)
        study = Study(points_of_view(None), services_file(None), catalogue(), hospital(), None)
        self.exercise.join(Players(self.desk, study, situation, None, replace(hospital(), name="CHU")))

    def play(self, hours: float, decisions: dict[float, dict[str, object]]) -> int:
        """Let hours pass, with changes adopted so many hours after now; how many events were heard."""
        begun, left, heard, stop = self.clock.now(), dict(decisions), 0, threading.Event()
        steps = self.exercise._each

        def each() -> bool:
            for at in [at for at in left if self.clock.now() >= begun + timedelta(hours=at)]:
                name = self.desk.propose(MARY, f"what to do after {at:g} h", left.pop(at), hospital())
                self.desk.decide(MARY, name, "adopted", "it must be tried", hospital())
            return steps() and self.clock.now() < begun + timedelta(hours=hours)

        for batch in paced(self.exercise.drill, self.clock, stop, each):
            heard += len(batch)
        for thread in threading.enumerate():
            if thread.name == "advice":
                thread.join(60)
        return heard
