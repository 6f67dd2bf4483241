"""A story in the vocabulary."""

from __future__ import annotations

from datetime import timedelta

import numpy as np

from ingest.events import RANK, Arrived, DecidedToAdmit, Departed, EnteredWard, LeftWard, Moved, Triaged
from twin.small_hospitals import START
from twin.state import State, fold
from twin.story import DESTINATIONS, Story
from twin.tell import events

UNITS = ("boxes", "medicine")
WARD, HOME = DESTINATIONS.index("ward"), DESTINATIONS.index("home")


def story() -> Story:
    return Story.of(
        [
            (0.0, RANK["Arrived"], 0, -1, -1),
            (5.5, RANK["Triaged"], 0, -1, -1),
            (6.0, RANK["Moved"], 0, 0, -1),
            (60.0, RANK["DecidedToAdmit"], 0, 1, -1),
            (90.0, RANK["Departed"], 0, 1, WARD),
            (95.0, RANK["EnteredWard"], 1, 1, -1),
            (600.0, RANK["LeftWard"], 0, -1, HOME),
        ]
    )


def test_marks_become_the_events_that_a_hospital_would_send() -> None:
    told = events(story(), START, units=UNITS, acuities=("1", "2"), acuity=np.array([1, -1]), source="run")
    kinds = [type(event) for event in told]
    assert kinds == [Arrived, Triaged, Moved, DecidedToAdmit, Departed, EnteredWard, LeftWard]
    assert told[1] == Triaged(
        event_id=told[1].event_id, visit=told[0].visit, acuity="2", source="run",  # type: ignore[attr-defined]
        occurred_at=START + timedelta(minutes=5.5), known_at=START + timedelta(minutes=5.5),
    )  # fmt: skip
    assert [event.event_id for event in told[:2]] == ["run/0/Arrived/0", "run/0/Triaged/0"]
    departed = told[4]
    assert isinstance(departed, Departed)
    assert (departed.to, departed.unit) == ("ward", "medicine")


def test_the_state_reads_them_like_any_others() -> None:
    state = fold(State(), events(story(), START, units=UNITS))
    visit = next(v for v in state.visits.values() if v.arrived_at is not None)
    assert visit.decided_at == START + timedelta(minutes=60)
    assert [stay.unit for stay in visit.stays] == ["boxes", "medicine"]
    assert [v.planned for v in state.inpatients(START + timedelta(minutes=120))] == [False, True]
