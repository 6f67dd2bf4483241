"""Wards that overflow: who queues long enough for one ward lies in another, by the law."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from ingest.events import RANK
from twin.durations import Duration, exponential, fixed
from twin.fate import Fate
from twin.hospital import Profile
from twin.model import _Pool
from twin.pathway import Path
from twin.present import Present
from twin.small_hospitals import (
    HOSPITAL,
    WHOLE,
    Here,
    arriving,
    member,
    parameters,
    present,
    small_hospital,
    small_path,
)

KIND = {rank: kind for kind, rank in RANK.items()}
TEXT = WHOLE.replace('takes = "wanted bed"', 'takes = "wanted bed"\noverflows_after = "overflow_after"')
BOTH_WAYS = {"medicine": ("surgery",), "surgery": ("medicine",)}
FULL: Mapping[str, int | Profile] = {"bed:medicine": 1, "bed:surgery": 1, "doctor": 9}
Told = list[tuple[float, str, int, str]]


def path_of(overflow: Mapping[str, tuple[str, ...]]) -> Path:
    return small_path(TEXT, small_hospital(HOSPITAL).with_overflow(overflow))


def moves(
    wards: str,
    at_min: list[float],
    *,
    overflow: Mapping[str, tuple[str, ...]] = BOTH_WAYS,
    after: Duration | None = None,
    capacity: Mapping[str, int | Profile] = FULL,
    here: Present | None = None,
    hours: float = 24,
) -> Told:
    """Who enters and leaves which ward; patients want the wards named by a letter each, 45 minutes after they come."""
    path = path_of(overflow)
    units = [path.units.index({"m": "medicine", "s": "surgery"}[letter]) for letter in wards]
    lasting = {
        "to_triage": fixed(5), "patience": fixed(1e6), "doctor_slot": fixed(10), "care": fixed(40),
        "to_ward": fixed(15), "overflow_after": after or fixed(60),
        "ward_stay:medicine": fixed(300), "ward_stay:surgery": fixed(100),
    }  # fmt: skip
    believed = parameters(path, lasting, per_hour=30.0, shares={"p_admit": 1.0}, wanted={"medicine": 1.0})
    first = here.count if here else 0

    def placed(fate: Fate) -> Fate:
        if first:
            return fate
        mine = arriving(fate, at_min)
        unit = np.where(mine.unit >= 0, np.array(units)[:, None], -1)
        stay = np.array([300.0 if letter == "m" else 100.0 for letter in wards])
        in_ward = mine.stage == path.index("ward")
        minutes = np.where(in_ward[:, :, None], stay[:, None, None], mine.minutes)
        return replace(mine, visit=np.arange(len(at_min)), unit=unit, minutes=minutes)

    ran = member(path, believed, hours=hours, bend=placed, capacity=capacity, here=here)
    told = zip(
        ran.story.at_min.tolist(),
        ran.story.kind.tolist(),
        ran.story.visit.tolist(),
        ran.story.unit.tolist(),
        strict=True,
    )
    kept = [(at, KIND[kind], visit, path.units[unit] if unit >= 0 else "") for at, kind, visit, unit in told]
    return [mark for mark in kept if mark[1] in ("Departed", "LeftWard")]


def departed(told: Told) -> list[tuple[float, int, str]]:
    return [(at, visit, unit) for at, kind, visit, unit in told if kind == "Departed"]


def test_who_has_queued_long_enough_lies_in_another_ward_for_the_stay_that_was_to_be() -> None:
    """The second asks at 45, is taken by surgery at 105, is there at 120 and stays for the 300 minutes of medicine."""
    assert moves("mm", [0.0, 0.0]) == [
        (60.0, "Departed", 0, "medicine"),
        (120.0, "Departed", 1, "surgery"),
        (360.0, "LeftWard", 0, ""),
        (420.0, "LeftWard", 1, ""),
    ]


def test_without_overflow_everybody_waits_for_the_ward_wanted() -> None:
    assert departed(moves("mm", [0.0, 0.0], overflow={})) == [(60.0, 0, "medicine"), (375.0, 1, "medicine")]


def test_the_bed_that_was_held_is_given_back() -> None:
    """Surgery's own patient, who asks at 145, gets the bed when the guest leaves it at 420."""
    assert departed(moves("mms", [0.0, 0.0, 100.0], overflow={"medicine": ("surgery",)})) == [
        (60.0, 0, "medicine"),
        (120.0, 1, "surgery"),
        (435.0, 2, "surgery"),
    ]


