"""The comparisons that pages ask for: begun when somebody looks, refined, given up, begun anew from a new present."""

from __future__ import annotations

import threading
from concurrent.futures import Executor, Future
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from forecast import comparisons as module
from forecast.comparisons import MOST_CHOSEN, Asked, Comparisons, asked_of
from forecast.ensemble import Run
from forecast.points_of_view import points_of_view
from forecast.services import services_file
from forecast.situation import Situation
from forecast.study import Study, with_numbers
from ingest.clock import SimulatedClock
from ingest.errors import EdtwinError
from tests.histories import NOON, situation
from twin import kernel
from twin.hospital import load_hospital
from twin.scenarios import catalogue

CATALOGUE = catalogue()
STUDY = Study(points_of_view(), {}, CATALOGUE, load_hospital(), 58)
HOW = Run(members=30, horizon_min=1440.0, seed=7)


class Here(Executor):
    """Runs what it is given at once, and counts it."""

    def __init__(self) -> None:
        self.ran = 0

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.ran += 1
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


class Broken(Executor):
    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        raise EdtwinError("the workers are gone")


@cache
def present() -> Situation:
    kernel.warm()
    return situation()


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST_ANSWER_S", 60.0)


def made(executor: Executor, source: Any = present) -> Comparisons:
    return Comparisons(STUDY, source, executor, SimulatedClock(NOON), HOW, mode="live", default=("ten_beds_closed",))


# --- what is asked for


def test_an_address_asks_for_a_view_and_scenarios() -> None:
    found = asked_of("?lang=fr&view=nurses&with=winter_peak,ten_beds_closed", STUDY, ())
    assert found == Asked("nurses", ("winter_peak", "ten_beds_closed"))


@pytest.mark.parametrize("query", ["", "?view=chef", "?view=%00&lang=xx", "?x=" + 5000 * "y"])
def test_what_is_not_asked_for_is_the_first_view_and_the_wall_s_scenarios(query: str) -> None:
    assert asked_of(query, STUDY, ("ten_beds_closed",)) == Asked("doctors", ("ten_beds_closed",))


def test_nonsense_is_left_out_and_there_are_six_at_most() -> None:
    many = ",".join([*CATALOGUE, "<script>", "winter_peak"])
    assert len(asked_of(f"?with={many[:500]}", STUDY, ()).names) == MOST_CHOSEN
    assert asked_of("?with=as_usual,nobody,winter_peak,winter_peak", STUDY, ()).names == ("winter_peak",)
    assert asked_of("?with=", STUDY, ("winter_peak",)).names == (), "none is none"


# --- comparing


def test_before_the_first_forecast_there_is_what_can_be_chosen() -> None:
    page = made(Here(), lambda: None).view("")
    assert (page.as_of, page.members, page.criteria) == (None, 0, ())
    assert [one.name for one in page.choices if one.chosen] == ["ten_beds_closed"]
    assert len(page.choices) == len(CATALOGUE) - 1


def test_the_first_look_begins_it_and_the_next_finds_it_done() -> None:
    executor = Here()
    some = made(executor)
    some.view("?view=beds&with=ten_beds_closed,winter_peak")
    page = _whole(some, "?view=beds&with=ten_beds_closed,winter_peak")
    assert (page.members, page.as_of) == (30, NOON)
    [closed] = [one for one in page.choices if one.name == "ten_beds_closed"]
    effect = closed.effects["boarding_h"]
    assert effect is not None
    assert effect.low > 0
    assert "" in closed.dominated_by, "as usual is better or equal on all that bed managers look at"
    ran = executor.ran
    assert _whole(some, "?view=doctors&with=ten_beds_closed,winter_peak").members == 30
    assert executor.ran == ran, "another point of view runs nothing anew"


def test_a_new_present_is_compared_anew() -> None:
    executor, now = Here(), [present()]
    some = made(executor, lambda: now[0])
    _whole(some, "?with=ten_beds_closed")
    ran = executor.ran
    now[0] = replace(present())
    assert _whole(some, "?with=ten_beds_closed").members == 30
    assert executor.ran == 2 * ran


def test_who_has_no_lever_is_not_run_and_says_why() -> None:
    executor = Here()
    page = made(executor).view("?with=it_outage" if "it_outage" in CATALOGUE else "?with=")
    without = [one for one in page.choices if one.why_not_en is not None]
    assert without
    assert all(one.why_not_fr for one in without)
    assert not any(one.effects for one in without)


def test_a_fault_is_told_and_the_house_goes_on() -> None:
    page = made(Broken()).view("?with=ten_beds_closed")
    assert page.fault == "the workers are gone"
    assert page.members == 0


def test_only_so_many_are_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEPT", 2)
    some = made(Here())
    for name in ("ten_beds_closed", "winter_peak", "one_more_doctor", "arrivals_up_20"):
        some.view(f"?with={name}")
    assert len(some._works) == 2


def _whole(some: Comparisons, query: str) -> Any:
    """The page once the comparison has ended."""
    some.view(query)
    for thread in threading.enumerate():
        if thread.name == "comparison":
            thread.join(60.0)
    return some.view(query)


# --- numbers


def test_numbers_are_put_to_the_scenarios_that_have_them() -> None:
    assert with_numbers(["winter_peak", "ten_beds_closed"], ["percent=30"], CATALOGUE) == [
        "winter_peak[percent=30]", "ten_beds_closed",
    ]  # fmt: skip
    assert with_numbers(["ten_beds_closed+winter_peak"], ["percent=30", "old=20"], CATALOGUE) == [
        "ten_beds_closed+winter_peak[percent=30,old=20]"
    ]
    assert with_numbers(["winter_peak"], [], CATALOGUE) == ["winter_peak"]


@pytest.mark.parametrize(
    ("name", "number", "said"),
    [
        ("winter_peak", "percnt=3", "winter_peak has no number percnt; there are "),
        ("ten_beds_closed", "beds=3", "ten_beds_closed has no number beds: they have none"),
        ("winter_peak", "percent", "a number must be set as name=value, but is 'percent'"),
    ],
)
def test_a_number_that_none_has_is_said(name: str, number: str, said: str) -> None:
    with pytest.raises(EdtwinError, match=said):
        with_numbers([name], [number], CATALOGUE)


def test_services_and_words_of_a_study() -> None:
    study = replace(STUDY, services=services_file())
    assert study.wanted.spaces == 58
    assert study.called["doctor"] == ("Médecins urgentistes", "Emergency doctors")
    assert [one.name for one in study.criteria(["ed_peak", "nights"], names=["nights"])] == ["nights"]
