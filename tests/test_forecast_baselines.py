"""Baselines: never look ahead, know local time, and are as good as theory says they can be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecast import baselines, usual
from forecast.baselines import BASELINES, History, fit, forecasts
from forecast.lagged import LAGGED
from forecast.levelled import LEVELLED
from forecast.scores import crps_quantiles
from forecast.usual import BLOCK_HOURS, BLOCKS, STEP_MIN, blocks_of, quarters_of_week, valid_quarters
from forecast.values import LEVELS, Array, Series

PARIS = "Europe/Paris"
START = datetime(2026, 1, 5, tzinfo=UTC)
DAY = 96
LEADS = (60.0, 240.0, 720.0, 1440.0)
Ahead = Mapping[str, Mapping[str, Series]]


def history(values: Array, *, now: int | None = None, zone: str = "UTC", start_at: datetime = START) -> History:
    return History(start_at, {"ed_census": values}, zone, values.size - 1 if now is None else now)


def weekly(days: int) -> Array:
    """A daily wave, and weekends 6 lower."""
    quarter = np.arange(days * DAY)
    return 30.0 + 10.0 * np.sin(2 * np.pi * quarter / DAY) - 6.0 * (quarter // DAY % 7 >= 5)


def noisy(days: int, *, memory: float = 0.0, seed: int = 1) -> Array:
    """The weekly wave with normal departures of variance 16, and their correlation over a quarter hour."""
    rng = np.random.default_rng(seed)
    departure, new = np.zeros(days * DAY), rng.normal(0.0, 4.0 * np.sqrt(1 - memory**2), days * DAY)
    departure[0] = rng.normal(0.0, 4.0)
    for i in range(1, departure.size):
        departure[i] = memory * departure[i - 1] + new[i]
    return np.asarray(weekly(days) + departure)


def same(one: Ahead, other: Ahead) -> bool:
    return all(
        np.array_equal(one[name][measure].mean, other[name][measure].mean, equal_nan=True)
        and all(
            np.array_equal(values, other[name][measure].quantiles[level], equal_nan=True)
            for level, values in one[name][measure].quantiles.items()
        )
        for name in one
        for measure in one[name]
    )


PAST = noisy(21)


def blind_to_what_comes(baselines: Callable[[History], Ahead], now: int, later: Array) -> bool:
    """Whether another future leaves every number as it was."""
    changed = PAST.copy()
    changed[now + 1 :] = np.resize(later, PAST.size - now - 1)
    return same(baselines(history(PAST, now=now)), baselines(history(changed, now=now)))


def all_of_them(past: History) -> Ahead:
    return forecasts(past, lead_min=LEADS)


@settings(max_examples=20, deadline=None)
@given(
    now=st.integers(0, PAST.size - 2),
    later=st.lists(st.one_of(st.floats(-1e6, 1e6), st.just(float("nan"))), min_size=1, max_size=5),
)
def test_what_comes_later_changes_nothing(now: int, later: list[float]) -> None:
    assert blind_to_what_comes(all_of_them, now, np.array(later))


def test_a_baseline_that_reads_one_step_ahead_is_caught() -> None:
    def one_step_ahead(past: History) -> Ahead:
        return all_of_them(replace(past, now_index=past.now_index + 1))

    def learns_from_all(past: History) -> Ahead:
        whole = replace(past, now_index=PAST.size - 1)
        return replace(fit(whole, lead_min=LEADS), fitted_at=past.as_of).ahead(past.as_of, past.now)

    later = np.array([999.0])
    assert blind_to_what_comes(all_of_them, 14 * DAY, later)
    assert not blind_to_what_comes(one_step_ahead, 14 * DAY, later)
    assert not blind_to_what_comes(learns_from_all, 14 * DAY, later)


def test_a_forecast_from_before_the_fit_is_refused() -> None:
    past = history(PAST)
    rivals = fit(past, lead_min=LEADS)
    with pytest.raises(ValueError, match="looks ahead"):
        rivals.ahead(past.as_of - timedelta(minutes=1), past.now)


def test_each_baseline_gives_rising_quantiles_at_the_levels_of_a_forecast() -> None:
    found = all_of_them(history(PAST))
    assert tuple(found) == BASELINES
    for name in BASELINES:
        series = found[name]["ed_census"]
        assert tuple(series.quantiles) == LEVELS
        assert series.mean.shape == (len(LEADS),)
        assert np.all(np.diff(np.stack(list(series.quantiles.values())), axis=0) >= 0)


def test_other_levels_give_an_equal_weight_sample() -> None:
    levels = tuple((np.arange(99) + 0.5) / 99)
    series = forecasts(history(PAST), lead_min=LEADS, levels=levels)["climatology"]["ed_census"]
    sample = np.stack(list(series.quantiles.values()))
    assert sample.shape == (99, len(LEADS))
    np.testing.assert_allclose(sample.mean(axis=0), series.mean, atol=0.2)


def test_without_noise_what_is_usual_is_exact() -> None:
    values = weekly(29)
    found = forecasts(history(values[: 28 * DAY]), lead_min=LEADS)
    came = values[28 * DAY - 1 + np.array(LEADS, dtype=int) // STEP_MIN]
    np.testing.assert_allclose(found["climatology"]["ed_census"].quantiles[0.5], came, atol=0.3)
    np.testing.assert_allclose(found["anomaly_persistence"]["ed_census"].quantiles[0.5], came, atol=0.3)


def test_persistence_is_the_value_now_plus_its_own_past_errors() -> None:
    values = np.arange(3.0 * DAY)
    series = forecasts(history(values), lead_min=LEADS)["persistence"]["ed_census"]
    ahead = values[-1] + np.array(LEADS) / STEP_MIN
    np.testing.assert_allclose(series.mean, ahead)
    for quantile in series.quantiles.values():
        np.testing.assert_allclose(quantile, ahead)


def departure_lasts(found: Ahead, usual: Array, departure: float) -> Array:
    return np.asarray((found["anomaly_persistence"]["ed_census"].mean - usual) / departure)


def test_anomaly_persistence_finds_how_long_a_departure_lasts() -> None:
    past, memory = history(noisy(84, memory=0.98)), 0.98
    rivals = fit(past, lead_min=LEADS)
    usual = rivals.ahead(past.as_of, {"ed_census": np.nan})["climatology"]["ed_census"].mean
    now = weekly(85)[84 * DAY - 1] + 100.0
    lasts = departure_lasts(rivals.ahead(past.as_of, {"ed_census": now}), usual, 100.0)
    np.testing.assert_allclose(lasts, memory ** (np.array(LEADS) / STEP_MIN), atol=0.08)


def mean_crps(baseline: str, values: Array, first_day: int) -> float:
    """Over issues every seven hours, with the baselines learned anew each week."""
    scored = []
    for start in range(first_day * DAY, values.size - 9 * DAY, 7 * DAY):
        rivals = fit(history(values, now=start), lead_min=LEADS)
        for now in range(start, start + 7 * DAY, 28):
            as_of = START + timedelta(minutes=STEP_MIN * now)
            series = rivals.ahead(as_of, {"ed_census": float(values[now])})[baseline]["ed_census"]
            came = values[now + np.array(LEADS, dtype=int) // STEP_MIN]
            quantiles = np.stack(list(series.quantiles.values()), axis=-1)
            scored.append(crps_quantiles(quantiles, came, levels=LEVELS).mean())
    return float(np.mean(scored))


def test_climatology_is_within_5_percent_of_one_that_knows_the_truth() -> None:
    ideal = 4.0 / np.sqrt(np.pi)
    assert mean_crps("climatology", noisy(140), 56) < 1.05 * ideal


def test_every_rival_covers_as_it_says() -> None:
    values, hits = noisy(140, memory=0.9, seed=4), []
    rivals = fit(history(values, now=70 * DAY), lead_min=LEADS)
    for now in range(70 * DAY, 138 * DAY, 5):
        past = history(values, now=now)
        found = rivals.ahead(past.as_of, past.now, past)
        for name in BASELINES:
            series = found[name]["ed_census"]
            came = values[now + np.array(LEADS, dtype=int) // STEP_MIN]
            hits.append((series.quantiles[0.1] <= came) & (came <= series.quantiles[0.9]))
    by_baseline = np.reshape(hits, (-1, len(BASELINES), len(LEADS))).mean(axis=0)
    assert np.all((by_baseline > 0.75) & (by_baseline < 0.84)), by_baseline


def largest_jump(name: str) -> float:
    """Over a day in steps of a quarter of an hour: how much farther the ends of the 80 % interval jump where blocks of
    the day meet than anywhere else."""
    leads = np.arange(15.0, 1440.0, 15.0)
    past = history(noisy(140, memory=0.9, seed=4), now=100 * DAY + 50)
    told = forecasts(past, lead_min=leads)[name]["ed_census"]
    step = np.abs(np.diff([told.quantiles[0.1], told.quantiles[0.9]], axis=1)).max(axis=0)
    meets = (51 + np.arange(1, leads.size)) % (BLOCK_HOURS * 4) == 0
    return float(step[meets].max() / step[~meets].max())


@pytest.mark.parametrize("name", ["persistence", "anomaly_persistence", "autoregression"])
def test_nothing_jumps_where_the_day_is_cut(name: str) -> None:
    assert largest_jump(name) < 1.5


def test_a_block_that_is_its_own_up_to_its_end_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mutant: what persistence errs by goes with the hour, and would be another from one quarter to the next."""

    def cut(places: Array) -> Array:
        return np.asarray(np.eye(BLOCKS)[blocks_of(places)])

    monkeypatch.setattr(usual, "block_shares", cut)
    assert largest_jump("persistence") > 1.5


