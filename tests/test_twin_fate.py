"""What luck means for each patient: lengths by class and ward, residuals of those who are here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from twin.durations import Duration, exponential, fixed, lognormal
from twin.errors import PresentError
from twin.fate import Fate
from twin.luck import Luck
from twin.present import Present
from twin.small_hospitals import START, WHOLE, Here, Member, member, parameters, present, small_path

MEDICINE, SURGERY = 1, 2
PATH = small_path(WHOLE)
LASTING = {
    "to_triage": exponential(7),
    "patience": exponential(100),
    "doctor_slot": fixed(10),
    "care": fixed(40),
    "to_ward": fixed(15),
    "ward_stay:medicine": fixed(600),
    "ward_stay:surgery": fixed(300),
}


def fate(here: Present | None = None, **changed: Duration) -> Fate:
    wanted = {"medicine": 0.5, "surgery": 0.5}
    classes = {0: 0.5, 4: 0.5}
    believed = parameters(
        PATH, LASTING | changed, per_hour=20.0, classes=classes, shares={"p_admit": 0.5}, wanted=wanted
    )
    return member(PATH, believed, hours=24, here=here).fate


def test_the_length_of_a_ward_stay_is_that_of_the_ward_wanted() -> None:
    told = fate()
    row, stop = np.nonzero(told.stage == PATH.index("ward"))
    unit = told.unit[row, stop]
    assert set(unit.tolist()) == {MEDICINE, SURGERY}
    assert np.array_equal(told.minutes[row, stop, 0], np.where(unit == MEDICINE, 600.0, 300.0))


def on_clocks(here: Present | None = None, bend: Callable[[Fate], Fate] = lambda fate: fate) -> Member:
    """Both wards let patients go between 12 and 13 h only; the run starts at midnight; one bed, so that they board."""
    hour = np.arange(168) % 24
    leaving = np.where(hour == 12, 24.0, 1e-6)[None, :].repeat(len(PATH.units), axis=0)
    lasting = LASTING | {"ward_stay:medicine": exponential(700), "ward_stay:surgery": exponential(700)}
    believed = parameters(
        PATH, lasting, per_hour=20.0, shares={"p_admit": 0.5}, wanted={"medicine": 0.5, "surgery": 0.5}
    )
    return member(PATH, replace(believed, leaving=leaving), hours=96, here=here, bend=bend)


def left_at_noon(ran: Member) -> float:
    """Of the stays that ended, how many did so between 12 and 13 h."""
    over = ran.visits.stay_until_min[~np.isnan(ran.visits.stay_until_min)]
    assert over.size > 3
    return float(((START.hour + over / 60) % 24 // 1 == 12).mean())


def test_a_stay_is_over_when_the_ward_lets_patients_go_however_long_they_waited_for_its_bed() -> None:
    """The mutant has no clock."""
    inpatient = Here("ward", serving=True, since_min=-3000, residual_min=700.0, unit=MEDICINE)
    here = present(PATH, *[inpatient] * 3)
    assert left_at_noon(on_clocks(here)) == 1.0
    assert left_at_noon(on_clocks(here, lambda fate: replace(fate, clock_edge_min=np.empty(0)))) < 0.5


def test_the_ward_is_wanted_from_the_end_of_its_stage_on() -> None:
    told = fate()
    row, stop = np.nonzero(told.stage == PATH.index("admit"))
    assert (told.unit[row, stop] == -1).all()
    assert (told.unit[row, stop + 1] > 0).all()


def test_lengths_follow_the_class() -> None:
    table = np.concatenate([fixed(5).table, fixed(50).table])
    told = fate(care=Duration(table, np.zeros((2, 1, 1))))
    row, stop = np.nonzero(told.stage == PATH.index("contact"))
    assert np.array_equal(told.minutes[row, stop, 0], np.where(told.cls[row] == 0, 5.0, 50.0))


def test_priority_is_the_acuity_and_the_middle_where_it_is_unknown() -> None:
    told = fate()
    assert set(told.priority.tolist()) == {0.0, 4.0}
    believed = parameters(PATH, LASTING, per_hour=5.0, shares={"p_admit": 0.5}, wanted={"medicine": 1.0})
    assert set(member(PATH, believed, hours=24).fate.priority.tolist()) == {2.0}


def test_those_here_stand_first_with_what_is_left_of_their_stage() -> None:
    here = present(
        PATH,
        Here("contact", serving=True, since_min=-4, arrived_min=-30, residual_min=17, cls=1),
        Here("boarding", serving=False, since_min=-90, arrived_min=-300, residual_min=15, unit=SURGERY),
    )
    told = fate(here)
    assert told.visit[:2].tolist() == [0, 1]
    assert told.cls[:2].tolist() == [1, 0]
    assert told.minutes[:2, 0, 0].tolist() == [17.0, 15.0]
    assert told.freed_min[told.freed_at[0, 0], 0] == 6.0
    assert told.unit[1, 0] == SURGERY
    assert [PATH.names[k] for k in told.stage[1] if k >= 0] == ["boarding", "ward"]
    assert np.isnan(told.at_min[:2]).all()


def left_of_patience(waited_min: float, spoil: bool = False) -> float:
    """Mean patience left of many who have queued for so long; `spoil` plants a mutant that forgets it."""
    people = [Here("contact", serving=False, since_min=-waited_min, arrived_min=-200)] * 400
    here = present(PATH, *people)
    if spoil:
        here = replace(here, since_min=np.zeros(400))
    told = fate(here, patience=lognormal(100, 0.2))
    return float(told.patience_min[:400, 0].mean())


def test_patience_that_has_lasted_has_less_left() -> None:
    fresh = left_of_patience(0.0)
    assert fresh == pytest.approx(102, rel=0.03)
    assert left_of_patience(90.0) == pytest.approx(100 * 1.02 - 90 + 10, abs=7)
    assert left_of_patience(90.0, spoil=True) == pytest.approx(fresh)


def test_a_present_that_does_not_fit_is_refused() -> None:
    with pytest.raises(PresentError, match="must have a ward, but row 0 has none"):
        fate(present(PATH, Here("boarding", serving=False)))
    gone = present(PATH, Here("boarding", serving=False, here=False))
    assert fate(gone).visit[0] == 0


def test_luck_for_another_number_of_patients_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Luck, "here", property(lambda luck: np.ones(1, dtype=np.int64)))
    with pytest.raises(PresentError, match=r"drawn for \[1\] patients who are here, but there are \[0\]"):
        fate()
