"""One forecast as it is printed: its keys, its nulls, what is needed to make it again."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from functools import cache

import numpy as np

from forecast.calibrated import Recalibration
from forecast.engines import Agreement
from forecast.ensemble import Run
from forecast.issue import Times, as_json, issue, provenance
from forecast.values import LEVELS, Forecast
from tests.histories import NOON, calibration, scenarios, situation
from tests.test_forecast_archive import same
from tests.test_twin_calibrate import short
from twin.learned_version import parameters_hash

HOW = Run(members=9, horizon_min=120.0, seed=3)
NOTHING = Agreement(compiled=False, checked=0, equal=0)
TIMES = Times(NOON + timedelta(seconds=9), NOON, NOON)


@cache
def said(how: Run = HOW) -> Forecast:
    return issue(situation(), scenarios("as_usual", "arrivals_up_20", "one_more_doctor"), how, TIMES)


def test_it_is_printed_with_the_keys_of_the_command() -> None:
    printed = as_json(said())
    assert list(printed) == ["issued_at", "as_of", "known_at", "scenarios", "differences", "provenance"]
    assert printed["issued_at"] == "2025-01-26T12:00:09+00:00"
    assert list(printed["scenarios"]) == ["as_usual", "arrivals_up_20", "one_more_doctor"]
    assert list(printed["differences"]) == ["arrivals_up_20", "one_more_doctor"]
    assert set(printed["scenarios"]["as_usual"]["ed_census"]) == {"lead_min", "mean", "quantiles", "raw_quantiles"}
    assert set(printed["differences"]["arrivals_up_20"]["ed_census"]) == {"mean", "quantiles"}
    measures = set(printed["scenarios"]["as_usual"])
    assert measures >= {"ed_census", "ed_waiting", "ed_boarders", "ed_arrivals", "ed_departures", "admissions"}
    assert measures >= {"census:medicine", "beds_free:medicine", "wait_min:3A"}


def test_it_is_json_and_what_does_not_exist_is_null() -> None:
    text = json.dumps(as_json(said()), allow_nan=False)
    waits = json.loads(text)["scenarios"]["as_usual"]["wait_min:1"]
    told = said().scenarios["as_usual"]["wait_min:1"]
    assert np.isnan(told.mean).any()
    assert [value is None for value in waits["mean"]] == np.isnan(told.mean).tolist()


def test_quantiles_rise_with_their_level_at_every_lead() -> None:
    for measures in as_json(said())["scenarios"].values():
        for told in measures.values():
            assert list(told["quantiles"]) == [f"{level:g}" for level in LEVELS]
            columns = zip(*told["quantiles"].values(), strict=True)
            assert all(list(c) == sorted(c) for c in columns if None not in c)
            assert len(told["lead_min"]) == len(told["mean"]) == HOW.lead_min.size


def test_differences_are_paired_by_member() -> None:
    members = said().members
    apart = members["arrivals_up_20"].measures["ed_census"] - members["as_usual"].measures["ed_census"]
    np.testing.assert_allclose(said().differences["arrivals_up_20"]["ed_census"].mean, apart.mean(axis=1))
    spread = apart.std(axis=1)[-1]
    unpaired = members["as_usual"].measures["ed_census"][-1].std() * 2**0.5
    assert spread < unpaired


def test_provenance_says_how_to_make_it_again() -> None:
    told = said().provenance
    assert set(told) == {
        "state_hash", "complete_until", "calibrated_as_of", "parameters_hash", "model_version", "path", "hospital",
        "learned_days", "described", "inapplicable", "run", "engines", "recalibration", "versions",
    }  # fmt: skip
    assert told["state_hash"] == situation().state_hash
    assert told["run"] == {"members": 9, "horizon_min": 120.0, "step_min": 15.0, "seed": 3, "engine": "compiled"}
    assert set(told["versions"]) == {"edtwin", "simpy", "python"}


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others() -> None:
    again = issue(situation(), scenarios("as_usual", "arrivals_up_20", "one_more_doctor"), HOW, TIMES)
    assert same(said(), again)
    assert json.dumps(as_json(said())) == json.dumps(as_json(again))
    assert json.dumps(as_json(said(replace(HOW, seed=4)))) != json.dumps(as_json(again))


def test_the_hash_of_the_parameters_tells_them_apart() -> None:
    learned = calibration().parameters
    care = {**learned.durations, "care_home": learned.durations["care_home"].scaled(1.0001)}
    assert parameters_hash(learned) == parameters_hash(replace(learned))
    assert parameters_hash(learned) != parameters_hash(replace(learned, durations=care))


def test_a_scenario_without_a_lever_is_named_with_the_reason() -> None:
    assert said().provenance["inapplicable"] == {}
    told = provenance(
        replace(situation(), calibration=short()),
        scenarios("as_usual", "one_more_doctor"),
        HOW,
        NOTHING,
        Recalibration().named(HOW.lead_min, NOON),
    )
    assert list(told["inapplicable"]) == ["one_more_doctor"]
