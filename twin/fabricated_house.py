"""The fabricated hospital at work: department and wards on one timeline, from a hidden start fourteen days early.

Everything that decides what happens next is in here and can be copied as bytes, so that the same hospital can be run
on many times with other luck.
"""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from twin.fabricated_chance import Dice
from twin.fabricated_doctors import Doctors
from twin.fabricated_emergency import Emergency
from twin.fabricated_hospital import FabricatedHospital, Intervention, LevelShift, Plant, Shift, plant_of
from twin.fabricated_patients import Epidemics, Inflow
from twin.fabricated_tests import Tests
from twin.fabricated_timeline import Action, Fact, Timeline
from twin.fabricated_wards import Wards

HIDDEN_DAYS = 14
"""Days run unseen before the first one, so that the stays in progress are as they would be."""
_FILLED_SHARE = 0.85
_EPIDEMIC_BLOCKS = 40


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The whole hospital at an instant, as bytes; `minute` counts from the hidden start."""

    minute: float
    state: bytes


class House:
    """The hospital: `run_until` lets time pass, `timeline.facts` gathers what happened."""

    def __init__(self, hospital: FabricatedHospital, start: datetime, seed: int) -> None:
        arrivals, levels, care, tests, wards, world = _dice(np.random.SeedSequence([seed, 1]), 6)
        plant = plant_of(hospital)
        self.plant: Plant = plant
        self.timeline = Timeline(hidden_start(hospital, start), hospital.zone)
        epidemics = Epidemics(world, _EPIDEMIC_BLOCKS)
        self.doctors = Doctors(self.timeline, care, plant)
        self.emergency = Emergency(self.timeline, care, plant, self.doctors)
        self.inflow = Inflow(self.timeline, arrivals, levels, epidemics, plant.arrivals_per_day, self.emergency.arrive)
        self.tests = Tests(self.timeline, tests, plant, self.doctors.review)
        self.wards = Wards(self.timeline, wards, plant, epidemics, self.inflow, self.emergency.bed_promised)
        self.ends: dict[int, tuple[Action, Any]] = {}
        """What ends each act that is on (`fabricated_acts.py`), by its number."""
        self._open()

    @property
    def minute(self) -> float:
        return self.timeline.now

    def run_until(self, minute: float) -> None:
        self.timeline.run_until(minute)

    def shift_level(self, shift: LevelShift) -> None:
        """From now on, more or fewer arrivals, longer or shorter stays."""
        self.inflow.more *= shift.arrivals
        self.timeline.slower *= shift.stays

    def begin(self, what: Intervention) -> None:
        """What people do about it, from now on."""
        if what.doctors:
            self.doctors.reinforce(what.doctors, what.hours)
        if what.beds:
            self.wards.open_more(what.beds)

    def new_hour(self, _: object = None) -> None:
        """What an hour brings: a new day's level, shifts, rounds, and the arrivals of the hour."""
        if self.timeline.read_wall_clock():
            self.inflow.new_day()
        self.doctors.change_shift()
        self.emergency.change_shift()
        self.tests.new_hour()
        self.wards.new_hour()
        self.inflow.next_group()
        self.timeline.at(self.timeline.hour_ends, self.new_hour)

    def count_all(self) -> None:
        """Note the open beds and the staff on duty, as a feed does when it begins."""
        for unit in self.wards.units.values():
            self.wards.count_beds(unit)
        self.doctors.count_staff()
        self.emergency.count_staff()

    def take_facts(self) -> list[Fact]:
        """The facts noted since the last call."""
        facts, self.timeline.facts = self.timeline.facts or [], []
        return facts

    def count_now(self) -> dict[str, int]:
        """Patients in the department, of these not yet seen by a doctor, and boarders."""
        department = self.emergency
        return {
            "ed_census": department.present,
            "ed_waiting": department.waiting,
            "ed_boarders": department.boarders,
        }

    def snapshot(self) -> Snapshot:
        """A copy of everything but the facts noted so far."""
        facts, self.timeline.facts = self.timeline.facts, None
        try:
            return Snapshot(self.minute, pickle.dumps(self, pickle.HIGHEST_PROTOCOL))
        finally:
            self.timeline.facts = facts

    @staticmethod
    def go_on(snapshot: Snapshot) -> House:
        """The hospital as it was, with its own luck: what was to come comes, unless somebody does something."""
        house: House = pickle.loads(snapshot.state)
        return house

    @staticmethod
    def resume(snapshot: Snapshot, luck: np.random.SeedSequence) -> House:
        """The hospital as it was, with other luck from here on: nothing of what was to come is known.

        What has begun keeps its elapsed time and has the rest drawn anew; the level of the present day stays.
        """
        house: House = pickle.loads(snapshot.state)
        arrivals, levels, care, tests, wards = _dice(luck, 5)
        house.inflow.dice, house.inflow.levels = arrivals, levels
        house.tests.dice, house.wards.dice = tests, wards
        house.emergency.dice = house.doctors.dice = care
        house.timeline.redraw(care)
        house.inflow.redraw()
        return house

    def _open(self) -> None:
        self.emergency.connect(self.inflow, self.tests, self.wards)
        self.doctors.report_to(
            first_sight=self.emergency.first_seen, met=self.emergency.met, reviewed=self.emergency.reviewed
        )
        self.timeline.read_wall_clock()
        self.doctors.begin(_at_midnight(self.plant))
        self.wards.fill(_FILLED_SHARE)
        self.new_hour()


def hidden_start(hospital: FabricatedHospital, start: datetime) -> datetime:
    """The local midnight from which the hospital is run, unseen, until `start`."""
    wall = start.astimezone(ZoneInfo(hospital.zone)).replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    return (wall - timedelta(days=HIDDEN_DAYS)).astimezone(start.tzinfo)


def _at_midnight(plant: Plant) -> list[Shift]:
    return [shift for shift in plant.doctor_shifts if shift.hour + shift.hours > 24]


def _dice(seed: np.random.SeedSequence, count: int) -> list[Dice]:
    return [Dice(child) for child in seed.spawn(count)]
