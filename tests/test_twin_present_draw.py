"""The present drawn: as many here as truly are, queues and census as told, long waits out of triage, members apart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import cache

import numpy as np
import pytest

from ingest.events import BedsCounted, Event, EventId, UnitId, VisitId
from ingest.events import LeftWard as Left
from tests.histories import LOOKS, NOON, NOTHING_MISSING, SEED, calibration, fingerprint, hospital, state, told
from tests.test_twin_calibrate import short
from tests.worlds import told as mark
from twin import known as known_module
from twin import present_draw as module
from twin.calibrate import Calibration
from twin.fabricate import Habits
from twin.keys import Keys
from twin.known import FORGET_AFTER_MIN, Known, known_at
from twin.present import AT_ONCE_MIN, Present
from twin.present_draw import draw_present, draw_presents
from twin.state import State, fold
from twin.story import NOWHERE, Array, Visits
from twin.waits import SITUATIONS

TRIAGE, PROVIDER, DECISION, DEPARTURE, BED, WARD = range(len(SITUATIONS))
MEMBERS = 12
Draw = Callable[[Known, Calibration, int], Present]


@cache
def known(look: int, habits: Habits | None = None, seed: int = SEED) -> Known:
    return known_at(state(LOOKS[look], habits, seed), calibration(habits, seed), LOOKS[look])


def drawn(k: Known, c: Calibration, member: int = 0) -> Present:
    return draw_present(k, c, seed=1, member=member)


def counts(present: Present) -> tuple[int, int, int]:
    """Census, waiting and boarders of the department, from the marks of the present."""
    told = Visits.of(present.history, np.zeros(present.count, dtype=np.int64))
    here = ~np.isnan(told.arrived_min) & np.isnan(told.departed_min)
    waits, boards = np.isnan(told.seen_min), ~np.isnan(told.decided_min)
    return int(here.sum()), int((here & waits).sum()), int((here & boards).sum())


@cache
def errors(habits: Habits | None = None, seed: int = SEED) -> np.ndarray:
    """Drawn less true, `(look, member, measure)`."""
    out = []
    for look, truth in enumerate(told(habits, seed).truth):
        came = np.array([truth["ed_census"], truth["ed_waiting"], truth["ed_boarders"]])
        k, c = known(look, habits, seed), calibration(habits, seed)
        out.append([counts(drawn(k, c, m)) - came for m in range(MEMBERS)])
    return np.array(out, dtype=np.float64)


# --- who is here


def test_as_many_are_drawn_as_are_there() -> None:
    """Three hospitals, ten looks each: those of one lie within three days, and err together."""
    drawn_less_true = np.concatenate([errors(None, seed) for seed in (SEED, 11, 12)])
    assert np.abs(drawn_less_true.mean(axis=(0, 1))) == pytest.approx([0, 0, 0], abs=0.8)
    assert np.abs(drawn_less_true.mean(axis=1)).mean(axis=0) == pytest.approx([0, 0, 0], abs=2.0)


def test_taking_everybody_without_an_exit_as_here_is_caught() -> None:
    bias = [
        counts(drawn(replace(known(look), p_here=np.ones(known(look).count)), calibration()))[0] - truth["ed_census"]
        for look, truth in enumerate(told().truth)
    ]
    assert np.mean(bias) > 20


def test_where_clerks_miss_nothing_the_census_is_the_truth_within_what_is_still_to_be_typed() -> None:
    assert np.abs(errors(NOTHING_MISSING).mean(axis=(0, 1))) == pytest.approx([0, 0, 0], abs=0.6)
    assert np.abs(errors(NOTHING_MISSING).mean(axis=1)).max() <= 2.5


def test_a_ghost_of_three_days_is_forgotten() -> None:
    old = fold(state(), [mark("Arrived", "old", "00:00", day=-500)])
    ages = {"ghost": FORGET_AFTER_MIN, "here": FORGET_AFTER_MIN - 1}
    late = fold(State(), [moved(mark("Arrived", visit, "00:00"), age) for visit, age in ages.items()])
    assert VisitId("old") not in known_at(old, calibration(), NOON).ids
    assert known_at(late, calibration(), NOON).ids == ("here",)


def moved(event: Event, ago_min: float) -> Event:
    """The event so many minutes before noon, known at noon."""
    return replace(event, occurred_at=NOON - timedelta(minutes=ago_min), known_at=NOON)


# --- in which stage


def names(present: Present, c: Calibration) -> list[str]:
    return [c.path.names[code] for code in present.stage.tolist()]


def stages_of(kinds: dict[str, float], c: Calibration, members: int = 200) -> list[tuple[str, bool, float]]:
    """(stage, serving, residual) of one patient whose milestones lie so many minutes back, in each member."""
    events: list[Event] = [mark(kind, "one", "00:00") for kind in kinds if kind != "Triaged"]
    events += [mark("Triaged", "one", "00:00", acuity="3A")] if "Triaged" in kinds else []
    k = known_at(fold(State(), [moved(event, kinds[event.kind]) for event in events]), c, NOON)
    out = []
    for member in range(members):
        p = draw_present(k, c, seed=1, member=member)
        out.append((names(p, c)[0], bool(p.serving[0]), float(p.residual_min[0, 0])))
    return out


def share(of: list[tuple[str, bool, float]], *stages: str) -> float:
    return sum(stage in stages for stage, _, _ in of) / len(of)


def test_who_has_just_come_is_in_triage_and_who_waits_long_is_not() -> None:
    assert share(stages_of({"Arrived": 2}, calibration()), "arrival") > 0.9
    assert share(stages_of({"Arrived": 180}, calibration()), "arrival") < 0.1


def test_who_is_triaged_queues_for_a_doctor_and_the_longer_the_likelier_the_contact_went_unrecorded() -> None:
    soon = stages_of({"Arrived": 15, "Triaged": 10}, calibration())
    long = stages_of({"Arrived": 600, "Triaged": 590}, calibration())
    assert share(soon, "contact_admit", "contact_home") == 1.0
    queued = [sum(not serving for _, serving, _ in of) / len(of) for of in (soon, long)]
    assert queued[0] > 0.5, "a contact may have been that is not typed in"
    assert queued[1] < min(0.5, queued[0])


def test_where_nothing_goes_unrecorded_who_waits_queues() -> None:
    c = calibration(NOTHING_MISSING)
    assert all(not serving for _, serving, _ in stages_of({"Arrived": 600, "Triaged": 590}, c))


def test_who_was_seen_is_in_care_and_the_longer_the_likelier_to_be_admitted() -> None:
    soon = stages_of({"Arrived": 60, "Triaged": 50, "SeenByProvider": 10}, calibration())
    long = stages_of({"Arrived": 460, "Triaged": 450, "SeenByProvider": 420}, calibration())
    assert all(serving and residual > 0 for _, serving, residual in soon)
    assert share(soon, "contact_admit", "contact_home") == 1.0
    admitted = [share(of, "contact_admit") for of in (soon, long)]
    usual = calibration().parameters.shares["p_admit"]
    assert admitted[0] == pytest.approx(float(usual[6].mean()), abs=0.15)
    assert admitted[0] != admitted[1]


def test_the_longer_care_has_lasted_the_shorter_is_what_is_left_of_a_usual_stay() -> None:
    left = [
        np.median(
            [r for _, _, r in stages_of({"Arrived": ago + 5, "Triaged": ago + 3, "SeenByProvider": ago}, calibration())]
        )
        for ago in (1, 60)
    ]
    assert 0 < left[1] < left[0]


@pytest.mark.parametrize("full", [True, False])
def test_a_boarder_searches_for_a_bed_and_then_queues_for_it_where_the_ward_is_full(
    full: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_full", lambda known, c: np.full(len(c.hospital.units), full))
    seen = {"Arrived": 900.0, "Triaged": 890.0, "SeenByProvider": 880.0}
    soon, long = (stages_of({**seen, "DecidedToAdmit": ago}, calibration()) for ago in (2, 800))
    assert share(soon, "bed_search") > 0.8
    long = [one for one in long if one[0] != "ward"]  # some have gone there without a word
    assert share(long, "boarding", "elsewhere" if full else "bed_search", "elsewhere") > 0.8
    assert share(long, "boarding") > 0.3 if full else share(long, "boarding") == 0
    assert all(serving is (stage != "boarding") for stage, serving, _ in soon + long)


def test_the_longer_a_boarder_waits_the_likelier_it_is_for_another_hospital() -> None:
    seen = {"Arrived": 900.0, "Triaged": 890.0, "SeenByProvider": 880.0}
    soon, long = (stages_of({**seen, "DecidedToAdmit": ago}, calibration()) for ago in (2, 500))
    assert 0 < share(soon, "elsewhere") < 0.3
    assert share(long, "elsewhere") > share(soon, "elsewhere")


def test_a_boarder_without_a_ward_is_given_one_that_can_be_wanted() -> None:
    events = [moved(mark("Arrived", "b", "00:00"), 240), moved(mark("DecidedToAdmit", "b", "00:00"), 60)]
    k = known_at(fold(State(), events), calibration(), NOON)
    assert k.unit.tolist() == [NOWHERE]
    units = {calibration().hospital.units[int(drawn(k, calibration(), m).unit[0])].name for m in range(30)}
    assert len(units) > 1
    assert units <= {u.name for u in calibration().hospital.wards}


def test_a_decision_without_a_recorded_contact_is_not_waiting() -> None:
    events = [moved(mark("Arrived", "b", "00:00"), 240), moved(mark("DecidedToAdmit", "b", "00:00"), 60)]
    k = replace(known_at(fold(State(), events), calibration(), NOON), p_here=np.ones(1))
    assert counts(drawn(k, calibration())) == (1, 0, 1)


def test_on_the_short_path_where_a_visit_leads_is_drawn_and_its_stay_counts_from_the_arrival() -> None:
    soon = stages_of({"Arrived": 5}, short())
    long = stages_of({"Arrived": 600}, short())
    assert {stage for stage, _, _ in soon} >= {"stay_home", "stay_ward"}
    assert share(long, "stay_ward") > share(soon, "stay_ward")
    assert all(serving for _, serving, _ in soon)


def test_a_ward_that_opened_since_the_calibration_waits_for_the_next() -> None:
    entered = moved(mark("EnteredWard", "n", "00:00", unit=UnitId("tents")), 60)
    k = known_at(fold(state(), [entered]), calibration(), NOON)
    assert fingerprint(k) == fingerprint(known(0))
    assert (k.unit[k.situation == WARD] >= 0).all()


def test_who_left_the_ward_is_not_in_it() -> None:
    inside = known(0).ids[-1]
    gone = Left(event_id=EventId("gone"), visit=inside, occurred_at=NOON, known_at=NOON)
    assert inside not in known_at(fold(state(), [gone]), calibration(), NOON).ids


def test_a_boarder_who_left_without_a_word_lies_in_a_ward() -> None:
    """Taken as gone altogether, the mutant, the ward would be emptier than it is."""
    events = [moved(mark("Arrived", "b", "00:00"), 900), moved(mark("Triaged", "b", "00:00"), 890)]
    events += [moved(mark("SeenByProvider", "b", "00:00"), 880)]
    events += [moved(mark("DecidedToAdmit", "b", "00:00", unit="medicine"), 800)]
    c = calibration()
    k = replace(known_at(fold(State(), events), c, NOON), p_here=np.full(1, 0.5))
    drawn_ = draw_presents(k, c, seed=1, members=range(400))
    there = [p for p in drawn_ if p.here[0] and c.path.names[int(p.stage[0])] == "ward"]
    gone = sum(not p.here[0] for p in drawn_)
    assert 100 < len(there) < 200
    assert gone < 0.4 * len(there), "most of them went to a ward"
    for present in there:
        told = Visits.of(present.history, np.zeros(1, dtype=np.int64))
        assert told.stay_unit.tolist() == present.unit.tolist()
        assert told.stay_from_min.tolist() == told.departed_min.tolist() == present.since_min.tolist()
        assert -800 <= present.since_min[0] < 0 < present.residual_min[0, 0]
        assert counts(present) == (0, 0, 0)


# --- members


def test_queues_keep_the_order_in_which_patients_came() -> None:
    k = known(0, NOTHING_MISSING)
    present = drawn(k, calibration(NOTHING_MISSING))
    queued = np.flatnonzero(~present.serving & (k.situation != TRIAGE))  # a triage may have been that is not typed in
    assert queued.size > 5
    np.testing.assert_array_equal(present.since_min[queued], k.since_min[queued])


def test_what_is_left_is_never_negative_and_what_has_begun_is_not_over() -> None:
    for look in range(len(LOOKS)):
        present = drawn(known(look), calibration())
        assert (present.residual_min >= 0).all()
        assert (present.residual_min[present.serving & present.here] > 0).mean() > 0.99
        assert (present.since_min <= 0).all()


def test_the_same_member_is_equal_and_another_differs() -> None:
    one, again, other = (drawn(known(0), calibration(), m) for m in (3, 3, 4))
    assert fingerprint(one) == fingerprint(again)
    assert fingerprint(one) != fingerprint(other)
    assert fingerprint(draw_present(known(0), calibration(), seed=2, member=3)) != fingerprint(one)


def in_chunks(size: int, members: int = 200) -> list[str]:
    """Fingerprints of the presents of members, drawn so many at a time."""
    chunks = (range(first, min(first + size, members)) for first in range(0, members, size))
    k, c = known(0), calibration()
    return [fingerprint(p) for chunk in chunks for p in draw_presents(k, c, seed=4, members=chunk)]


@pytest.mark.parametrize("size", [1, 7])
def test_a_member_is_the_same_in_whatever_company_it_is_drawn(size: int) -> None:
    assert in_chunks(size) == in_chunks(200)
    assert len(set(in_chunks(200))) == 200


def test_members_drawn_from_one_stream_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def together(seed: int, members: range, patients: int) -> tuple[Keys, Array]:
        """One generator for all who are drawn together."""
        dice = np.random.default_rng([seed, members[0]])
        keys = dice.integers(0, 1 << 64, (len(members), patients), dtype=np.uint64)
        return keys, dice.standard_normal(len(members))

    monkeypatch.setattr(module, "_dice", together)
    assert in_chunks(7, 14) != in_chunks(14, 14)


def test_on_the_short_path_too_members_do_not_depend_on_each_other() -> None:
    k = known_at(state(), short(), NOON)
    alone = [draw_present(k, short(), seed=4, member=m) for m in range(9)]
    assert fingerprint(alone) == fingerprint(draw_presents(k, short(), seed=4, members=range(9)))


def test_an_empty_hospital_has_an_empty_present() -> None:
    k = known_at(State(), calibration(), NOON)
    assert (k.count, drawn(k, calibration()).count) == (0, 0)
    assert hospital().wards


# --- as far as beds allow


def with_boarders(boarders: int, beds: int, inside: int) -> Known:
    """Boarders of seven hours for one ward of so many beds, of which so many are taken for certain.

    As many times six came when they did and are known to have left, as on any day.
    """
    ward = next(u for u in calibration().hospital.wards if u.name == "medicine")
    events = [counted(ward.name, beds)]
    for i in range(7 * boarders):
        visit = f"b{i}"
        if i >= boarders:
            events += [moved(mark("Departed", visit, "00:00", to="transfer"), 100)]
        events += [moved(mark("Arrived", visit, "00:00"), 600), moved(mark("Triaged", visit, "00:00"), 590)]
        events += [moved(mark("SeenByProvider", visit, "00:00"), 560)]
        events += [moved(mark("DecidedToAdmit", visit, "00:00", unit=ward.name), 420)]
    for i in range(inside):
        events += [moved(mark("EnteredWard", f"w{i}", "00:00", unit=ward.name), 30)]
    c = calibration()
    c = replace(c, hospital=c.hospital.with_beds({ward.name: beds}))
    return known_at(fold(State(), events), c, NOON)


def counted(ward: str, beds: int) -> Event:
    return BedsCounted(
        event_id=EventId("beds"), occurred_at=NOON - timedelta(days=1), known_at=NOON - timedelta(days=1), source="w",
        unit=UnitId(ward), count=beds,
    )  # fmt: skip


def boarding(k: Known) -> float:
    return float(k.p_here[k.situation == BED].sum())


def test_nobody_leaves_for_a_bed_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    full, empty = with_boarders(10, beds=20, inside=20), with_boarders(10, beds=20, inside=0)
    assert boarding(full) > boarding(empty) + 1.0
    left = 10 - boarding(full)
    assert left < 0.5 * (10 - boarding(empty))
    monkeypatch.setattr(known_module, "_within_beds", lambda p_here, *_: p_here)
    blind = boarding(with_boarders(10, beds=20, inside=20))
    assert blind == pytest.approx(boarding(empty)), "the mutant looks at no bed"


def test_who_was_sent_home_is_likelier_gone_than_who_is_in_care() -> None:
    """Judged like those in care, the mutant, ten would be counted who have left without a record."""
    seen = [("Arrived", 300), ("Triaged", 290), ("SeenByProvider", 240)]
    here = {}
    for kinds in (seen, [*seen, ("DecidedToDischarge", 200)]):
        events = [moved(mark(kind, "one", "00:00"), ago) for kind, ago in kinds]
        here[len(kinds)] = float(known_at(fold(State(), events), calibration(), NOON).p_here[0])
    assert here[4] < 0.5 * here[3]


def test_a_decision_may_have_been_taken_that_is_not_typed_in_yet() -> None:
    """Taken as not there until it is told, the mutant, what follows in the next hour comes too late."""
    c = calibration()
    assert 0 < np.median(c.typed_after_min) < 30.0

    def over(believed: Calibration) -> float:
        left = stages_of({"Arrived": 160.0, "Triaged": 150.0, "SeenByProvider": 120.0}, believed, members=400)
        return float(np.mean([residual <= AT_ONCE_MIN for _, _, residual in left]))

    assert over(replace(c, typed_after_min=np.empty(0))) < 0.01
    assert 0.02 < over(c) < 0.4
