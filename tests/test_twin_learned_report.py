"""The account of a calibration: complete, plain JSON, true to the log; and what changed since the last one."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from tests.histories import NOON, NOTHING_MISSING, calibration, hospital, state, told
from twin.calibrate import calibrate
from twin.learned_report import changes
from twin.learned_version import code_hash, model_version


def test_it_is_plain_json_with_no_number_that_is_none() -> None:
    report = calibration().report
    assert json.loads(json.dumps(report, allow_nan=False)) == report


def test_arrivals_by_hour_are_a_week_and_add_up() -> None:
    report = calibration().report
    assert len(report["arrivals_per_hour"]) == 168
    assert sum(report["arrivals_per_hour"]) / 7 == pytest.approx(report["arrivals_per_day"], rel=0.01)


def test_classes_are_shares_of_all() -> None:
    assert sum(c["share"] for c in calibration().report["classes"]) == pytest.approx(1.0, abs=0.001)


def test_times_are_told_by_class_with_how_many_they_are_of() -> None:
    rows = calibration().report["durations"]
    every = {row["what"]: row for row in rows if row["class"] == "all"}
    assert set(every) == {"to_triage", "to_contact", "care", "boarding", "stay"}
    assert all(row["p10"] <= row["p50"] <= row["p90"] and row["n"] >= 5 for row in rows)
    by_class = [row["n"] for row in rows if row["what"] == "stay" and row["class"] != "all"]
    assert every["stay"]["n"] - sum(by_class) < 5 * 14


def test_wards_are_told_with_beds_stays_and_hours() -> None:
    wards = {w["ward"]: w for w in calibration().report["wards"]}
    assert set(wards) == set(calibration().report["ward_stays"])
    assert wards["medicine"]["beds"] == calibration().hospital.unit("medicine").places
    assert 1.0 < wards["medicine"]["stay_days"]["p50"] < 12.0
    assert sum(wards["medicine"]["leaves_by_hour"]) == pytest.approx(1.0, abs=0.01)
    assert int(np.argmax(wards["medicine"]["leaves_by_hour"])) in range(9, 20)


def test_what_was_left_out_is_counted_with_its_reason() -> None:
    clean, usual = calibration(NOTHING_MISSING).report["excluded"], calibration().report["excluded"]
    assert set(usual) == {
        "not yet settled (48 h)", "before the learned period", "exit before arrival", "steps out of order",
    }  # fmt: skip
    assert clean["steps out of order"] == 0 < usual["steps out of order"]
    arrived = [v for v in state(NOON).visits.values() if v.arrived_at]
    left_out = usual["not yet settled (48 h)"] + usual["before the learned period"]
    assert left_out + calibration().report["visits"] == len(arrived)


def test_what_changed_is_told_the_largest_first() -> None:
    before = calibration().report
    now = {**before, "arrivals_per_day": before["arrivals_per_day"] * 2, "doctor_caseload": None,
           "stay_min": {**before["stay_min"], "p50": before["stay_min"]["p50"] * 1.1}}  # fmt: skip
    found = changes(before, now)
    assert [c["what"] for c in found][-2:] == ["arrivals_per_day", "stay_min:p50"]
    assert {"what": "arrivals_per_day", "before": before["arrivals_per_day"], "now": now["arrivals_per_day"]} in found
    assert changes(before, before) == []


def test_a_day_later_some_of_it_has_changed() -> None:
    later = NOON + timedelta(days=1)
    found = changes(calibration().report, calibrate(state(later), hospital(), later).report)
    assert 0 < len(found) < 40


def test_a_model_has_another_version_as_soon_as_a_number_is_another(monkeypatch: pytest.MonkeyPatch) -> None:
    learned = calibration().parameters
    assert calibration().report["version"] == model_version(learned)
    nudged = replace(learned, leaving_earlier_min=learned.leaving_earlier_min + 1e-9)
    assert model_version(nudged) != model_version(learned)
    before = model_version(learned)
    monkeypatch.setattr("twin.learned_version.code_hash", lambda: "other code")
    assert model_version(learned) != before


def test_the_fabricated_hospital_is_no_part_of_the_model() -> None:
    assert len(code_hash()) == 16
    assert told().events
