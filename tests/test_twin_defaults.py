"""The default parameters: every number with unit and source, and a week like that of a French department."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path as FilePath

import numpy as np
import pytest

from ingest.errors import ConfigurationError
from ingest.events import RANK
from tests.small_hospitals import START, Member
from twin import kernel
from twin.defaults import DEFAULT, default_parameters
from twin.errors import ParametersError
from twin.fate import cast
from twin.hospital import Hospital, load_hospital
from twin.luck import draw
from twin.measures import measure
from twin.model import run
from twin.parameters import Parameters
from twin.pathway import Path, load_path
from twin.present import Present
from twin.story import DESTINATIONS, Story

DAY = 1440.0
DAYS = 7
HOSPITAL = load_hospital()
PATH = load_path("full", HOSPITAL)
TEXT = DEFAULT.read_text(encoding="utf-8")


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
        ("p_opinion_only = { value = 0.05", "p_opinion_only = { value = 1.05", "shares.p_opinion_only.value"),
        ('medicine = 0.55, surgery = 0.40', 'medicine = 0.65, surgery = 0.40', "shares must sum to 1, but sum to 1.1"),
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
        believed(TEXT.replace("cardiology     = {", "maternity      = {"), tmp_path)


# --- a week ----------------------------------------------------------------------------------------------------------


def full_wards(hospital: Hospital, path: Path, found: Parameters, seed: int) -> Present:
    """Nine beds in ten are taken; each patient's stay is one that a bed is likely to hold, at a moment within it."""
    generator = np.random.default_rng(seed)
    rows = []
    for unit in hospital.wards:
        duration = found.durations["uhcd_stay" if unit.name == "uhcd" else f"ward_stay:{unit.name}"]
        for _ in range(int(unit.places * 0.9)):
            cls = int(generator.integers(len(found.classes)))
            stays = duration.at(generator.random(32), np.full(32, cls), np.zeros(32, dtype=np.int64))[:, 0]
            left = float(generator.choice(stays, p=stays / stays.sum()) * generator.random())
            stage = path.index("uhcd" if unit.name == "uhcd" else "ward")
            rows.append((cls, hospital.unit_code(unit.name), stage, left))
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
        history=Story.of([(-600.0, RANK["Departed"], row, int(unit_[row]), ward) for row in range(n)]),
    )


@pytest.fixture(scope="module")
def weeks() -> list[Member]:
    """Six weeks of the default hospital, each from wards nine tenths full."""
    found = default_parameters(HOSPITAL, PATH)
    capacity = HOSPITAL.capacities(PATH.pools, START, DAYS * DAY)
    out = []
    for seed in range(6):
        here = full_wards(HOSPITAL, PATH, found, seed)
        luck = draw(
            PATH, found, here.count, seed=7, member=seed, start=START, horizon_min=DAYS * DAY, zone=HOSPITAL.zone
        )
        fate = cast(PATH, found, luck, here)
        out.append(Member(run(capacity, PATH, fate, here, DAYS * DAY), fate, here, capacity))
    return out


def test_a_week_gives_the_published_figures(weeks: list[Member]) -> None:
    visits = [ran.visits for ran in weeks]
    settled = [(v.arrived_min > DAY) & (v.departed_min < np.inf) for v in visits]
    stay = np.concatenate([(v.departed_min - v.arrived_min)[s] for v, s in zip(visits, settled, strict=True)])
    to = np.concatenate([v.to[s] for v, s in zip(visits, settled, strict=True)])
    share = {name: float((to == code).mean()) for code, name in enumerate(DESTINATIONS)}
    assert 120 < np.median(stay[to == DESTINATIONS.index("home")]) < 190, "DREES: 2 h 30"
    assert 180 < np.median(stay[to == DESTINATIONS.index("ward")]) < 400, "DREES: 5 h 20"
    assert 0.17 < share["ward"] < 0.23
    assert 0.001 < share["left_without_being_seen"] < 0.03
    assert 0.01 < share["transfer"] < 0.03
    assert 0.01 < (stay > 480).mean() < 0.15, "DREES: 15 %, with sites that board longer; 0.022 over many weeks"


EVENTS_A_DAY = 2160
"""Logical events of a day of the default hospital: a thinner one would run faster. Raised when the hospital grows."""


def events_a_day(found: Parameters) -> float:
    """The mean of twenty weeks of the full path from empty; in them it differs by 10 from its own mean."""
    capacity, nobody = HOSPITAL.capacities(PATH.pools, START, DAYS * DAY), Present.of_nobody()
    told = []
    for number in range(20):
        luck = draw(
            PATH, found, 0, seed=1, member=number, start=START, horizon_min=DAYS * DAY, zone=HOSPITAL.zone
        )  # fmt: skip
        told.append(kernel.run(capacity, PATH, cast(PATH, found, luck, nobody), nobody, DAYS * DAY).at_min.size)
    return float(np.mean(told)) / DAYS


@pytest.mark.timeout(400)  # the engine may have to be compiled first
def test_a_day_of_the_default_hospital_has_as_many_events_as_it_had() -> None:
    """Without its laboratory, the mutant, it would have a tenth fewer."""
    kernel.warm()
    found = default_parameters(HOSPITAL, PATH)
    assert events_a_day(found) == pytest.approx(EVENTS_A_DAY, rel=0.02)
    thinner = replace(found, shares={**found.shares, "p_laboratory": np.zeros_like(found.shares["p_laboratory"])})
    assert events_a_day(thinner) != pytest.approx(EVENTS_A_DAY, rel=0.02)


def test_a_week_has_the_usual_crowd_at_15_h_and_boards_patients(weeks: list[Member]) -> None:
    at_15 = np.arange(DAY + 14 * 60.0, DAYS * DAY, DAY)  # 15 h in Paris is 14 h UTC in March
    at_6 = at_15 - 9 * 60
    told = [measure(ran.visits, np.concatenate([at_15, at_6])) for ran in weeks]
    per_day = np.mean([(ran.visits.arrived_min > DAY).sum() / (DAYS - 1) for ran in weeks])
    census = np.array([one["ed_census"] for one in told])
    assert 0.15 < census[:, : at_15.size].mean() / per_day < 0.26, "ORU: 17 % in the region, 15-25 % by site"
    assert census[:, at_15.size :].mean() < 0.75 * census[:, : at_15.size].mean(), "quieter at 6 h"
    boarders = np.array([one["ed_boarders"] for one in told])
    assert 1.0 < boarders.mean() < 20
    assert boarders.max() > boarders.mean() * 1.5
