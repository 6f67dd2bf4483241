"""The default parameters: every number with unit and source, and a week like that of a French department."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path as FilePath
from typing import Any

import numpy as np
import pytest

from ingest.errors import ConfigurationError
from ingest.events import RANK
from twin.defaults import DEFAULT, default_parameters
from twin.errors import ParametersError
from twin.fate import Lot, cast
from twin.hospital import Profile, load_hospital
from twin.kernel import Runs, compiled
from twin.luck import draw
from twin.measures import measure
from twin.parameters import Parameters
from twin.pathway import load_path
from twin.present import Present
from twin.small_hospitals import START, Array, Member
from twin.story import DESTINATIONS, Story

DAY = 1440.0
DAYS = 28
FROM_MIN, UNTIL_MIN = 7 * DAY, DAYS * DAY
WEEKS = 3
HOURS_MIN = np.arange(FROM_MIN, UNTIL_MIN, 60.0)
HOSPITAL = load_hospital()
PATH = load_path("full", HOSPITAL)
BELIEVED = default_parameters(HOSPITAL, PATH)
TEXT = DEFAULT.read_text(encoding="utf-8")
COMPILES = pytest.mark.timeout(400)
"""The first of these tests may have to compile the engine."""


def full_wards(seed: int) -> Present:
    """Nearly all beds are taken; each patient's stay is one that a bed is likely to hold, at a moment within it."""
    generator = np.random.default_rng(seed)
    rows = []
    for unit in HOSPITAL.wards:
        duration = BELIEVED.durations["uhcd_stay" if unit.name == "uhcd" else f"ward_stay:{unit.name}"]
        stage = PATH.index({"uhcd": "uhcd", "intensive_care": "icu_stay"}.get(unit.name, "second_ward"))
        for _ in range(int(unit.places * (0.7 if unit.name in ("uhcd", "intensive_care") else 0.96))):
            cls = int(generator.integers(len(BELIEVED.classes)))
            stays = duration.at(generator.random(32), np.full(32, cls), np.zeros(32, dtype=np.int64))[:, 0]
            left = float(generator.choice(stays, p=stays / stays.sum()) * generator.random())
            rows.append((cls, HOSPITAL.unit_code(unit.name), stage, left))
    cls_, unit_, stage_, left_ = (np.array(column) for column in zip(*rows, strict=True))
    n = len(rows)
    ward = DESTINATIONS.index("ward")
    return Present(
        cls=cls_,
        block=np.zeros(n, dtype=np.int64),
        unit=unit_,
        stage=stage_,
        serving=np.ones(n, dtype=np.bool_),
        since_min=np.full(n, -600.0),
        arrived_min=np.full(n, -900.0),
        residual_min=left_[:, None],
        here=np.ones(n, dtype=np.bool_),
        history=Story.of(tuple((-600.0, RANK["Departed"], row, int(unit_[row]), ward) for row in range(n))),
    )


def weeks(capacity: Callable[[str, Profile], Profile] = lambda _, profile: profile, **changed: Any) -> list[Member]:
    """Four times four weeks of the default hospital, each with wards nearly full at the start, under changes."""
    believed = replace(BELIEVED, **changed)
    places = HOSPITAL.capacities(PATH.pools, START, UNTIL_MIN)
    places = {pool: capacity(pool, profile) for pool, profile in places.items()}
    out = []
    for seed in range(4):
        here = full_wards(seed)
        luck = draw(
            PATH, believed, here.count, seed=8, member=seed, start=START, horizon_min=UNTIL_MIN, zone=HOSPITAL.zone
        )
        fate = cast(PATH, believed, luck, here)
        story = Runs(PATH, Lot.of(fate), here, UNTIL_MIN, form=compiled()).under(places)
        out.append(Member(story, fate, here, places))
    return out


def believed(text: str, tmp_path: FilePath) -> Parameters:
    file = tmp_path / "parameters.toml"
    file.write_text(text, encoding="utf-8")
    return default_parameters(HOSPITAL, PATH, file)


