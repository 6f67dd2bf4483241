"""Example values of the pages of an exercise: begun, of a long afternoon, just opened; the same every time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from dashboard.drill_script import AnyInject
from forecast.exercise_view import AdviceView, DecisionMade, ExerciseView, HappenedView, InjectView, OptionView
from tests.boards import MADE_AT
from tests.compare_views import compared

MIN = timedelta(minutes=1)
NAMES = {
    "medicine": ("Médecine polyvalente", "General medicine"), "surgery": ("Chirurgie", "Surgery"),
    "doctor": ("Médecins urgentistes", "Emergency doctors"), "triage_nurse": ("IOA", "Triage nurses"),
}  # fmt: skip
_LIKE = compared(("one_more_doctor", "escalation_beds"), "nurses")


def _option(name: str, *, to_choose: bool, is_decision: bool) -> OptionView:
    choice = next(one for one in _LIKE.choices if one.name == name)
    effects = {c: (e.mean, e.low > 0 or e.high < 0) for c, e in choice.effects.items() if e is not None}
    return OptionView(name, choice.fr, choice.en, to_choose, is_decision, effects)


_ADVICE = AdviceView(
    MADE_AT - 90 * MIN, 24.0, 200, _LIKE.criteria,
    (_option("one_more_doctor", to_choose=True, is_decision=True),
     _option("escalation_beds", to_choose=True, is_decision=False)),
)  # fmt: skip
_DECIDED = DecisionMade(
    at=MADE_AT - 90 * MIN, proposal=3, words="Ouvrir les huit lits de la salle de jour dès 15 h", reason="On essaie.",
    who="Marie Dupont, cadre", what="adopted", lacks=(), advice=_ADVICE, fault=None,
    happened=(HappenedView("ed_waiting", 9.1, 14.8), HappenedView("ed_census", 38.2, 44.0)), over_min=90.0,
)  # fmt: skip
_VICTIMS = InjectView(
    MADE_AT - 140 * MIN,
    {"kind": "victims", "patients": 30, "over_min": 45, "severity": {"1": 0.3, "2": 0.7}},
    "script",
    1,
)
_OUTAGE = InjectView(MADE_AT + 30 * MIN, {"kind": "outage", "hours": 1.0}, "instructor", 4)
_BEDS = InjectView(
    MADE_AT + 55 * MIN, {"kind": "beds_closed", "unit": "medicine", "beds": 10, "hours": 12.0}, "script", 5
)


def begun() -> ExerciseView:
    """Two hours in: one inject in, two to come, a decision that was followed."""
    return ExerciseView(
        MADE_AT, "Europe/Paris", "Centre hospitalier de Valmont", "exercise", MADE_AT - 150 * MIN, None, 10.0,
        (_VICTIMS,), (_OUTAGE, _BEDS), (_DECIDED,), None,
        {"present": 52, "waiting": 14, "boarders": 8}, names=NAMES, views=_LIKE.views, view="nurses",
    )  # fmt: skip


def opened() -> ExerciseView:
    """Nothing has happened yet."""
    return replace(begun(), begun_at=MADE_AT, injects=(), scheduled=(), decisions=(), counts={})


def crowded() -> ExerciseView:
    """A long afternoon: many injects, decisions of every sort, an outage that is on, faults."""
    injects = tuple(replace(_VICTIMS, at=_VICTIMS.at + k * MIN, number=k) for k in range(12))
    failed = replace(_BEDS, at=MADE_AT - MIN, fault="beds_closed.beds must be at most 8, but is 10")
    pending = replace(_DECIDED, proposal=4, advice=None, what="adapted", happened=())
    refused = replace(_DECIDED, proposal=5, what="declined", happened=(), ended_at=MADE_AT - 10 * MIN)
    unsaid = replace(_DECIDED, proposal=6, advice=None, fault="the runs did not end", lacks=("durations",))
    scheduled = tuple(replace(_OUTAGE, at=MADE_AT + (30 + k) * MIN, number=20 + k) for k in range(9))
    return replace(
        begun(), injects=(*injects, failed), scheduled=(*scheduled, _BEDS), silent_until=MADE_AT + 20 * MIN,
        decisions=(_DECIDED, pending, refused, unsaid), law="twin", held=("Un médecin de plus", "Quatre lits"),
    )  # fmt: skip


def ended() -> ExerciseView:
    """It is over: what was to come does not come any more."""
    return replace(begun(), ended_at=MADE_AT - 5 * MIN, scheduled=())


EXERCISES: dict[str, Callable[[], ExerciseView]] = {
    "begun": begun, "opened": opened, "crowded": crowded, "ended": ended,
}  # fmt: skip


class Offered:
    """An exercise as its instructor's forms offer it; what is put in is kept, and nothing happens."""

    def __init__(self) -> None:
        self.acts: list[tuple[str, object]] = []

    @property
    def units(self) -> Sequence[str]:
        return ("medicine", "surgery")

    @property
    def pools(self) -> Sequence[str]:
        return ("doctor", "triage_nurse")

    @property
    def names(self) -> Mapping[str, tuple[str, str]]:
        return NAMES

    def put(self, inject: AnyInject) -> None:
        self.acts.append(("put", inject))

    def plan(self, inject: AnyInject, in_min: float) -> int:
        self.acts.append(("plan", (inject, in_min)))
        return len(self.acts)

    def cancel(self, number: int) -> None:
        self.acts.append(("cancel", number))
