"""Example values of the pages of the comparison and of the robustness map: the same every time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta
from functools import cache

import numpy as np

from forecast.compare import comparison
from forecast.compare_view import ChoiceView, CompareView, EffectView, Named, RobustnessView
from forecast.comparisons import criterion_view
from forecast.designs import USUAL, Combination, Design
from forecast.grid_desk import shown
from forecast.grid_store import Grid
from forecast.outcomes import BREAKS, MARGIN
from forecast.points_of_view import points_of_view
from forecast.services import services_file
from forecast.study import Study
from forecast.values import Array
from tests.boards import MADE_AT
from twin.hospital import load_hospital
from twin.scenarios import catalogue

CATALOGUE = catalogue()
STUDY = Study(points_of_view(), services_file(), CATALOGUE, load_hospital(), 58)
VIEWS = tuple(Named(one.name, one.fr, one.en) for one in STUDY.points_of_view.views.values())
MEMBERS = 200
VALUES = {
    "wait_p90_min": 141.0, "wait_p90_min:1": 12.0, "wait_p90_min:2": 31.0, "wait_p90_min:3A": 64.0,
    "wait_p90_min:3B": 92.0, "wait_p90_min:4": 151.0, "wait_p90_min:5": 212.0, "left_unseen": 6.1, "ed_peak": 71.0,
    "over_spaces_h": 5.4, "boarding_h": 118.0, "boarders_at_8h": 7.2, "nights": 9.3, "aged_nights": 2.4,
    "staff_over_h": 21.0, "staff_over_h:doctor": 9.4, "staff_over_h:nurse": 6.0, "planned_not_admitted": 1.3,
    "escalation_beds": 3.1, "beds_free_least": 11.0, "effort_bed_h": 0.0, "effort_staff_h": 0.0,
}  # fmt: skip
"""What each criterion is as usual."""
MOVES = {
    "one_more_doctor": {"wait_p90": -0.3, "left": -0.25, "ed_peak": -0.05, "staff_over": -0.3, "effort_staff_h": 24.0},
    "escalation_beds": {"board": -0.4, "nights": -0.3, "aged": -0.3, "beds_free": 0.6, "escalation": 1.2,
                        "effort_bed_h": 176.0, "effort_staff_h": 17.6},
    "earlier_discharges": {"board": -0.25, "nights": -0.2, "aged": -0.2, "beds_free": 0.3},
    "winter_peak": {"wait_p90": 0.5, "left": 0.6, "ed_peak": 0.15, "over": 0.8, "board": 0.4, "nights": 0.4,
                    "aged": 0.6, "staff_over": 0.35, "planned": 0.1, "beds_free": -0.4},
    "electives_postponed": {"board": -0.15, "planned": 4.0, "beds_free": 0.35},
}  # fmt: skip
"""How much of it each scenario moves."""


def members_of(name: str, moves: dict[str, float], dice: np.random.Generator, luck: Array) -> Array:
    usual = VALUES[name] * np.maximum(1.0 + 0.25 * luck, 0.05)
    by = next((share for start, share in moves.items() if name.startswith(start)), 0.0)
    if name.startswith("effort"):
        return np.full(MEMBERS, by)
    return usual + by * VALUES[name] * np.maximum(1.0 + 0.6 * dice.standard_normal(MEMBERS), -0.5) * (by != 0)


def outcomes_of(names: Iterable[str]) -> dict[str, dict[str, Array]]:
    luck = {name: np.random.default_rng([3, k]).standard_normal(MEMBERS) for k, name in enumerate(VALUES)}
    return {
        scenario: {
            name: members_of(name, MOVES.get(scenario, {}), np.random.default_rng([5, k, j]), luck[name])
            for k, name in enumerate(VALUES)
        }
        for j, scenario in enumerate([USUAL, *names])
    }


@cache
def compared(names: tuple[str, ...], view: str) -> CompareView:
    found = outcomes_of(names)
    told = comparison(found, STUDY.criteria(list(VALUES), view=view))

    def by(name: str) -> tuple[str, ...]:
        return tuple("" if one == USUAL else one for one in told.dominated_by[name])

    def choice(name: str) -> ChoiceView:
        scenario = CATALOGUE[name]
        lacks = name in ("faster_cleaning", "laboratory_slow")
        effects: dict[str, EffectView | None] = {
            c: EffectView(e.value, e.mean, *e.ci95, e.p_better, e.p_same) for c, e in told.effects.get(name, {}).items()
        }
        return ChoiceView(
            name, scenario.sentence("fr"), scenario.sentence("en"), name in names,
            why_not_fr="Les données ne disent rien de : l'étape." if lacks else None,
            why_not_en="The data tell nothing of: the stage." if lacks else None, effects=effects,
            dominated_by=by(name) if name in names else (),
        )  # fmt: skip

    return CompareView(
        made_at=MADE_AT, zone="Europe/Paris", hospital="CHU", mode="live", views=VIEWS, view=view,
        choices=tuple(choice(name) for name in CATALOGUE if name != USUAL),
        criteria=tuple(criterion_view(c, told.usual_values[c.name]) for c in told.criteria),
        as_of=MADE_AT - timedelta(minutes=2), members=MEMBERS, of=1000, usual_dominated_by=by(USUAL),
    )  # fmt: skip


def nothing_compared() -> CompareView:
    """Before the first forecast, with nothing chosen."""
    page = compared((), "doctors")
    return replace(page, as_of=None, members=0, criteria=())


@cache
def robust(view: str = "direction") -> RobustnessView:
    """A survey of a whole catalogue, of made-up breaks."""
    dice = np.random.default_rng(8)
    names = [name for name in CATALOGUE if name != USUAL]
    some = [
        Combination(USUAL, dict.fromkeys(names, 0.0)),
        *(Combination(name, {one: float(one == name) for one in names}) for name in names),
    ]
    for _ in range(120):
        one, other = dice.choice(names, 2, replace=False)
        some.append(Combination(f"{one}+{other}", {name: float(name in (one, other)) for name in names}))
    design = Design("survey", tuple(some))
    services = [
        "department", "boarding", *(f"beds:{u.name}" for u in STUDY.hospital.wards),
        *(f"staff:{p.name}" for p in STUDY.hospital.rosters),
    ]  # fmt: skip
    hard = {name: dice.gamma(0.6, 0.35) for name in names}
    soft = {name: dice.normal(1.5, 0.9) for name in services}
    load = np.array([sum(hard[name] for name, level in one.levels.items() if level) for one in some])
    found: dict[str, Array] = {}
    for k, service in enumerate(services):
        luck = np.random.default_rng(k).standard_normal((1, MEMBERS))
        margin = soft[service] - load[:, None] * dice.uniform(0.2, 1.6) + 0.5 * luck
        found[BREAKS + service] = np.where(
            margin < 0, 300.0 + 240.0 * margin + 200.0 * dice.random(margin.shape), np.inf
        )
        found[MARGIN + service] = 6.0 * margin
    for name, usual in VALUES.items():
        found[name] = usual * (1.0 + 0.2 * load[:, None] + 0.1 * dice.standard_normal((len(some), MEMBERS)))
    grid = Grid(MADE_AT - timedelta(hours=1), MADE_AT, design, {}, MEMBERS, 1440.0, 1)
    return shown(_page(view), STUDY, grid, found)


def _page(view: str = "direction") -> RobustnessView:
    return RobustnessView(
        made_at=MADE_AT, zone="Europe/Paris", hospital="CHU", mode="live", views=VIEWS, view=view, ready=True,
        of=MEMBERS,
    )  # fmt: skip


COMPARED: dict[str, Callable[[], CompareView]] = {
    "doctors": lambda: compared(("one_more_doctor", "escalation_beds", "winter_peak"), "doctors"),
    "direction": lambda: compared(tuple(MOVES), "direction"),
    "nothing": nothing_compared,
}
ROBUST: dict[str, Callable[[], RobustnessView]] = {
    "whole": robust,
    "running": lambda: replace(robust(), done=60),
    "nothing": _page,
}