def test_they_fit_the_full_path_and_keep_where_each_number_comes_from() -> None:
    found = default_parameters(HOSPITAL, PATH)
    assert len(found.classes) == 18
    assert found.streams[0].per_hour.sum() / 7 == pytest.approx(220)
    facts = found.learned["facts"]
    assert facts["arrivals"]["per_day"]["unit"] == "visits/day"
    assert all(fact["source"] for kind in ("durations", "shares", "wanted") for fact in facts[kind].values())


def test_monday_is_busiest_and_three_quarters_come_by_day() -> None:
    week = default_parameters(HOSPITAL, PATH).streams[0].per_hour.reshape(7, 24)
    by_day = week.sum(axis=1)
    assert by_day[0] / by_day[1:].mean() == pytest.approx(1.11, abs=0.01)
    assert week[:, 8:20].sum() / week.sum() == pytest.approx(0.72, abs=0.02)


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('unit = "visits/day", ', "", "arrivals.per_day.unit: is missing"),
        ("2.06, 1.66", "9.06, 1.66", "shares of the day must sum to 100 %"),
        ("value = 220", "value = -220", "arrivals.per_day.value"),
        ('"0-17" = 0.25, "18-74" = 0.60', '"0-17" = 0.35, "18-74" = 0.60', "shares must sum to 1, but sum to 1.1"),
        ("median = 3, sigma = 0.5", "median = 3", "lognormal must have median and sigma"),
        ('hours = { "8-12" = 2', 'hours = { "12-8h" = 2', 'hours must be written like "8-20"'),
        ('hours = "9-21"', 'hours = "21"', 'hours must be written like "8-20"'),
        ("p_opinion_only = { value = 0.05", "p_opinion_only = { value = 1.05", "shares.p_opinion_only.value"),
        ("medicine = 0.60, pneum", "medicine = 0.70, pneum", "shares must sum to 1, but sum to 1.1"),
    ],
)  # fmt: skip
def test_a_fault_is_told_with_its_line(old: str, new: str, fault: str, tmp_path: FilePath) -> None:
    assert old in TEXT
    with pytest.raises(ConfigurationError) as error:
        believed(TEXT.replace(old, new, 1), tmp_path)
    assert fault in str(error.value)
    line = int(str(error.value).split("parameters.toml:")[1].split(":")[0])
    assert line == TEXT[: TEXT.index(old)].count("\n") + 1


def test_what_the_path_or_the_hospital_does_not_know_is_named(tmp_path: FilePath) -> None:
    with pytest.raises(ParametersError, match="triage: path full needs it"):
        believed(TEXT.replace("\ntriage         =", "\ntriages        ="), tmp_path)
    with pytest.raises(ParametersError, match="unknown ward maternity"):
        believed(TEXT.replace("[planned.cardiology]", "[planned.maternity]"), tmp_path)
    with pytest.raises(ParametersError, match=r"requests\.imaging: unknown ward maternity"):
        believed(TEXT.replace('ward = "medicine"', 'ward = "maternity"', 1), tmp_path)
    with pytest.raises(ParametersError, match=r"leaving\.around_the_clock: unknown ward hospice"):
        believed(TEXT.replace('value = ["uhcd", ', 'value = ["hospice", '), tmp_path)


def test_the_fast_track_is_open_by_day() -> None:
    found = default_parameters(HOSPITAL, PATH)
    assert found.blocks == 2
    share = found.shares["p_fast_track"][:, found.block_of_hour]
    assert share.shape == (18, 24)
    assert share[:, 9:21].max() == pytest.approx(0.75)
    assert not share[:, [*range(9), *range(21, 24)]].any()