def test_weekdays_that_cannot_be_told_apart_are_drawn_together() -> None:
    rng = np.random.default_rng(9)
    flat = history(rng.normal(30.0, 4.0, 28 * DAY))
    usual = fit(flat, lead_min=LEADS).learned["ed_census"].usual
    own_mean = flat.measures["ed_census"].reshape(4, 7 * DAY).mean(axis=0)
    assert usual.std() < 0.35 * own_mean.std()


@pytest.mark.parametrize(("instant", "hour"), [("2026-10-25T00:30", 2.5), ("2026-10-25T01:30", 2.5)])
def test_the_hour_that_stands_twice_has_one_place(instant: str, hour: float) -> None:
    at = datetime.fromisoformat(instant).replace(tzinfo=UTC)
    assert quarters_of_week(at, np.zeros(1), PARIS).tolist() == [4 * (6 * 24 + hour)]


def knows_local_time(places: Callable[[datetime, Array], Array]) -> bool:
    """Every 15 minutes over both changes of the clock, against the zone itself."""
    for start in (datetime(2026, 3, 28, 3, 10, tzinfo=UTC), datetime(2026, 10, 24, 3, 10, tzinfo=UTC)):
        minutes = np.arange(0.0, 2880.0, 15.0)
        local = [(start + timedelta(minutes=m)).astimezone(ZoneInfo(PARIS)) for m in minutes]
        wanted = [(t.weekday() * 1440 + t.hour * 60 + t.minute) / STEP_MIN for t in local]
        if not np.allclose(places(start, minutes), wanted):
            return False
    return True


