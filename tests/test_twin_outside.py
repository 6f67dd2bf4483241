"""Series from outside: read with the times they are known at; used where they have helped; no look-ahead."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from ingest.errors import UnreadableInputError
from tests.histories import NOON, fingerprint, hospital, state
from twin.calibrate import calibrate
from twin.learned_arrivals import Around, Calendar, learn_arrivals
from twin.minutes import Minutes
from twin.outside import Learned, Outside, learn_files, learn_outside, read_outside

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]
PARIS = "Europe/Paris"
FIRST = date(2025, 1, 6)
AS_OF = datetime(2025, 9, 1, tzinfo=UTC)
DAYS: Index = FIRST.toordinal() + np.arange(238)
AHEAD: Index = DAYS[-1] + 1 + np.arange(3)


def series(value: Array, *, after: int = 1) -> Outside:
    """A value a day, known so many days later, at midnight UTC."""
    days = FIRST.toordinal() + np.arange(value.size)
    start = datetime(2025, 1, 6, tzinfo=UTC)
    return Outside(
        "flu", days, value, tuple(start + timedelta(days=n + after) for n in range(value.size)), days + after
    )


def drawn(slope: float, seed: int, *, after: int = 0) -> tuple[Outside, Array, Array]:
    """A series, what was told of each day, and who came: more where the value is unusual."""
    chance = np.random.default_rng(seed)
    value = chance.normal(0.0, 3.0, DAYS.size + 3)
    told = np.full(DAYS.size, 220.0)
    level = np.exp(slope * np.roll(value, after)[: DAYS.size] / 3.0) * chance.gamma(200.0, 1 / 200.0, DAYS.size)
    return series(value, after=after), told, chance.poisson(told * level).astype(np.float64)


def learned(slope: float, seed: int, *, after: int = 0) -> Learned:
    return learn_outside(*_of(drawn(slope, seed, after=after))).learned


def _of(made: tuple[Outside, Array, Array]) -> tuple[Outside, Index, Array, Array, Index, datetime]:
    found, told, came = made
    return found, DAYS, told, came, AHEAD, AS_OF + timedelta(days=3)


# --- what is used, and how much


def test_an_effect_that_is_there_is_found_and_told_for_the_days_ahead() -> None:
    found = [learn_outside(*_of(drawn(0.08, seed))) for seed in range(6)]
    assert {effect.learned.status for effect in found} == {"used"}
    assert np.mean([effect.learned.slope for effect in found]) == pytest.approx(0.078, abs=0.01)
    value = drawn(0.08, 0)[0].value
    assert np.corrcoef(found[0].ahead, value[-3:])[0, 1] > 0.99
    assert all(effect.learned.gain is not None and effect.learned.gain > 0.2 for effect in found)


def test_a_series_that_does_nothing_is_not_used_and_it_is_said() -> None:
    found = [learned(0.0, seed) for seed in range(40)]
    assert sum(one.status == "not_shown" for one in found) >= 38
    effect = learn_outside(*_of(drawn(0.0, 1)))
    assert effect.learned.status == "not_shown"
    assert set(effect.past) == set(effect.ahead) == {1.0}


def test_a_value_that_is_known_a_day_later_counts_for_the_day_after() -> None:
    assert learned(0.08, 2, after=1).status == "used"
    found, told, came = drawn(0.08, 2, after=1)
    early = replace(found, from_day=found.day)  # the mutant: believed to be known a day before it was
    assert learn_outside(early, DAYS, told, came, AHEAD, AS_OF).learned.status == "not_shown"


def test_few_days_are_too_short_and_old_values_are_stale() -> None:
    found, told, came = drawn(0.08, 3)
    short = learn_outside(found, DAYS[:100], told[:100], came[:100], AHEAD, AS_OF).learned
    assert short.status == "too_short"
    assert 95 <= short.days <= 100
    ended = replace(found, day=found.day[:-20], value=found.value[:-20], known_at=found.known_at[:-20],
                    from_day=found.from_day[:-20])  # fmt: skip
    stale = learn_outside(ended, DAYS, told, came, AHEAD + 10, AS_OF)
    assert stale.learned.status == "stale"
    assert set(stale.ahead) == {1.0}


def test_what_becomes_known_later_changes_no_bit() -> None:
    found, told, came = drawn(0.08, 4, after=2)
    as_of = AS_OF - timedelta(days=1)
    later = np.array([at > as_of for at in found.known_at])
    assert later.any()
    other = replace(found, value=np.where(later, 1e3, found.value))
    one, two = (learn_outside(s, DAYS, told, came, AHEAD, as_of) for s in (found, other))
    assert fingerprint(one) == fingerprint(two)
    looks_ahead = learn_outside(other, DAYS, told, came, AHEAD, AS_OF + timedelta(days=9))  # the mutant
    assert fingerprint(looks_ahead) != fingerprint(one)


# --- the file


def written(folder: Path, text: str) -> Path:
    file = folder / "flu.csv"
    file.write_text(text, encoding="utf-8")
    return file


def test_days_are_known_when_they_are_over_hours_when_the_last_is_and_others_when_the_file_says(tmp_path: Path) -> None:
    daily = read_outside(written(tmp_path, "at,value\n2025-03-29,4\n2025-03-30,5.5\n"), PARIS)
    assert daily.value.tolist() == [4.0, 5.5]
    assert [at.astimezone(UTC).isoformat() for at in daily.known_at] == [
        "2025-03-29T23:00:00+00:00", "2025-03-30T22:00:00+00:00",
    ]  # fmt: skip
    assert (daily.from_day - daily.day).tolist() == [1, 1]
    hourly = read_outside(written(tmp_path, "at,value\n2025-03-29T10:00,4\n2025-03-29T11:00,6\n"), PARIS)
    assert (hourly.value.tolist(), hourly.known_at[0].astimezone(UTC).hour) == ([5.0], 11)
    told = read_outside(written(tmp_path, "at,value,known_at\n2025-03-29,4,2025-03-28T06:00Z\n"), PARIS)
    assert (told.from_day - told.day).tolist() == [0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("day,value\n", "columns must be at, value and perhaps known_at"),
        ("at,value\n2025-03-29,4\n2025-03-32,4\n", "flu.csv:3: cannot be read"),
        ("at,value\n2025-03-29,nan\n", "value must be a number"),
        ("at,value\n2025-03-29\n", "flu.csv:2: cannot be read"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_with_its_line(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(UnreadableInputError, match=said):
        read_outside(written(tmp_path, text), PARIS)


def test_a_file_at_fault_stops_nothing(tmp_path: Path) -> None:
    _, told, came = drawn(0.0, 1)
    [effect] = learn_files([str(tmp_path / "none.csv")], PARIS, DAYS, told, came, AHEAD, AS_OF)
    assert effect.learned.status == "unreadable"
    assert effect.learned.fault is not None
    assert "none.csv cannot be read" in effect.learned.fault


# --- in the profile


def test_a_profile_tells_the_days_ahead_with_it(tmp_path: Path) -> None:
    chance = np.random.default_rng(7)
    value = chance.normal(0.0, 1.0, 260)
    lines = [f"{date.fromordinal(FIRST.toordinal() + n)},{x},{date.fromordinal(FIRST.toordinal() + n - 1)}T12:00Z"
             for n, x in enumerate(value)]  # fmt: skip
    file = written(tmp_path, "\n".join(["at,value,known_at", *lines]))
    minutes = Minutes(AS_OF)
    calendar = Calendar.of(minutes, -238 * 1440.0, 0.0, "UTC")
    rate = 9.0 * np.exp(0.1 * value[calendar.day])
    came = np.repeat(calendar.start_min + 30.0, chance.poisson(rate))
    profile = learn_arrivals(calendar, came, Around("", "", (str(file),), "UTC", AS_OF))
    assert [one.status for one in profile.outside] == ["used"]
    tomorrow = calendar.first_day + int(calendar.day[-1]) + 1
    wanted = np.exp(0.1 * value[tomorrow - FIRST.toordinal()])
    assert dict(profile.on_days)[tomorrow] == pytest.approx(wanted, rel=0.05)
    plain = learn_arrivals(calendar, came)
    assert profile.day_cv < plain.day_cv
    assert plain.outside == ()


def test_what_is_learned_of_a_hospital_says_what_became_of_its_series(tmp_path: Path) -> None:
    day = (NOON - timedelta(days=1)).date()
    file = written(tmp_path, f"at,value\n{day},3\n")
    here = replace(hospital(), outside=(str(file), str(tmp_path / "none.csv")), school_zone="A")
    found = calibrate(state(NOON), here, NOON).report["calendar"]
    assert [(one["name"], one["status"]) for one in found["outside"]] == [("flu", "too_short"), ("none", "unreadable")]
    assert found["school_zone"] == "A"