def test_who_comes_by_appointment_comes_on_the_days_of_the_list() -> None:
    streams = {stream.name: stream for stream in default_parameters(HOSPITAL, PATH).streams}
    list_ = streams["planned:surgery"].per_hour.reshape(7, 24)
    assert list_.sum(axis=1) == pytest.approx([5.5, 5.5, 5.5, 5.0, 3.5, 0, 0])
    assert list_[:, [7, 8]].sum() == pytest.approx(list_.sum())
    assert streams["planned:surgery"].enters == "planned_surgery"
    requests = streams["request:imaging"]
    assert (requests.enters, requests.unit) == ("ward_imaging", HOSPITAL.unit_code("medicine"))
    assert requests.per_hour.sum() == pytest.approx(55 * 5.7)


def test_wards_let_patients_go_by_day_and_fewer_at_weekends() -> None:
    leaving = default_parameters(HOSPITAL, PATH).leaving
    assert leaving is not None
    assert leaving.mean(axis=1) == pytest.approx(1.0)
    medicine = leaving[HOSPITAL.unit_code("medicine")].reshape(7, 24)
    assert medicine[:, 9:20].sum() > 0.9 * medicine.sum()
    assert medicine[5:].sum() / 2 < 0.65 * medicine[:5].sum() / 5
    assert (leaving[HOSPITAL.unit_code("uhcd")] == 1.0).all()


# --- four weeks, of which the last three are looked at ---------------------------------------------------------------


@pytest.fixture(scope="module")
def usual() -> list[Member]:
    return weeks()


def stays_of(ran: list[Member]) -> tuple[Array, Array]:
    """Minutes in the department, and where to, of those who came in three weeks and left."""
    visits = [one.visits for one in ran]
    settled = [(v.arrived_min > FROM_MIN) & (v.departed_min < np.inf) for v in visits]
    stay = np.concatenate([(v.departed_min - v.arrived_min)[s] for v, s in zip(visits, settled, strict=True)])
    return stay, np.concatenate([v.to[s] for v, s in zip(visits, settled, strict=True)])


def counted(ran: list[Member], name: str, hours: Array = HOURS_MIN) -> Array:
    """A measure at hours of three weeks, `(member, hour)`."""
    return np.array([measure(one.visits, hours)[name] for one in ran])


@COMPILES
def test_a_week_gives_the_published_figures(usual: list[Member]) -> None:
    stay, to = stays_of(usual)
    share = {name: float((to == code).mean()) for code, name in enumerate(DESTINATIONS)}
    assert 120 < np.median(stay[to == DESTINATIONS.index("home")]) < 190, "DREES: 2 h 30"
    assert 180 < np.median(stay[to == DESTINATIONS.index("ward")]) < 400, "DREES: 5 h 20"
    assert 0.17 < share["ward"] < 0.23
    assert 0.001 < share["left_without_being_seen"] < 0.03
    assert 0.01 < share["transfer"] < 0.03
    assert 0.01 < (stay > 480).mean() < 0.15, "DREES: 15 %, with sites that board longer; 0.022 over many weeks"


EVENTS_A_DAY = 2150
"""Logical events of a day of the default hospital: a thinner one would run faster. Raised when the hospital grows."""


def events_a_day(ran: list[Member]) -> float:
    """The mean over three weeks; it differs by 20 from run to run."""
    told = [((one.story.at_min > FROM_MIN) & (one.story.at_min < UNTIL_MIN)).sum() for one in ran]
    return float(np.mean(told)) / WEEKS / 7


@COMPILES
def test_a_day_of_the_default_hospital_has_as_many_events_as_it_had(usual: list[Member]) -> None:
    """Without its tests and opinions, the mutant, it would have fewer."""
    assert events_a_day(usual) == pytest.approx(EVENTS_A_DAY, rel=0.02)
    tests = ("p_laboratory", "p_imaging_only", "p_opinion_only", "p_fast_imaging")
    none = {name: np.zeros_like(BELIEVED.shares[name]) for name in tests}
    thinner = weeks(shares={**BELIEVED.shares, **none})
    assert events_a_day(thinner) != pytest.approx(EVENTS_A_DAY, rel=0.02)
    assert len(PATH.pools) >= 27
    assert len(PATH.stages) >= 70