def test_local_time_is_right_over_both_changes_of_the_clock() -> None:
    def offset_of_the_start(start: datetime, minutes: Array) -> Array:
        first = quarters_of_week(start, np.zeros(1), PARIS)
        return np.asarray((first + minutes / STEP_MIN) % 672)

    def of_leads(start: datetime, minutes: Array) -> Array:
        issued_at = np.datetime64(start.replace(tzinfo=None), "us") + (minutes // 60).astype("timedelta64[h]")
        return valid_quarters(issued_at, minutes % 60, PARIS)

    assert knows_local_time(lambda start, minutes: quarters_of_week(start, minutes, PARIS))
    assert knows_local_time(of_leads)
    assert not knows_local_time(offset_of_the_start)


def test_usual_follows_the_local_clock_over_the_change() -> None:
    start = datetime(2026, 9, 28, tzinfo=UTC)
    minutes = np.arange(0.0, 35 * 1440.0, 15.0)
    hour = quarters_of_week(start, minutes, PARIS) % DAY // 4
    past = history(np.where((hour >= 9) & (hour < 12), 40.0, 20.0), zone=PARIS, start_at=start, now=int(27.25 * DAY))
    assert past.as_of == datetime(2026, 10, 25, 6, 0, tzinfo=UTC), "five hours after the clock has gone back"
    came_at = [datetime(2026, 10, 26, 7, 15, tzinfo=UTC), datetime(2026, 10, 26, 10, 15, tzinfo=UTC)]
    leads = [(at - past.as_of) / timedelta(minutes=1) for at in came_at]
    median = forecasts(past, lead_min=leads)["climatology"]["ed_census"].quantiles[0.5]
    assert median == pytest.approx([20.0, 40.0], abs=1.0), "8:15 and 11:15 in Paris; by summer time 9:15 and 12:15"


def test_an_issue_off_the_quarter_hour_reads_between() -> None:
    past = history(weekly(28), now=27 * DAY)
    rivals = fit(past, lead_min=LEADS)
    at = [rivals.ahead(past.as_of + timedelta(minutes=m), past.now)["climatology"]["ed_census"].mean for m in (0, 15)]
    between = rivals.ahead(past.as_of + timedelta(minutes=5), past.now)["climatology"]["ed_census"].mean
    np.testing.assert_allclose(between, at[0] + (at[1] - at[0]) / 3, atol=1e-9)


def test_at_lead_0_the_value_now_is_known() -> None:
    found = fit(history(noisy(28)), lead_min=(0.0, 60.0)).ahead(START + 28 * timedelta(days=1), {"ed_census": 17.0})
    for name in ("persistence", "anomaly_persistence"):
        assert [q[0] for q in found[name]["ed_census"].quantiles.values()] == pytest.approx([17.0] * len(LEVELS))


def test_without_looking_back_the_others_say_the_same() -> None:
    past = history(noisy(40))
    whole, short = (fit(past, lead_min=LEADS, look_back=back).ahead(past.as_of, past.now) for back in (True, False))
    assert list(short) == [name for name in BASELINES if name not in (*LEVELLED, *LAGGED)]
    assert same(short, {name: whole[name] for name in short})


def test_a_block_with_too_few_errors_has_those_of_all() -> None:
    """To the last bit what comes of looking at all errors whether a block needs them or not."""
    errors, places = np.random.default_rng(5).normal(size=(5 * DAY, 3)), np.arange(5.0 * DAY)
    block = blocks_of(places)
    for few in (0, 19):
        errors[np.flatnonzero(block == 3)[few:], 1] = np.nan
        of_all = usual._summary(errors.T, LEVELS)
        each = np.stack(
            [usual._summary(np.ascontiguousarray(errors[block == number].T), LEVELS) for number in range(BLOCKS)]
        )
        found = usual._summaries(errors, block, LEVELS)
        np.testing.assert_array_equal(found, np.where(np.isnan(each), of_all, each))
        np.testing.assert_array_equal(found[3, 1], of_all[1])


def test_a_wait_that_often_does_not_exist() -> None:
    values = noisy(28)
    values[np.random.default_rng(2).random(values.size) < 0.4] = np.nan
    values[-1] = np.nan
    found = all_of_them(history(values))
    assert np.isnan(found["persistence"]["ed_census"].mean).all(), "nothing now: as now says nothing"
    assert np.isfinite(found["climatology"]["ed_census"].mean).all()
    assert same({"x": found["anomaly_persistence"]}, {"x": found["climatology"]})


@pytest.mark.parametrize("days", [0, 1, 2, 6, 8, 13])
def test_a_short_history_says_nothing_or_something_finite(days: int) -> None:
    found = all_of_them(history(np.full(days * DAY + 3, 5.0)))
    medians = np.concatenate([found[name]["ed_census"].quantiles[0.5] for name in BASELINES])
    assert np.all(np.isnan(medians) | np.isclose(medians, 5.0, rtol=1e-12))
    assert np.isfinite(found["climatology"]["ed_census"].mean).all() == (days >= 1)


def test_a_measure_that_is_never_defined_stays_nan() -> None:
    found = all_of_them(history(np.full(20 * DAY, np.nan)))
    assert all(np.isnan(found[name]["ed_census"].mean).all() for name in BASELINES)


def test_a_count_is_never_below_zero_and_free_beds_may_be() -> None:
    few = np.random.default_rng(3).poisson(0.7, 28 * DAY).astype(float)
    past = History(START, {"ed_boarders": few, "beds_free:med": few - 2.0}, "UTC", few.size - 1)
    found = fit(past, lead_min=LEADS).ahead(past.as_of, {"ed_boarders": 0.0, "beds_free:med": -2.0})
    assert found["persistence"]["ed_boarders"].quantiles[0.025].tolist() == [0.0] * 4
    assert max(found["persistence"]["beds_free:med"].quantiles[0.025]) < -2.0


def test_only_the_window_is_learned_from() -> None:
    values = noisy(100)
    before = values.copy()
    before[: 16 * DAY] = 500.0

    def first_three(past: History) -> Ahead:
        return {name: told for name, told in all_of_them(past).items() if name not in LAGGED}

    assert same(first_three(history(values)), first_three(history(before)))
    before[17 * DAY] = 500.0
    assert not same(first_three(history(values)), first_three(history(before)))


def as_each_alone() -> bool:
    """Three measures, one of which does not exist now, one of which may be below zero, by themselves and together."""
    values = {"a": noisy(35), "b": noisy(35, seed=2), "c": noisy(35, seed=3) - 40.0}
    values["b"][-2:] = np.nan
    whole = History(START, values, PARIS, values["a"].size - 1)
    together = forecasts(whole, lead_min=LEADS)
    alone = {m: forecasts(replace(whole, measures={m: values[m]}), lead_min=LEADS) for m in values}
    return all(same({r: {m: together[r][m]}}, {r: {m: alone[m][r][m]}}) for r in BASELINES for m in values)


def test_measures_are_told_together_as_each_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mutant takes all for one that may not be below zero."""
    assert as_each_alone()
    true = baselines._stacked
    monkeypatch.setattr(baselines, "_stacked", lambda parts: _bounded(true(parts)))
    assert not as_each_alone()


def test_what_looks_back_says_nothing_of_a_measure_that_the_history_lacks() -> None:
    whole = History(START, {"a": noisy(35), "b": noisy(35, seed=2)}, PARIS, 35 * DAY - 1)
    lacking = replace(whole, measures={"a": whole.measures["a"]})
    told = fit(whole, lead_min=LEADS).ahead(whole.as_of, whole.now, lacking)
    assert all(np.isnan(told[rival]["b"].mean).all() for rival in LAGGED)
    assert not any(np.isnan(told[rival]["a"].mean).any() for rival in LAGGED)
    assert not np.isnan(told["climatology"]["b"].mean).any()


def _bounded(learned: Any) -> Any:
    several = isinstance(learned, baselines._Learned) and learned.at_least.size > 1
    return replace(learned, at_least=np.zeros_like(learned.at_least)) if several else learned


def test_a_history_is_read_at_instants_on_the_grid_up_to_the_present() -> None:
    past = history(np.arange(10.0), now=7)
    at = [START + timedelta(minutes=m) for m in (0, 15, 20, 105, 120, -15)]
    np.testing.assert_array_equal(past.at(at)["ed_census"], [0.0, 1.0, np.nan, 7.0, np.nan, np.nan])


def test_a_history_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        history(PAST, start_at=datetime(2026, 1, 5))
    with pytest.raises(ValueError, match="now_index"):
        history(PAST, now=PAST.size)
    with pytest.raises(ValueError, match="one grid"):
        History(START, {"a": np.zeros(3), "b": np.zeros(4)}, "UTC", 0)
    with pytest.raises(ValueError, match="multiples of 15"):
        fit(history(PAST), lead_min=[20.0])
    with pytest.raises(ValueError, match="multiples of 15"):
        fit(history(PAST), lead_min=[-15.0])
