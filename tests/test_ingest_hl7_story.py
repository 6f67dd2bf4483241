"""Corrections: what messages amount to, in any order and with repeats, against a hospital in a dict."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from ingest.events import Event, VisitId
from tests.hl7_messages import adt, events, hl7, place, zbe
from tests.hl7_model import AREAS, WARDS, Record, Reference, Row
from twin import state as state_module
from twin.state import State, fold
from twin.visit import Visit

FORM = hl7()
NUMBERED, PLAIN = ["N1", "N2", "N3"], ["U1", "U2"]


def pseudonym(visit: str) -> VisitId:
    [event] = FORM.read(FORM.kept(adt("A16", "08:00", visit=visit, group="E")).payload, place()).events
    return VisitId(event.visit)  # type: ignore[attr-defined]


NAMES = {pseudonym(visit): visit for visit in (*NUMBERED, *PLAIN)}


def state_of(messages: list[bytes], chance: np.random.Generator | None = None) -> State:
    """The state of messages as they came; with `chance`, in any order, with repeats, in parts."""
    order = [*range(len(messages))]
    if chance is not None:
        order = chance.permutation([*order, *chance.integers(0, len(messages), len(messages) // 20 + 1)]).tolist()
    state, told = State(), list[Event]()
    for position, index in enumerate(order, start=1):
        reading = FORM.read(FORM.kept(messages[index]).payload, place(position))
        assert reading.rejected is None
        told += reading.events
        if chance is None or chance.random() < 0.3:
            state, told = fold(state, told), []
    return fold(state, told)


def row(visit: Visit) -> Row:
    """What the reference says of a visit too."""
    stays = tuple((str(stay.unit), stay.from_at, stay.until_at) for stay in visit.stays)
    return visit.arrived_at, visit.departed_at, visit.to, stays


def rows(state: State) -> dict[str, Row]:
    return telling({NAMES[visit]: row(found) for visit, found in state.visits.items()})


def telling(found: dict[str, Row]) -> dict[str, Row]:
    """Without the rows that tell nothing, such as that of a visit of which only a merge was told."""
    return {visit: told for visit, told in found.items() if any(told)}


class Story(RuleBasedStateMachine):
    """A hospital that tells, changes, cancels, merges; what the twin holds must be what the hospital holds."""

    def __init__(self) -> None:
        super().__init__()
        self.hospital = Reference()

    visits = st.sampled_from([*NUMBERED, *PLAIN])
    minutes = st.integers(0, 1_000)

    @rule(visit=visits, minute=minutes)
    def arrives(self, visit: str, minute: int) -> None:
        self.hospital.tell(visit, "arrival", "ED", minute)

    @rule(visit=visits, code=st.sampled_from([*AREAS]), minute=minutes)
    def moves(self, visit: str, code: str, minute: int) -> None:
        self.hospital.tell(visit, "move", code, minute)

    @rule(visit=visits, code=st.sampled_from([*WARDS]), minute=minutes)
    def goes_to_a_ward(self, visit: str, code: str, minute: int) -> None:
        self.hospital.tell(visit, "to_ward", code, minute)

    @rule(visit=visits, minute=minutes)
    def leaves(self, visit: str, minute: int) -> None:
        self.hospital.tell(visit, "exit", "ED", minute)

    @rule(visit=visits, minute=minutes)
    def leaves_the_ward(self, visit: str, minute: int) -> None:
        self.hospital.tell(visit, "leave", "3101", minute)

    def records(self, visits: list[str], kinds: tuple[str, ...] = ()) -> list[tuple[str, Record]]:
        """What was told of these visits; of the others nothing is cancelled by number."""
        held = self.hospital.visits
        return [(v, r) for v in visits for r in held.get(v, {}).values() if not kinds or r.kind in kinds]

    @precondition(lambda self: self.records(NUMBERED))
    @rule(data=st.data(), minute=minutes)
    def a_movement_is_changed(self, data: st.DataObject, minute: int) -> None:
        visit, record = data.draw(st.sampled_from(self.records(NUMBERED)))
        self.hospital.change(visit, record, minute)

    @precondition(lambda self: self.records(NUMBERED))
    @rule(data=st.data())
    def a_movement_is_cancelled(self, data: st.DataObject) -> None:
        self.hospital.cancel(*data.draw(st.sampled_from(self.records(NUMBERED))))

    @precondition(lambda self: self.records(PLAIN))
    @rule(data=st.data())
    def something_without_a_number_is_cancelled(self, data: st.DataObject) -> None:
        self.hospital.cancel(*data.draw(st.sampled_from(self.records(PLAIN))))

    @rule(visit=st.sampled_from(PLAIN))
    def the_last_move_is_cancelled(self, visit: str) -> None:
        self.hospital.cancel_last_move(visit)

    @rule(visit=st.sampled_from(NUMBERED))
    def something_unknown_is_cancelled(self, visit: str) -> None:
        self.hospital.cancel_unknown(visit)

    @rule(visit=visits, into=visits)
    def is_merged(self, visit: str, into: str) -> None:
        if visit != into:
            self.hospital.merge(visit, into)

    @rule(seed=st.integers(0, 2**32))
    def the_twin_holds_what_the_hospital_holds(self, seed: int) -> None:
        if self.hospital.sent:
            assert rows(state_of(self.hospital.sent, np.random.default_rng(seed))) == telling(self.hospital.rows())

    def teardown(self) -> None:
        sent, expected = self.hospital.sent, telling(self.hospital.rows())
        if sent:
            assert rows(state_of(sent)) == expected
            assert rows(state_of(sent, np.random.default_rng(len(sent)))) == expected


def run(examples: int, steps: int, **options: Any) -> None:
    run_state_machine_as_test(
        Story,
        settings=hypothesis_settings(
            max_examples=examples, stateful_step_count=steps, deadline=None,
            suppress_health_check=[*HealthCheck], **{"report_multiple_bugs": False, **options},
        ),
    )  # fmt: skip


def test_the_twin_holds_what_the_hospital_holds_whatever_is_told_in_whatever_order() -> None:
    run(60, 30)


@pytest.mark.soak
@pytest.mark.timeout(1_800)
def test_the_twin_holds_what_the_hospital_holds_500_times_50_steps() -> None:
    run(500, 50)


MUTANTS: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "a cancellation strikes what is told later too": lambda patch: patch.setattr(
        state_module, "stands", lambda state, event, _path=(): not state.cancellations.get(event.event_id)
    ),
    "what is told last wins": lambda patch: patch.setattr(state_module, "_beats", lambda event, known: True),
}


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_fold_that_corrects_otherwise_is_caught(mutant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    MUTANTS[mutant](monkeypatch)
    with pytest.raises(AssertionError):
        run(300, 30, phases=[Phase.generate], database=None, derandomize=True)


def day(numbered: bool) -> dict[str, bytes]:
    """A visit from arrival to the ward, by what each message tells."""
    told = {
        "arrival": ("A04", "08:00", {"unit": "ED", "group": "E"}),
        "move": ("A02", "09:00", {"unit": "SAUV", "prior": "ED", "group": "E"}),
        "second move": ("A02", "10:00", {"unit": "ED", "prior": "SAUV", "group": "E"}),
        "exit": ("A03", "11:00", {"unit": "ED", "group": "E"}),
    }
    return {
        name: adt(trigger, clock, *([zbe(name, clock)] if numbered else []), **fields)  # type: ignore[arg-type]
        for name, (trigger, clock, fields) in told.items()
    }


def undo(name: str, trigger: str, clock: str, own: str, numbered: bool, **fields: Any) -> bytes:
    extra = [zbe(name, clock, "CANCEL", own)] if numbered else []
    return adt(trigger, clock, *extra, recorded="12:00", **fields)


def visits(*messages: bytes) -> dict[VisitId, Visit]:
    return dict(fold(State(), events(*messages)).visits)


@pytest.mark.parametrize("numbered", [True, False])
def test_a_story_and_its_a11_is_the_story_without_the_arrival(numbered: bool) -> None:
    told = day(numbered)
    cancel = undo("arrival", "A11", "08:00", "A04", numbered, unit="ED", group="E")
    without = [message for name, message in told.items() if name != "arrival"]
    assert visits(*told.values(), cancel) == visits(*without)
    assert visits(cancel, *told.values()) == visits(*without)
    assert fold(State(), events(told["arrival"], cancel)).visits == {}


@pytest.mark.parametrize("numbered", [True, False])
@pytest.mark.parametrize(("name", "clock"), [("move", "09:00"), ("second move", "10:00")])
def test_a_story_and_its_a12_is_the_story_without_the_move(name: str, clock: str, numbered: bool) -> None:
    told = day(numbered)
    cancel = undo(name, "A12", clock, "A02", numbered, unit="ED", group="E")
    assert visits(*told.values(), cancel) == visits(*(m for n, m in told.items() if n != name))


@pytest.mark.parametrize("numbered", [True, False])
def test_a_story_and_its_a13_is_a_stay_that_never_ended(numbered: bool) -> None:
    told = day(numbered)
    cancel = undo("exit", "A13", "11:00", "A03", numbered, unit="ED", group="E")
    [visit] = visits(*told.values(), cancel).values()
    assert {visit.visit: visit} == visits(*(m for n, m in told.items() if n != "exit"))
    assert (visit.arrived_at is not None, visit.departed_at) == (True, None)


def test_two_cancellations_of_the_last_move_strike_two_moves_and_a_third_does_nothing() -> None:
    told = [*day(False).values()][:3]
    cancels = [adt("A12", clock, unit="ED", evn6=False) for clock in ("12:00", "12:05", "12:10")]
    assert [len(v.stays) for n in range(4) for v in visits(*told, *cancels[:n]).values()] == [3, 2, 1, 1]
    assert visits(*reversed(cancels), *told) == visits(*told, *cancels)
    assert visits(*told, cancels[0], cancels[0]) == visits(*told, cancels[0])
    later = adt("A02", "13:00", unit="SAUV", prior="ED", group="E")
    assert [stay.unit for v in visits(*told, *cancels, later).values() for stay in v.stays] == ["boxes", "sauv"]


def test_a_fold_that_never_strikes_the_last_move_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state_module, "undone", lambda told, strikes: set())
    with pytest.raises(AssertionError):
        test_two_cancellations_of_the_last_move_strike_two_moves_and_a_third_does_nothing()


def test_a_merge_before_either_arrival_twice_and_in_a_chain() -> None:
    def arrival(visit: str, clock: str) -> bytes:
        return adt("A04", clock, visit=visit, unit="ED", group="E")

    def merge(old: str, new: str, clock: str) -> bytes:
        return adt("A42", clock, f"MRG|||||{old}", visit=new)

    told = [arrival("V1", "08:00"), arrival("V2", "08:10"), arrival("V3", "08:20")]
    chain = [merge("V1", "V2", "09:00"), merge("V2", "V3", "09:10")]
    [merged] = visits(*told, *chain).values()
    assert visits(*chain, *chain, *told) == visits(*told, *chain)
    assert merged.visit == next(iter(visits(told[2])))
    assert merged.arrived_at == next(iter(visits(told[0]).values())).arrived_at
    assert visits(*told, *chain, merge("V3", "V1", "09:20")) == visits(*told, *chain)


@pytest.mark.parametrize("cancel_visit", ["V1", "V2"])
def test_after_a_merge_a_movement_is_cancelled_under_either_number(cancel_visit: str) -> None:
    told = [*day(True).values(), adt("A42", "11:30", "MRG|||||V1", visit="V2")]
    cancel = adt("A12", "10:00", zbe("move", "09:00", "CANCEL", "A02"), visit=cancel_visit, recorded="12:00", unit="ED")
    without = [message for message in told if message != day(True)["move"]]
    assert visits(*told, cancel) == visits(cancel, *reversed(told)) == visits(*without)


def test_before_a_merge_a_cancellation_under_the_new_number_means_that_visits_own() -> None:
    told = [*day(True).values(), adt("A42", "12:30", "MRG|||||V1", visit="V2")]
    cancel = adt("A12", "10:00", zbe("move", "09:00", "CANCEL", "A02"), visit="V2", recorded="12:00", unit="ED")
    assert visits(*told, cancel) == visits(*told)


def test_after_a_merge_a_movement_is_changed_under_the_new_number() -> None:
    told = [*day(True).values(), adt("A42", "11:30", "MRG|||||V1", visit="V2")]
    change = adt("Z99", "12:00", zbe("exit", "11:20", "UPDATE", "A03"), visit="V2", unit="ED", group="E")
    late = adt("A03", "11:20", zbe("exit", "11:20"), unit="ED", group="E")
    without = [message for message in told if message != day(True)["exit"]]
    changed, expected = visits(*told, change), visits(*without, late)
    assert changed == visits(change, *reversed(told)) == expected


def test_after_a_merge_a_stay_that_never_ended_goes_on() -> None:
    told = [*day(False).values(), adt("A42", "11:30", "MRG|||||V1", visit="V2")]
    cancel = adt("A13", "11:00", visit="V2", recorded="12:00", unit="ED", group="E")
    [visit] = visits(*told, cancel).values()
    assert visit.departed_at is None


def test_a_fold_that_forgets_the_old_number_after_a_merge_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state_module, "superseded", lambda *arguments: set())
    with pytest.raises(AssertionError):
        test_after_a_merge_a_movement_is_cancelled_under_either_number("V2")
    with pytest.raises(AssertionError):
        test_after_a_merge_a_movement_is_changed_under_the_new_number()
