"""The identical twin: a hospital that obeys the twin's OWN law, the one place where that law makes the truth.

Whatever the twin learns of such a hospital can be held against what is true of it, and its forecasts against those of
an oracle that knows the true parameters and where everybody truly stands. What is left over is the price of learning
and of not seeing. Everywhere else the truth obeys another law (`fabricate.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

import numpy as np
import numpy.typing as npt

from ingest.events import (
    RANK,
    Arrived,
    BedsCounted,
    Departed,
    Event,
    EventId,
    LeftDuringCare,
    LeftWithoutBeingSeen,
    StaffOnDuty,
    UnitId,
)
from twin.calibrate import Calibration
from twin.errors import TwinError
from twin.fate import Fate, cast
from twin.leaving import HOUR_MIN, Timeline, lasted
from twin.luck import draw
from twin.measures import inside
from twin.minutes import Minutes
from twin.model import run
from twin.present import Present
from twin.stages import WANTED
from twin.story import NOWHERE, Array, Index, Story, Visits
from twin.tell import events as told_as_events

Flags = npt.NDArray[np.bool_]
Mark = tuple[float, int, int, int, int]

SOURCE = "identical"
_HIDING = 0x1D
_DRAWING = 0x1DE
__all__ = ["SOURCE", "Lived", "TrueState", "hidden", "live"]


@dataclass(frozen=True, eq=False)
class Lived:
    """Some days of a hospital that obeys a law of the path `milestones`, from empty on."""

    law: Calibration
    start: datetime
    days: int
    fate: Fate
    story: Story

    @cached_property
    def visits(self) -> Visits:
        """What truly happened, one row a visit; minutes from `start`."""
        return Visits.of(self.story, self.fate.acuity)

    def census(self, at: Sequence[datetime]) -> Array:
        """The true census of the department at some instants."""
        grid_min = Minutes(self.start).of_many(at)
        return np.asarray(inside(self.visits.arrived_min, self.visits.departed_min, grid_min))

    def events(self) -> list[Event]:
        """All that the hospital tells, as it happens: visits, beds, doctors on duty; in the order of the world."""
        hospital = self.law.hospital
        told = told_as_events(
            self.story, self.start, units=[u.name for u in hospital.units], acuities=hospital.acuities,
            acuity=self.fate.acuity, source=SOURCE,
        )  # fmt: skip
        ages = [c.age_band for c in self.law.parameters.classes]
        age_of = {
            f"{SOURCE}/{v}": ages[c] for v, c in zip(self.fate.visit.tolist(), self.fate.cls.tolist(), strict=True)
        }
        aged = [_aged(event, age_of) if isinstance(event, Arrived) else event for event in told]
        return [*self._beds(), *self._doctors(), *aged]

    def _beds(self) -> Iterator[Event]:
        for ward in self.law.hospital.wards:
            if ward.name in self.law.beds_known:
                yield BedsCounted(
                    event_id=EventId(f"{SOURCE}/beds/{ward.name}"), occurred_at=self.start, known_at=self.start,
                    source=SOURCE, unit=UnitId(ward.name), count=ward.places,
                )  # fmt: skip

    def _doctors(self) -> Iterator[Event]:
        minutes = Minutes(self.start)
        for minute, count in self.law.hospital.capacity("doctor", self.start, self.days * 1440.0):
            at = minutes.at(minute)
            yield StaffOnDuty(
                event_id=EventId(f"{SOURCE}/doctor/{minute:g}"), occurred_at=at, known_at=at, source=SOURCE,
                pool="doctor", count=count,
            )  # fmt: skip

    # --- where everybody truly stands -------------------------------------------------------------------------------

    def true_state(self, at: datetime) -> TrueState:
        """Who is here at an instant, in which stage, since when."""
        at_min = Minutes(self.start).of(at)
        rows = np.flatnonzero((self._came_min <= at_min) & (at_min < self._gone_min))
        places = [self._place(int(row), at_min) for row in rows]
        since = np.array([since for *_, since in places], dtype=np.float64)
        names = [name for name, *_ in places]
        unit = np.array([self._unit(int(row), name) for row, name in zip(rows, names, strict=True)], dtype=np.int64)
        return TrueState(
            at=at,
            cls=self.fate.cls[rows],
            block=self.fate.block[rows],
            unit=unit,
            stage=np.array([self.law.path.index(name) for name in names], dtype=np.int64),
            serving=np.array([serving for _, serving, _ in places], dtype=bool),
            since_min=since - at_min,
            arrived_min=self._came_min[rows] - at_min,
            load=self._loads(rows, since),
            history=Story.of(
                [
                    mark
                    for i, row in enumerate(rows)
                    for mark in self._history(int(row), names[i], int(unit[i]), i, at_min)
                ]
            ),
        )

    @cached_property
    def _at(self) -> dict[int, Array]:
        """The minute of the last mark of each kind of each visit; NaN where there is none."""
        out = {}
        for kind in np.unique(self.story.kind):
            mine = self.story.kind == kind
            out[int(kind)] = np.full(self.fate.acuity.size, np.nan)
            out[int(kind)][self.story.visit[mine]] = self.story.at_min[mine]
        return out

    def _when(self, kind: str, row: int) -> float:
        found = self._at.get(RANK[kind])
        return float("nan") if found is None else float(found[self.fate.visit[row]])

    @cached_property
    def _came_min(self) -> Array:
        return self.fate.at_min

    @cached_property
    def _gone_min(self) -> Array:
        """When each row has left the hospital and given back its bed; inf where it has not yet."""
        visit, never = self.fate.visit, np.full(self.fate.acuity.size, np.nan)
        left = self._at.get(RANK["LeftWard"], never)[visit]
        to_bed = (self.fate.stage == self.law.path.index("bed_cleaning")).any(axis=1)
        out = np.where(to_bed, left + self._lasting("bed_cleaning"), self.visits.departed_min[visit])
        unseen = self._at.get(RANK["LeftWithoutBeingSeen"], never)[visit]
        out = np.where(np.isnan(unseen), out, unseen)
        return np.where(np.isnan(out), np.inf, out)

    def _lasting(self, stage: str) -> Array:
        """How long a stage lasts for each row whose route has it, under the lightest load; 0 for the others."""
        at = self.fate.stage == self.law.path.index(stage)
        return np.where(at.any(axis=1), (self.fate.minutes[:, :, 0] * at).sum(axis=1), 0.0)

    @cached_property
    def _search_min(self) -> Array:
        return self._lasting("bed_search")

    def _place(self, row: int, at_min: float) -> tuple[str, bool, float]:
        """The stage of a row, whether it has begun, and since when it lasts or is queued for."""
        return next(place for place in reversed(self._way(row)) if place[2] <= at_min)

    def _way(self, row: int) -> list[tuple[str, bool, float]]:
        """The stages of a row in turn, each with since when; NaN for what has not come."""
        route = {self.law.path.names[k] for k in self.fate.stage[row].tolist() if k >= 0}
        left = ("bed_cleaning", True, self._when("LeftWard", row))
        came = float(self._came_min[row])
        if "planned" in route:
            return [("planned", False, came), ("planned", True, self._when("EnteredWard", row)), left]
        triaged, seen = self._when("Triaged", row), self._when("SeenByProvider", row)
        arrival = ("arrival", True, came)
        if "leaving" in route:
            return [arrival, ("leaving", True, triaged)]
        contact = "contact_admit" if "contact_admit" in route else "contact_home"
        way = [arrival, (contact, False, triaged), (contact, True, seen)]
        decided = self._when("DecidedToAdmit", row)
        if contact == "contact_home":
            return [*way, ("discharge", True, self._when("DecidedToDischarge", row))]
        if "elsewhere" in route:
            return [*way, ("elsewhere", True, decided)]
        search, boarding = decided, decided + float(self._search_min[row])
        ward = ("ward", True, self._when("Departed", row))
        return [*way, ("bed_search", True, search), ("boarding", False, boarding), ward, left]

    def _unit(self, row: int, stage: str) -> int:
        if not self.law.path.situations[self.law.path.index(stage)].wants:
            return NOWHERE
        entered = self._entered[self.fate.visit[row]]
        return int(entered if stage in ("ward", "bed_cleaning") and entered >= 0 else self.fate.unit[row].max())

    @cached_property
    def _entered(self) -> Index:
        """The ward that each visit entered from the department, which need not be the one wanted; -1 for none."""
        out = np.full(self.fate.acuity.size, NOWHERE, dtype=np.int64)
        mine = (self.story.kind == RANK["Departed"]) & (self.story.unit >= 0)
        out[self.story.visit[mine]] = self.story.unit[mine]
        return out

    def _loads(self, rows: Index, since_min: Array) -> Index:
        """The load class that each stage began in."""
        census = inside(self.visits.arrived_min, self.visits.departed_min, since_min)
        edges = self.fate.edges[self.fate.block[rows]]
        return np.asarray((census[:, None] >= edges).sum(axis=1), dtype=np.int64)

    def _history(self, row: int, stage: str, unit: int, visit: int, at_min: float) -> Iterator[Mark]:
        """What has happened to a row, as `known.py` tells it: in the department its milestones, else its ward."""
        if stage in ("ward", "planned"):
            began = self._when("Departed" if stage == "ward" else "EnteredWard", row)
            if began <= at_min:
                yield began - at_min, RANK["EnteredWard"], visit, unit, NOWHERE
        elif stage != "bed_cleaning":
            for kind in ("Arrived", "Triaged", "SeenByProvider", "DecidedToAdmit"):
                if (at := self._when(kind, row)) <= at_min:
                    yield at - at_min, RANK[kind], visit, NOWHERE, NOWHERE


@dataclass(frozen=True, eq=False)
class TrueState:
    """Where everybody truly stands at an instant: all but what luck has in store, minutes from it; as in `Present`."""

    at: datetime
    cls: Index
    block: Index
    unit: Index
    stage: Index
    serving: Flags
    since_min: Array
    arrived_min: Array
    load: Index
    """The load class that the stage began in."""
    history: Story

    def present(self, law: Calibration, *, seed: int, member: int) -> Present:
        """The present of the oracle's member: what is left of each stage is drawn, given how long it has lasted."""
        dice = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, member, _DRAWING])))
        return Present(
            cls=self.cls, block=self.block, unit=self.unit, stage=self.stage, serving=self.serving,
            since_min=self.since_min, arrived_min=self.arrived_min,
            residual_min=self._left(law, dice.random(self.cls.size)), here=np.ones(self.cls.size, dtype=bool),
            history=self.history,
        )  # fmt: skip

    def _left(self, law: Calibration, uniform: Array) -> Array:
        out = np.zeros((self.cls.size, law.parameters.loads))
        clock = self._clock(law)
        for name, rows in self._by_duration(law):
            duration = law.parameters.durations[name]
            cls, block, drawn, serving = self.cls[rows], self.block[rows], uniform[rows], self.serving[rows]
            rest = duration.residual(drawn, np.maximum(clock[rows], 0.0), cls, block)
            load = np.minimum(self.load[rows], rest.shape[1] - 1)
            as_begun = rest[np.arange(rows.size), load][:, None]
            out[rows] = np.where(serving[:, None], as_begun, duration.at(drawn, cls, block))
        return out

    def _by_duration(self, law: Calibration) -> Iterator[tuple[str, Index]]:
        for code, stage in enumerate(law.path.stages):
            mine = np.flatnonzero(self.stage == code)
            if stage.lasts is None or not mine.size:
                continue
            if not stage.lasts.endswith(f":{WANTED}"):
                yield stage.lasts, mine
                continue
            for unit in np.unique(self.unit[mine]):
                ward = law.hospital.units[int(unit)].name
                yield stage.lasts.removesuffix(WANTED) + ward, mine[self.unit[mine] == unit]

    def _clock(self, law: Calibration) -> Array:
        """How long each stage has lasted; in wards on the ward's own clock."""
        out = -self.since_min
        wards = [law.path.index("ward"), law.path.index("planned")]
        rows = np.flatnonzero(np.isin(self.stage, wards) & self.serving)
        if rows.size and law.parameters.leaving is not None:
            start = self.since_min[rows]
            timeline = Timeline.of(Minutes(self.at), float(start.min()), HOUR_MIN, law.hospital.zone)
            out[rows] = lasted(timeline, law.parameters.leaving, self.unit[rows], start, np.zeros(rows.size))
        return out


