"""Tables of what happened: events, visits, counts of people and beds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from forecast.export import ARROW, Column, Source, Span, Table
from forecast.past import VINTAGE, truth
from forecast.units import unit_of
from forecast.usual import STEP_MIN
from forecast.values import Array
from ingest.columns import TIME, to_table
from ingest.events import CensusObserved
from twin.memory import KINDS, Memory
from twin.state import State, fold, standing
from twin.visit import Visit

FOLLOWED = timedelta(days=60)
"""How long after its arrival a visit is followed; a stay in a ward that goes on longer has no end in the table."""
BEFORE = timedelta(days=3)
"""How long before its arrival something may be told of a visit."""
DIGITS = 4
"""To which waits are told: what is left depends on where the minutes are counted from."""
_STEP = timedelta(minutes=STEP_MIN)
_COUNTS = [CensusObserved.__name__]


def _span(source: Source) -> Span | None:
    found = source.log.span()
    return (found.first_occurred_at, found.last_occurred_at + timedelta(microseconds=1)) if found else None


def _state(source: Source, since: datetime, until: datetime) -> State:
    """What happened in a period and around it, as known at the end: each event in its winning version."""
    return fold(State(), source.log.read(since - BEFORE, until + FOLLOWED, source.known_at, KINDS))


# --- events ---------------------------------------------------------------------------------------------------------


def _events(source: Source, since: datetime, until: datetime) -> pa.Table:
    """Those that stand, and the counts of feeds that know no patients."""
    told = [event for event in standing(_state(source, since, until)) if since <= event.occurred_at < until]
    counted = source.log.read_table(since, until, source.known_at, _COUNTS)
    return pa.concat_tables([to_table(told), counted]).sort_by([("occurred_at", "ascending")])


EVENTS = Table(
    "events",
    "What happened, an event a row: the last version of each; what was cancelled is left out.",
    "occurred_at",
    (
        Column("kind", "text", "the kind of event: a class of the vocabulary"),
        Column("occurred_at", "instant", "when it happened in the world"),
        Column("recorded_at", "instant", "when it was recorded in the hospital's system"),
        Column("known_at", "instant", "from when this version of it could be used here"),
        Column("source", "text", "the feed or extract that told it"),
        Column("mode", "text", "how the patient came"),
        Column("age_band", "text", "age as a band", "years"),
        Column("sex", "text", "female or male"),
        Column("complaint", "text", "group of the complaint"),
        Column("acuity", "text", "triage level, 1 is most urgent"),
        Column("test", "text", "which test"),
        Column("unit", "text", "the unit it happened in, was wanted, or was entered"),
        Column("bed", "text", "the bed or space within the unit"),
        Column("to", "text", "where the patient left to"),
        Column("planned", "yes or no", "a planned admission"),
        Column("status", "text", "what became of the bed"),
        Column("count", "whole number", "a number of beds, staff, pieces or people"),
        Column("pool", "text", "the staff or resource that is counted"),
        Column("measure", "text", "what an aggregate feed counted"),
        Column("expected_at", "instant", "when an announced arrival or a planned exit is due"),
        Column("visit", "text", "the visit", pseudonym=True),
        Column("patient", "text", "the patient", pseudonym=True),
        Column("into", "text", "the visit that this one was merged into", pseudonym=True),
    ),
    _events,
    _span,
)  # fmt: skip


# --- visits ---------------------------------------------------------------------------------------------------------


def _visits(source: Source, since: datetime, until: datetime) -> pa.Table:
    """Those that came in the period, in the order of their coming."""
    came = [
        (at, visit) for visit in _state(source, since, until).visits.values() if (at := _came_at(visit)) is not None
    ]
    mine = sorted(((at, v) for at, v in came if since <= at < until), key=lambda one: (one[0], one[1].visit))
    rows = [_visit(at, visit) for at, visit in mine]
    return pa.table({c.name: pa.array([row[c.name] for row in rows], ARROW[c.kind]) for c in VISITS.columns})


def _came_at(visit: Visit) -> datetime | None:
    return visit.arrived_at or (visit.stays[0].from_at if visit.stays else None)


def _visit(came_at: datetime, visit: Visit) -> Mapping[str, Any]:
    wards = [stay for stay in visit.stays if stay.ward]
    own = ("arrived_at", "mode", "age_band", "sex", "complaint", "acuity", "triaged_at", "seen_at", "decided_at",
           "discharged_at", "unit_wanted", "departed_at", "to", "planned", "visit", "patient")  # fmt: skip
    return {name: getattr(visit, name) for name in own} | {
        "came_at": came_at,
        "ward": wards[0].unit if wards else None,
        "ward_from_at": wards[0].from_at if wards else None,
        "ward_until_at": wards[-1].until_at if wards else visit.left_ward_at,
    }


VISITS = Table(
    "visits",
    f"Who came, a visit a row, followed for {FOLLOWED.days} days; an instant that was never told is empty.",
    "came_at",
    (
        Column("came_at", "instant", "arrival in the department, or in the ward where it was passed by"),
        Column("arrived_at", "instant", "arrival in the department"),
        Column("mode", "text", "how the patient came"),
        Column("age_band", "text", "age as a band", "years"),
        Column("sex", "text", "female or male"),
        Column("complaint", "text", "group of the complaint"),
        Column("acuity", "text", "triage level, 1 is most urgent"),
        Column("triaged_at", "instant", "triage"),
        Column("seen_at", "instant", "first contact with a practitioner"),
        Column("decided_at", "instant", "decision to admit"),
        Column("discharged_at", "instant", "decision to send home"),
        Column("unit_wanted", "text", "the ward that was asked for"),
        Column("departed_at", "instant", "departure from the department"),
        Column("to", "text", "where the patient left to"),
        Column("planned", "yes or no", "came straight to a ward, by appointment"),
        Column("ward", "text", "the first ward"),
        Column("ward_from_at", "instant", "entry into it"),
        Column("ward_until_at", "instant", "departure from the last ward"),
        Column("visit", "text", "the visit", pseudonym=True),
        Column("patient", "text", "the patient", pseudonym=True),
    ),
    _visits,
    _span,
)  # fmt: skip


# --- counts ---------------------------------------------------------------------------------------------------------


def _counted(source: Source, since: datetime, until: datetime) -> tuple[list[datetime], dict[str, Array]]:
    """Every measure at each quarter of an hour, from what was known a week after the period, or at the end."""
    quarters = -(-since.timestamp() // _STEP.total_seconds())
    first = datetime.fromtimestamp(quarters * _STEP.total_seconds(), since.tzinfo)
    times = [first + k * _STEP for k in range(max(0, -((first - until) // _STEP)))]
    if not times:
        return [], {}
    known_at = min(until + VINTAGE, source.known_at)
    return times, truth(Memory(source.log).at(known_at), source.learned(), times, known_at)


def _census(source: Source, since: datetime, until: datetime) -> pa.Table:
    times, found = _counted(source, since, until)
    names = list(found)
    return pa.table(
        {
            "at": pa.array([at for _ in names for at in times], TIME),
            "measure": pa.array([name for name in names for _ in times], pa.string()),
            "value": _joined([np.round(found[name], DIGITS) for name in names]),
            "unit": pa.array([unit_of(name) for name in names for _ in times], pa.string()),
        }
    )


CENSUS = Table(
    "census",
    "Every measure at each quarter of an hour, a value a row. Exits that were never told are completed by the rule of "
    "the twin, as in the truth that forecasts are judged by: from what was known a week later.",
    "at",
    (
        Column("at", "instant", "the quarter of an hour"),
        Column("measure", "text", "name of the measure: ed_census, ed_waiting, census:<ward> .."),
        Column("value", "number", "the value, in the unit of its row; empty where there is none, as a wait of nobody"),
        Column("unit", "text", "patients, patients/h, beds or min"),
    ),
    _census,
    _span,
)  # fmt: skip


def _beds(source: Source, since: datetime, until: datetime) -> pa.Table:
    times, found = _counted(source, since, until)
    wards = [name.removeprefix("census:") for name in found if name.startswith("census:")]
    nothing = np.full(len(times), np.nan)
    taken = [found[f"census:{ward}"] for ward in wards]
    free = [found.get(f"beds_free:{ward}", nothing) for ward in wards]
    return pa.table(
        {
            "at": pa.array([at for _ in wards for at in times], TIME),
            "ward": pa.array([ward for ward in wards for _ in times], pa.string()),
            "beds": _joined([a + b for a, b in zip(taken, free, strict=True)]),
            "census": _joined(taken),
            "free": _joined(free),
        }
    )


def _joined(columns: Sequence[Array]) -> pa.Array:
    return pa.array(np.concatenate(columns) if columns else [], pa.float64())


BEDS = Table(
    "beds",
    "Every ward at each quarter of an hour: its beds, who lies there, how many are free; counted as in census.",
    "at",
    (
        Column("at", "instant", "the quarter of an hour"),
        Column("ward", "text", "the ward"),
        Column("beds", "number", "staffed beds at that time; empty where their number is not known", "beds"),
        Column("census", "number", "people in the ward", "patients"),
        Column("free", "number", "beds less people; below zero where there are more people than beds", "beds"),
    ),
    _beds,
    _span,
)  # fmt: skip
