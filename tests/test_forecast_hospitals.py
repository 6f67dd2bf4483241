"""The cycles of many hospitals on one executor: each is told what it would be told alone."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from forecast import hospitals as module
from forecast.ensemble import Run
from forecast.errors import ForecastError
from forecast.hospitals import Outcome, Turn, forecasts
from forecast.issue import Times, as_json, issue
from tests.histories import NOON, scenarios, situation

HOW = Run(members=4, horizon_min=60.0)
TIMES = Times(NOON, NOON, NOON)


def turns(count: int) -> list[Turn]:
    which = scenarios("as_usual", "arrivals_up_20")
    return [Turn(f"h{i}", situation(), which, replace(HOW, seed=i), TIMES) for i in range(count)]


def outcomes(given: Sequence[Turn]) -> list[Outcome]:
    with ThreadPoolExecutor(2) as executor:
        return list(forecasts(given, executor))


def unlike_alone(given: Sequence[Turn], found: Sequence[Outcome]) -> list[str]:
    """Hospitals that are told something else than alone."""
    alone = [as_json(issue(t.situation, t.scenarios, t.how, t.times)) for t in given]
    return [o.hospital for o, a in zip(found, alone, strict=True) if o.forecast is None or as_json(o.forecast) != a]


def test_each_is_told_what_it_would_be_told_alone_in_their_order() -> None:
    given = turns(5)
    found = outcomes(given)
    assert [o.hospital for o in found] == ["h0", "h1", "h2", "h3", "h4"]
    assert unlike_alone(given, found) == []
    assert all(o.fault is None and o.seconds > 0 for o in found)


def test_hospitals_that_are_mixed_up_are_seen() -> None:
    given = turns(3)
    first, second, third = outcomes(given)
    mixed = [first, replace(second, forecast=third.forecast), third]
    assert unlike_alone(given, mixed) == ["h1"]


def test_a_fault_of_one_is_no_fault_of_another(monkeypatch: pytest.MonkeyPatch) -> None:

    def faulty(at: object, which: object, how: Run, *rest: object, **more: object) -> object:
        if how.seed == 1:
            raise ForecastError("nothing is known of this hospital")
        return issue(at, which, how, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "issue", faulty)
    found = outcomes(turns(3))
    assert [o.fault for o in found] == [None, "nothing is known of this hospital", None]
    assert [o.forecast is not None for o in found] == [True, False, True]


def test_a_fault_of_ours_is_raised() -> None:
    broken = replace(turns(1)[0], times=replace(TIMES, as_of=NOON - (TIMES.as_of - NOON.replace(hour=11))))
    with pytest.raises(ValueError, match="before it"):
        outcomes([broken])