def test_a_wards_own_patients_come_before_its_guests() -> None:
    """Surgery is held till 160; its second patient has queued since 135, after the guest's 60 minutes were over."""
    assert departed(moves("msms", [0.0, 0.0, 10.0, 90.0], overflow={"medicine": ("surgery",)})) == [
        (60.0, 0, "medicine"),
        (60.0, 1, "surgery"),
        (175.0, 3, "surgery"),
        (290.0, 2, "surgery"),
    ]


def test_the_first_of_all_who_queue_elsewhere_is_taken_in() -> None:
    """By arrival, as queues are ordered, though the other's time was over first."""
    path = path_of(BOTH_WAYS)
    late, early = (Here("boarding", serving=False, unit=1, since_min=-1.0, arrived_min=-a) for a in (60.0, 90.0))
    holders = [Here("ward", serving=True, unit=u, residual_min=r) for u, r in ((1, 900.0), (2, 200.0))]
    told = departed(moves("", [], here=present(path, *holders, late, early), after=fixed(30)))
    assert told[0] == (200.0, 3, "surgery")


def test_the_wards_own_bed_is_taken_if_it_comes_first() -> None:
    """Medicine's bed is free at 300, before 400 minutes are over; the search later finds nobody."""
    assert departed(moves("mm", [0.0, 0.0], after=fixed(400))) == [(60.0, 0, "medicine"), (375.0, 1, "medicine")]


def test_beds_that_open_take_guests_in() -> None:
    opens: Mapping[str, int | Profile] = {**FULL, "bed:surgery": ((0.0, 0), (500.0, 1))}
    told = departed(moves("mmm", [0.0, 0.0, 0.0], capacity={**opens, "bed:medicine": ((0.0, 1), (50.0, 0))}))
    assert told == [(60.0, 0, "medicine"), (515.0, 1, "surgery"), (830.0, 2, "surgery")]


def test_who_found_a_bed_elsewhere_blocks_nobody_in_the_queue_left() -> None:
    """Three queue for medicine; the second lies in surgery, the third gets the bed that the first leaves."""
    assert departed(moves("mmm", [0.0, 0.0, 20.0])) == [
        (60.0, 0, "medicine"),
        (120.0, 1, "surgery"),
        (375.0, 2, "medicine"),
    ]


def test_who_queues_at_the_start_has_waited_already() -> None:
    """Of 60 minutes 45 are over; what is left of a drawn time is its residual."""
    path = path_of(BOTH_WAYS)
    boarder = Here("boarding", serving=False, unit=1, since_min=-45.0, arrived_min=-90.0)
    holder = Here("ward", serving=True, unit=1, residual_min=900.0)
    assert departed(moves("", [], here=present(path, holder, boarder)))[0] == (15.0, 1, "surgery")


def test_nobody_lies_in_two_beds_and_no_bed_holds_two(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy week: never more in beds than there are; a law that forgets whose bed is held is found out."""
    assert most_held() == {"medicine": 4, "surgery": 2}
    monkeypatch.setattr(_Pool, "invite", lambda pool, place: place.succeed(pool) if pool.held < 9 else None)
    assert max(most_held().values()) > 4


def most_held() -> dict[str, int]:
    path = path_of(BOTH_WAYS)
    lasting = {
        "to_triage": exponential(5), "patience": exponential(400), "doctor_slot": exponential(9),
        "care": exponential(60), "to_ward": exponential(20), "overflow_after": exponential(90),
        "ward_stay:medicine": exponential(500),
        "ward_stay:surgery": exponential(250),
    }  # fmt: skip
    believed = parameters(
        path, lasting, per_hour=3.0, shares={"p_admit": 0.4}, wanted={"medicine": 0.7, "surgery": 0.3}
    )
    visits = member(path, believed, hours=168, seed=3).visits
    out = {}
    for ward in ("medicine", "surgery"):
        mine = visits.stay_unit == path.units.index(ward)
        begun, over = visits.stay_from_min[mine], visits.stay_until_min[mine]
        out[ward] = max(int(((begun <= m) & ~(over <= m)).sum()) for m in begun)
    return out