@COMPILES
def test_a_week_has_the_usual_crowd_at_15_h_and_boards_patients(usual: list[Member]) -> None:
    at_15 = np.arange(FROM_MIN + 14 * 60.0, UNTIL_MIN, DAY)  # 15 h in Paris is 14 h UTC in March
    per_day = np.mean([(one.visits.arrived_min > FROM_MIN).sum() / WEEKS / 7 for one in usual])
    by_day, by_night = (counted(usual, "ed_census", at).mean() for at in (at_15, at_15 - 9 * 60))
    assert 0.15 < by_day / per_day < 0.26, "ORU: 17 % in the region, 15-25 % by site"
    assert by_night < 0.75 * by_day, "quieter at 6 h"
    boarders = counted(usual, "ed_boarders")
    assert 1.0 < boarders.mean() < 20
    assert boarders.max() > boarders.mean() * 1.5


@COMPILES
def test_patients_leave_wards_by_day_and_fewer_at_weekends(usual: list[Member]) -> None:
    wards = [u.ward and u.name not in ("uhcd", "intensive_care") for u in HOSPITAL.units]
    ends = np.concatenate([v.stay_until_min[np.array(wards)[v.stay_unit]] for v in (one.visits for one in usual)])
    local = ends[(ends > FROM_MIN) & (ends < UNTIL_MIN - 60)] + 60.0
    assert ((local // 60 % 24 >= 9) & (local // 60 % 24 < 20)).mean() > 0.9
    by_weekday = np.bincount((local // DAY % 7).astype(int), minlength=7)
    assert by_weekday[5:].mean() < 0.85 * by_weekday[:5].mean()


@COMPILES
def test_boarding_emerges_from_the_wards(usual: list[Member]) -> None:
    """With a bed for everybody all that is left is the handover and the way: an hour each."""
    plenty = weeks(capacity=lambda pool, profile: ((0.0, 999),) if pool.startswith("bed:") else profile)
    waited, handed_over = (counted(ran, "ed_boarders").mean() for ran in (usual, plenty))
    assert handed_over < 0.4 * waited
    lwbs = DESTINATIONS.index("left_without_being_seen")
    assert (stays_of(plenty)[1] == lwbs).mean() < (stays_of(usual)[1] == lwbs).mean(), "boarders released (2.4)"


@COMPILES
def test_what_is_published_of_discharges_happens_here_too(usual: list[Member]) -> None:
    """Four hours earlier, half of the wait for a bed is gone (Powell 2012: nearly all); with weekends like weekdays,
    even more; and with one cleaner alone there is much more of it."""
    plenty = weeks(capacity=lambda pool, profile: ((0.0, 999),) if pool.startswith("bed:") else profile)
    handed_over = counted(plenty, "ed_boarders").mean()
    waited = counted(usual, "ed_boarders").mean() - handed_over
    earlier = weeks(leaving_earlier_min=240.0)
    assert counted(earlier, "ed_boarders").mean() - handed_over < 0.7 * waited
    at_11 = np.arange(FROM_MIN + 10 * 60.0, UNTIL_MIN, DAY)
    assert counted(earlier, "ed_boarders", at_11).mean() < 0.5 * counted(usual, "ed_boarders", at_11).mean()
    clock = BELIEVED.leaving
    assert clock is not None
    by_day = clock.reshape(-1, 7, 24).copy()
    by_day[:, 5:] = by_day[:, 1:4].mean(axis=1, keepdims=True)
    smoothed = weeks(leaving=by_day.reshape(clock.shape))
    assert counted(smoothed, "ed_boarders").mean() - handed_over < 0.6 * waited
    alone = weeks(capacity=lambda pool, profile: ((0.0, 1),) if pool == "cleaner" else profile)
    assert counted(alone, "ed_boarders").mean() - handed_over > 1.5 * waited
