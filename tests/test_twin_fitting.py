"""Parameters that do not fit their path: everything at once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from twin.durations import Duration, fixed
from twin.errors import ParametersError
from twin.fitting import check
from twin.parameters import Parameters
from twin.small_hospitals import WHOLE, parameters, small_path

PATH = small_path(WHOLE)


def good() -> Parameters:
    lasting = {name: fixed(1) for name in PATH.durations}
    return parameters(PATH, lasting, per_hour=1.0, shares={"p_admit": 0.3}, wanted={"medicine": 1.0})


def faults(believed: Parameters) -> str:
    with pytest.raises(ParametersError) as error:
        check(PATH, believed)
    return str(error.value)


def test_what_fits_passes() -> None:
    check(PATH, good())


def test_everything_missing_is_told_at_once() -> None:
    told = faults(replace(good(), durations={}, shares={}, wanted={}))
    for name in ("durations.care", "durations.ward_stay:surgery", "shares.p_admit", "wanted.ward"):
        assert f"{name}: path whole needs it, but it is missing" in told


def test_shapes_shares_and_streams_are_checked() -> None:
    base = good()
    two = Duration(np.concatenate([fixed(1).table] * 2), np.zeros((2, 1, 1)))
    assert "durations.care: must be by" in faults(replace(base, durations={**base.durations, "care": two}))
    assert "sum to 1" in faults(replace(base, shares={"p_admit": np.array([[1.2]])}))
    assert "must have shape" in faults(replace(base, shares={"p_admit": np.array([0.2])}))
    assert "wanted.ward: shares must sum to 1" in faults(replace(base, wanted={"ward": np.array([[0.0, 0.5, 0.2]])}))
    assert "only wards can be wanted" in faults(replace(base, wanted={"ward": np.array([[1.0, 0.0, 0.0]])}))
    (stream,) = base.streams
    assert "must enter at one of arrival" in faults(replace(base, streams=(replace(stream, enters="ward"),)))
    assert "rates of 0 or more" in faults(replace(base, streams=(replace(stream, per_hour=np.full(168, -1.0)),)))
    assert "shares of classes" in faults(replace(base, streams=(replace(stream, class_share=np.array([[0.5]])),)))


def test_a_stream_to_the_wards_must_name_a_ward() -> None:
    path = small_path(
        WHOLE + '\n[stage.planned]\nenters = true\nunit = "wanted"\nstarts = "EnteredWard"\nends = "LeftWard"\n'
    )
    (stream,) = good().streams
    believed = replace(good(), streams=(stream, replace(stream, name="planned", enters="planned", unit=0)))
    with pytest.raises(ParametersError, match="its unit must be a ward, but is 0"):
        check(path, believed)
    check(path, replace(believed, streams=(stream, replace(believed.streams[1], unit=2))))