def live(law: Calibration, start: datetime, days: int, *, seed: int) -> Lived:
    """So many days of a hospital that obeys the law, from an empty hospital on; raises TwinError for another path."""
    if law.path.name != "milestones":
        raise TwinError(f"an identical twin must have the path milestones, but the law has {law.path.name}")
    nobody, horizon_min = Present.of_nobody(), days * 1440.0
    luck = draw(
        law.path, law.parameters, 0, seed=seed, member=0, start=start, horizon_min=horizon_min, zone=law.hospital.zone
    )
    fate = cast(law.path, law.parameters, luck, nobody)
    capacity = law.hospital.capacities(law.path.pools, start, horizon_min)
    return Lived(law, start, days, fate, run(capacity, law.path, fate, nobody, horizon_min))


def hidden(events: Sequence[Event], share: float, *, seed: int) -> list[Event]:
    """The events without a share of all exits from the department, chosen at random.

    Exits to a ward are told by the ward, so those that go missing are the others: home, elsewhere, unseen. Raises
    TwinError if there are not so many of these.
    """
    exits = [i for i, event in enumerate(events) if _is_exit(event)]
    may_go = [i for i in exits if not (isinstance(e := events[i], Departed) and e.to == "ward")]
    missing = round(share * len(exits))
    if missing > len(may_go):
        raise TwinError(f"a share of exits to hide must be at most {len(may_go) / len(exits):.2f}, but is {share:g}")
    dice = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, _HIDING])))
    gone = set(dice.choice(may_go, missing, replace=False).tolist()) if missing else set()
    return [event for i, event in enumerate(events) if i not in gone]


def _is_exit(event: Event) -> bool:
    return isinstance(event, Departed | LeftWithoutBeingSeen | LeftDuringCare)


def _aged(event: Arrived, age_of: dict[str, str | None]) -> Arrived:
    return replace(event, age_band="75+" if age_of[event.visit] == "75+" else "18-74")
