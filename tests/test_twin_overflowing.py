"""Which wards take in the patients of others, and after how long, read from where boarders end up."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ingest.events import VisitId
from twin import overflowing
from twin.durations import LEVELS
from twin.history import History
from twin.minutes import Minutes
from twin.overflowing import Overflowing, learn_overflow, shares_entered
from twin.small_hospitals import START, small_hospital
from twin.story import DESTINATIONS, Array, Index, Visits
from twin.turnover import BedCounts

DAY = 1440.0
MEDICINE, SURGERY = 1, 2
HOSPITAL = small_hospital().with_beds({"medicine": 4, "surgery": 9})
KNOWN = frozenset({"medicine", "surgery"})
WINDOW = (-60 * DAY, 0.0)
SEARCH_MIN = 90.0


def boarders(asked: Index, entered: Index, decided: Array, boarding: Array) -> History:
    """Visits who boarded for so long and went from the ward asked for to the one entered; beds of medicine are full."""
    n = asked.size
    blank, nobody = np.full(n, np.nan), np.full(n, -1, dtype=np.int64)
    full = np.full(4, -61 * DAY)
    visits = Visits(
        decided - 100, blank, decided - 60, decided, decided + boarding, np.full(n, DESTINATIONS.index("ward")), nobody,
        stay_visit=np.zeros(4, dtype=np.int64), stay_unit=np.full(4, MEDICINE), stay_from_min=full,
        stay_until_min=np.full(4, np.nan),
    )  # fmt: skip
    flags, zeros = np.zeros(n, dtype=bool), np.zeros(n, dtype=np.int64)
    return History(
        minutes=Minutes(START), as_of_min=0.0, ids=tuple(VisitId(str(i)) for i in range(n)), visits=visits,
        elderly=flags, wanted=entered, asked=asked, discharged_min=blank, triage_known_min=blank,
        contact_known_min=blank, exit_known_min=decided + boarding,
        block_hour=zeros, stay_hour=np.zeros(4, dtype=np.int64), stay_end_known_min=np.full(4, np.nan),
        stay_ward=np.ones(4, dtype=bool), stay_direct=np.ones(4, dtype=bool),
        stay_untold=np.zeros(4, dtype=bool),
    )  # fmt: skip


def moved_after(median_min: float, seed: int = 1) -> History:
    """1,500 who want medicine: a bed comes after a while, or the search reaches surgery first; 300 who want surgery;
    100 who are said to want medicine and go to surgery at once."""
    dice = np.random.default_rng(seed)
    own, search = dice.exponential(500.0, 1500), median_min * dice.lognormal(0.0, 0.5, 1500)
    entered = np.where(search < own, SURGERY, MEDICINE)
    boarding = SEARCH_MIN + np.minimum(own, search)
    return boarders(
        np.repeat([MEDICINE, SURGERY, MEDICINE], [1500, 300, 100]),
        np.append(entered, np.full(400, SURGERY)),
        dice.uniform(WINDOW[0], WINDOW[1] - 5 * DAY, 1900),
        np.append(boarding, np.full(400, SEARCH_MIN)),
    )


def learned(history: History) -> Overflowing:
    return learn_overflow(history, history.visits, HOSPITAL, KNOWN, BedCounts({}), WINDOW[0])


def median_min(found: Overflowing) -> float:
    return float(np.interp(0.5, LEVELS, found.after.table[0, 0, 0]))


def test_it_learns_who_takes_in_whom_and_after_how_long(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    for hidden in (200.0, 420.0):
        found = learned(moved_after(hidden))
        assert dict(found.hosts) == {"medicine": ("surgery",)}
        assert abs(median_min(found) / hidden - 1) < 0.1
    monkeypatch.setattr(overflowing, "_search_min", lambda *_: 0.0)
    assert abs(median_min(learned(moved_after(200.0))) / 200.0 - 1) > 0.2, "the search for any bed is no wait"


def test_who_was_moved_wanted_the_ward_left() -> None:
    history = moved_after(420.0)
    found = learned(history)
    moved = (history.asked == MEDICINE) & (history.wanted == SURGERY)
    long = moved & (history.visits.departed_min - history.visits.decided_min > 150)
    assert moved.sum() > long.sum() > 300
    assert (found.wanted[long] == MEDICINE).all()
    assert (found.wanted[moved & ~long] == SURGERY).all(), "who left at once changed course"
    assert np.array_equal(found.wanted[~moved], history.wanted[~moved])
    assert abs(found.goes_elsewhere[MEDICINE] - moved.sum() / 1605) < 0.01


def test_what_overflows_is_not_drawn_again() -> None:
    """Of those here, only who changes course is drawn to another ward: the run moves the others."""
    history = moved_after(420.0)
    left = shares_entered(history, learned(history).wanted, 3)[MEDICINE, SURGERY]
    assert left < 0.2 * shares_entered(history, history.wanted, 3)[MEDICINE, SURGERY]


def test_a_few_moves_or_unknown_beds_teach_nothing() -> None:
    history = moved_after(420.0)
    few = replace(history, wanted=np.where(np.arange(1900) < 2, SURGERY, history.asked))
    assert dict(learned(few).hosts) == {}
    unknown = learn_overflow(history, history.visits, HOSPITAL, frozenset({"medicine"}), BedCounts({}), WINDOW[0])
    assert dict(unknown.hosts) == {}
    assert np.array_equal(unknown.wanted, history.wanted)


def test_what_a_site_says_of_its_wards_holds_where_nobody_was_moved() -> None:
    says = HOSPITAL.with_overflow({"surgery": ("medicine",)})
    history = moved_after(420.0)
    found = learn_overflow(history, history.visits, says, KNOWN, BedCounts({}), WINDOW[0])
    assert dict(found.hosts) == {"medicine": ("surgery",), "surgery": ("medicine",)}
    still = replace(history, wanted=history.asked)
    assert median_min(learn_overflow(still, still.visits, says, KNOWN, BedCounts({}), WINDOW[0])) == 240.0
