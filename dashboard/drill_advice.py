"""What the twin would have advised at a decision: the measures of the catalogue and the decision, on the same luck.

From the situation of the last forecast before the decision; what was adopted before is in every course of action.
No score adds criteria up: what no other course outdoes on all criteria of a point of view is left to choose from.
"""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import replace
from math import isnan

from forecast.compare import Comparison, comparison, outcomes_by_stage
from forecast.comparisons import criterion_view
from forecast.desk import Desk
from forecast.ensemble import Run
from forecast.exercise_view import AdviceView, OptionView
from forecast.lever import no_lever
from forecast.proposals import Proposal
from forecast.situation import Situation
from forecast.study import Study
from twin.scenarios import Scenario, carrying

Advice = AdviceView
MOST_MEMBERS = 100
USUAL = "as_usual"
MEASURES = (
    "extra_doctor", "extra_nurse", "extra_triage", "fast_track", "escalation_beds", "uhcd_beds", "reverse_triage",
    "electives_postponed", "earlier_discharges", "faster_cleaning", "regulated_access",
)  # fmt: skip
"""What people may do about a crisis, of the shipped catalogue."""


def advised(
    one: Proposal, desk: Desk, situation: Situation, study: Study, how: Run, workers: Executor | None
) -> dict[str, Advice]:
    """By point of view. Raises EdtwinError where it cannot be worked out."""
    carried = desk.carried(situation.as_of, but=one.name)
    there = [study.catalogue[name] for name in MEASURES if name in study.catalogue]
    open_ = [scenario for scenario in there if no_lever(situation, scenario) is None]
    courses = [study.catalogue[USUAL], one.scenario, *open_]
    run = replace(how, members=min(how.members, MOST_MEMBERS))
    scenarios = [carrying(course.at(situation.as_of, study.hospital.zone), carried) for course in courses]
    *_, found = outcomes_by_stage(situation, scenarios, run, study.wanted, executor=workers, stages=())
    names = list(next(iter(found.values())))
    told = {view: comparison(found, study.criteria(names, view=view)) for view in study.points_of_view.views}
    hours = run.horizon_min / 60
    return {view: _advice(compared, courses, one.name, situation, hours) for view, compared in told.items()}


def _advice(told: Comparison, courses: list[Scenario], decision: str, situation: Situation, hours: float) -> Advice:
    criteria = tuple(map(criterion_view, told.criteria))
    return Advice(situation.as_of, hours, told.members, criteria, tuple(_option(c, told, decision) for c in courses))


def _option(course: Scenario, told: Comparison, decision: str) -> OptionView:
    effects = told.effects.get(course.name, {})
    return OptionView(
        course.name, course.sentence("fr"), course.sentence("en"), course.name in told.to_choose_from,
        course.name == decision,
        {name: (round(one.mean, 3), one.sure) for name, one in effects.items() if not isnan(one.mean)},
    )  # fmt: skip
