"""A run stopped and started again, its luck carried over, goes on as if nothing had been; nobody is lost on the way."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.random_hospitals import freed_by_stop, freeing
from tests.small_stories import MEDICINE, SURGERY, Told, told
from twin.durations import exponential, lognormal
from twin.fate import Fate
from twin.model import run
from twin.parameters import Parameters
from twin.pathway import Path
from twin.present import Present
from twin.small_hospitals import WHOLE, Array, Member, member, parameters, small_path
from twin.story import Story


def believed_whole() -> tuple[Path, Parameters]:
    path = small_path(WHOLE)
    lasting = {
        "to_triage": lognormal(8, 0.5),
        "patience": lognormal(120, 0.5),
        "doctor_slot": lognormal(18, 0.4),
        "care": lognormal(60, 0.6),
        "to_ward": lognormal(20, 0.5),
        "ward_stay:medicine": exponential(600),
        "ward_stay:surgery": exponential(500),
    }
    mix = {0: 0.2, 2: 0.5, 4: 0.3}
    wanted = {"medicine": 0.7, "surgery": 0.3}
    return path, parameters(path, lasting, per_hour=4.0, classes=mix, shares={"p_admit": 0.3}, wanted=wanted)


def grid(minutes: Array) -> Array:
    """On a grid of 1/1024 minute, so that additions are exact."""
    return np.round(minutes * 1024) / 1024


def on_grid(fate: Fate) -> Fate:
    return replace(
        fate,
        at_min=grid(fate.at_min),
        minutes=grid(fate.minutes),
        freed_min=grid(fate.freed_min),
        patience_min=grid(fate.patience_min),
    )


def stopped(ran: Member, path: Path, at_min: float) -> tuple[Present, Fate]:
    """The state of a run at a minute, whole, and the fate that is still to come: luck carried over."""
    rows, stops = [], []
    marks = [(at, kind, visit) for at, kind, visit in told(ran.story) if at < at_min]
    for row, visit in enumerate(ran.fate.visit.tolist()):
        mine = [(at, kind) for at, kind, v in marks if v == visit]
        if not mine or mine[-1][1] in ("LeftWard", "LeftWithoutBeingSeen"):
            continue
        at, kind = mine[-1]
        stages = ran.fate.stage[row].tolist()
        after = {"Triaged": path.index("contact"), "DecidedToAdmit": path.index("boarding")}
        started = (k for k in stages if k >= 0 and kind in (path.stages[k].comes, path.stages[k].starts))
        k = after[kind] if kind in after else next(started)
        if path.names[k] == "home":
            continue
        rows.append((row, k, kind not in ("Triaged", "DecidedToAdmit"), at, mine[0][0]))
        stops.append(stages.index(k))
    coming = np.flatnonzero(ran.fate.at_min >= at_min).tolist()
    shifts = [*stops, *([0] * len(coming))]
    order = [row for row, *_ in rows] + coming
    here = Present(
        cls=ran.fate.cls[order[: len(rows)]],
        block=ran.fate.block[order[: len(rows)]],
        unit=np.array([ran.fate.unit[row, stop] for (row, *_), stop in zip(rows, stops, strict=True)], dtype=np.int64),
        stage=np.array([k for _, k, *_ in rows], dtype=np.int64),
        serving=np.array([serves for _, _, serves, *_ in rows], dtype=np.bool_),
        since_min=np.array([since - at_min for *_, since, _ in rows]),
        arrived_min=np.array([arrived - at_min for *_, arrived in rows]),
        residual_min=np.zeros((len(rows), 1)),
        here=np.ones(len(rows), dtype=np.bool_),
        history=Story.of(()),
    )
    return here, _ahead(ran.fate, order, shifts, here, at_min)


def _ahead(fate: Fate, order: list[int], shifts: list[int], here: Present, at_min: float) -> Fate:
    width = fate.stage.shape[1]

    def moved(values: Any, fill: float) -> Any:
        out = np.full((len(order), *values.shape[1:]), fill, dtype=values.dtype)
        for i, (row, shift) in enumerate(zip(order, shifts, strict=True)):
            out[i, : values.shape[1] - shift] = values[row, shift:]
        return out

    ahead = replace(
        fate,
        **{name: getattr(fate, name)[order] for name in ("visit", "cls", "block", "priority")},
        at_min=np.where(np.arange(len(order)) < here.count, np.nan, fate.at_min[order] - at_min),
        stage=moved(fate.stage, -1),
        unit=moved(fate.unit, -1),
        minutes=moved(fate.minutes, 0.0),
        patience_min=moved(fate.patience_min, np.nan),
    )
    assert ahead.stage.shape[1] == width
    freed = moved(freed_by_stop(fate), np.nan)
    for i in range(here.count):
        lasted = here.since_min[i]
        if here.serving[i]:
            ahead.minutes[i, 0] += lasted
            freed[i, 0] = np.maximum(freed[i, 0] + lasted, 0.0)
        else:
            ahead.patience_min[i, 0] += lasted
    return freeing(ahead, freed)


def restart(hours: float, at_min: float, spoil: bool = False) -> tuple[Told, Told]:
    """What a straight run tells after a minute, and what a run stopped there and started again tells."""
    path, believed = believed_whole()
    straight = member(path, believed, hours=hours, seed=4, bend=on_grid)
    here, ahead = stopped(straight, path, at_min)
    assert here.count > 5
    assert not here.serving.all()
    if spoil:
        ahead.minutes[: here.count, 0] -= here.since_min[:, None]
    again = run(straight.capacity, path, ahead, here, hours * 60 - at_min)
    return (
        sorted(t for t in told(straight.story) if t[0] >= at_min),
        sorted((at + at_min, kind, visit) for at, kind, visit in told(again)),
    )


@pytest.mark.parametrize("at_min", [240.0, 601.0, 990.0])
def test_stopping_and_starting_again_changes_nothing_when_luck_is_carried_over(at_min: float) -> None:
    straight, again = restart(30.0, at_min)
    assert again == straight


def test_a_restart_that_forgets_how_long_stages_have_lasted_is_seen() -> None:
    straight, again = restart(30.0, 601.0, spoil=True)
    assert again != straight


def test_nobody_is_lost_and_no_bed_is_given_twice() -> None:
    path, believed = believed_whole()
    ran = member(path, believed, hours=96, seed=8)
    visits = ran.visits
    for minute in np.arange(0.0, 96 * 60, 60.0):
        marks = [(kind, visit) for at, kind, visit in told(ran.story) if at <= minute]
        came = {visit for kind, visit in marks if kind == "Arrived"}
        left = [visit for kind, visit in marks if kind in ("Departed", "LeftWithoutBeingSeen")]
        inside = (visits.arrived_min <= minute) & ~(visits.departed_min <= minute)
        assert len(left) == len(set(left))
        assert set(left) <= came
        assert len(came) == len(left) + int(inside.sum())
    for unit, beds in ((MEDICINE, 4), (SURGERY, 2)):
        mine = visits.stay_unit == unit
        for minute in visits.stay_from_min[mine]:
            held = (visits.stay_from_min[mine] <= minute) & ~(visits.stay_until_min[mine] <= minute)
            assert held.sum() <= beds
