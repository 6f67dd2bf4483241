"""Recalibration: what past forecasts teach, and what it does to members."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from scipy.special import ndtri

from forecast import calibrated
from forecast.calibrated import Correction, Recalibration, learn, simulated_share, spaced
from forecast.values import LEVELS, Array, Forecast, Members, Series, series
from forecast.verify import Pairs, RivalScores, joined

Rivals = dict[str, RivalScores]
FIRST = np.datetime64("2026-01-05T00:00:00", "us")
LEADS = np.array([60.0, 240.0])
CAME = 50.0
HALF = 5.0
NORMAL = HALF / 1.2815515655446004
"""The standard deviation at which 80 % lie within the half width."""


def pairs(days: int, error: Array, lead_min: float = 60.0, every_h: int = 6, rivals: Rivals | None = None) -> Pairs:
    """Forecasts of one measure every six hours, normal around `error` too high, `(pair,)`."""
    n = days * 24 // every_h
    column, none = np.ones(n), joined([])
    simulated = CAME + error[:, None] + NORMAL * ndtri(np.array(LEVELS))
    return Pairs(
        issued_at=FIRST + np.arange(n) * np.timedelta64(every_h, "h"),
        measure=np.full(n, "ed_census", dtype=object),
        lead_min=column * lead_min,
        observed=column * CAME, error=error, absolute_error=column, crps=column, raw_crps=column,
        raw_error=error, raw_half_width=column * HALF, raw_inside_80=column,
        inside=dict.fromkeys(none.inside, column), weight_of_simulation=column, rivals=rivals or {},
        quantiles=simulated, raw_quantiles=simulated, levels=LEVELS,
    )  # fmt: skip


def noise(days: int, sd: float, seed: int = 1) -> Array:
    return np.random.default_rng(seed).normal(0.0, sd, days * 4)


def learned(days: int, error: Array, zone: str = "UTC") -> Correction:
    return learn(pairs(days, error), zone).measures["ed_census"]


def test_what_was_always_too_high_is_lowered() -> None:
    found = learned(40, 3.0 + noise(40, NORMAL))
    assert found.too_high[:, 0] == pytest.approx(3.0, abs=0.8)


def test_what_may_be_chance_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The plain mean of past errors, the mutant, would add its own noise to every forecast."""

    def wandering(seed: int) -> Array:
        day_by_day = np.random.default_rng(seed).normal(0.0, 2.0, 20)
        return np.repeat(day_by_day, 4) + noise(20, NORMAL, seed)

    def moved() -> float:
        return float(np.mean([np.abs(learned(20, wandering(seed)).too_high).mean() for seed in range(20)]))

    shrunk = moved()
    monkeypatch.setattr(calibrated, "credible", lambda by_day, heed: float(by_day.mean()) if by_day.size else 0.0)
    assert shrunk < 0.5 * moved()


def test_a_few_days_teach_nothing_on_the_whole() -> None:
    assert (learned(4, np.full(16, 5.0)).too_high == 0.0).all()


def test_an_error_of_the_night_is_corrected_at_night_in_the_zone_of_the_hospital() -> None:
    hour = (np.arange(40 * 4) * 6 + 1) % 24  # of the valid times, UTC
    at_night = (hour < 6).astype(float)
    found = learned(40, 4.0 * at_night + noise(40, 1.0))
    assert found.too_high[0, 0] > 3.0
    assert np.abs(found.too_high[1:, 0]).max() < 1.0
    tokyo = learned(40, 4.0 * at_night + noise(40, 1.0), zone="Asia/Tokyo")
    assert tokyo.too_high[0, 0] < 1.5 < tokyo.too_high[1:3, 0].mean()


@pytest.mark.parametrize(
    ("sd", "least", "most"), [(2.0, 1.5, 2.1), (1.5, 1.2, 1.6), (1.0, 0.94, 1.06), (0.5, 0.45, 0.65)]
)
def test_intervals_are_widened_or_narrowed_as_far_as_they_held_too_little_or_too_much(
    sd: float, least: float, most: float
) -> None:
    assert least <= learned(240, noise(240, sd * NORMAL)).spread[:, 0].mean() <= most


def test_the_fewer_days_the_less_is_changed() -> None:
    def widths(sd: float) -> list[float]:
        return [learned(days, noise(days, sd * NORMAL, 7)).spread[:, 0].mean() for days in (2, 10, 60)]

    wide, narrow = widths(2.0), widths(0.5)
    assert 1.0 < wide[0] < wide[1] < wide[2]
    assert 1.0 >= narrow[0] > narrow[1] > narrow[2]


def test_corrected_intervals_hold_eight_in_ten_of_what_comes_next() -> None:
    """As simulated, the mutant, they hold six."""
    past, chance = learned(240, 2.0 + noise(240, 1.5 * NORMAL)), np.random.default_rng(9)
    hour, members = np.full(1, 12.0), chance.normal(40.0, NORMAL, (1, 20_000))
    came = 38.0 + chance.normal(0.0, 1.5 * NORMAL, 20_000)

    def held(values: Array) -> float:
        low, high = np.quantile(values, (0.1, 0.9))
        return float(((low <= came) & (came <= high)).mean())

    assert held(past.members(members, np.array([60.0]), hour, {})) == pytest.approx(0.8, abs=0.045)
    assert held(members) < 0.65


# --- carried back onto members ------------------------------------------------------------------------------------

KNOWN = Correction(LEADS, np.array([[2.0, 4.0]] * 4), np.array([[1.5, 2.0]] * 4))
BY_PAST = Recalibration("UTC", {"ed_census": KNOWN}, 30)
GRID = np.array([0.0, 30.0, 60.0, 240.0, 300.0])
AT = datetime(2026, 3, 2, 9, tzinfo=UTC)


def simulated(seed: int = 3) -> Array:
    return np.random.default_rng(seed).poisson(40.0, (GRID.size, 200)).astype(np.float64)


def test_the_present_is_not_corrected_and_between_leads_it_goes_over() -> None:
    raw = simulated()
    found = BY_PAST.one("ed_census", raw, GRID, AT)
    assert (found[0] == raw[0]).all()
    assert (raw.mean(axis=1) - found.mean(axis=1))[1:] == pytest.approx([1.0, 2.0, 4.0, 4.0])
    assert (found.std(axis=1) / raw.std(axis=1))[1:] == pytest.approx([1.25, 1.5, 2.0, 2.0])


def test_members_keep_their_order_and_nobody_is_fewer_than_none() -> None:
    raw = simulated() / 20.0
    found = BY_PAST.one("ed_census", raw, GRID, AT)
    assert (found >= 0).all()
    for before, after in zip(raw, found, strict=True):
        assert (np.diff(after[np.argsort(before, kind="stable")]) >= 0).all()


def test_a_scenario_moves_with_its_partners_so_that_differences_stay_the_simulations() -> None:
    """Corrected each by itself, the mutant, they would grow with the spread."""
    usual, other = simulated(), simulated() + np.arange(GRID.size)[:, None] * (np.arange(200) % 3)
    members = {"as_usual": Members(GRID, {"ed_census": usual}), "more": Members(GRID, {"ed_census": other})}
    found = BY_PAST.scenarios(members, AT)
    assert (found["more"].measures["ed_census"] - found["as_usual"].measures["ed_census"]) == pytest.approx(
        other - usual
    )
    alone = BY_PAST.one("ed_census", other, GRID, AT) - BY_PAST.one("ed_census", usual, GRID, AT)
    assert np.abs(alone - (other - usual)).max() > 1.0


# --- weighed with rivals ----------------------------------------------------------------------------------------------

HALF_AND_HALF = Correction(
    LEADS, np.zeros((4, 2)), np.ones((4, 2)), ("climatology",), np.full((4, 2, 2), 0.5), np.zeros((4, 2))
)
WEIGHED = Recalibration("UTC", {"ed_census": HALF_AND_HALF}, 30)


def usual(middle: float = 50.0, sd: float = 2.0) -> dict[str, Series]:
    """A rival's series over the grid; at lead 0 it says nothing."""
    mean = np.where(GRID > 0, middle, np.nan)
    return {"climatology": Series(mean, {q: mean + sd * float(ndtri(q)) for q in LEVELS})}


def test_a_member_says_what_its_rank_says_in_the_weighed_distribution() -> None:
    """Moved to the weighed mean alone, the mutant, members would keep the spread of the simulation."""
    raw = np.random.default_rng(5).normal(40.0, 6.0, (GRID.size, 4000))
    found = WEIGHED.one("ed_census", raw, GRID, AT, usual())
    levels = np.array([0.1, 0.5, 0.9])
    told = np.quantile(found[2:], levels, axis=1).T
    assert told == pytest.approx(np.tile(45.0 + 4.0 * ndtri(levels), (3, 1)), abs=0.3)
    moved = raw + (found.mean(axis=1) - raw.mean(axis=1))[:, None]
    assert np.quantile(moved[2], 0.9) > told[0, 2] + 1.5


def test_weighed_members_keep_their_order_the_present_and_their_sums() -> None:
    raw = simulated()
    found = WEIGHED.one("ed_census", raw, GRID, AT, usual())
    assert (found[0] == raw[0]).all()
    for before, after in zip(raw, found, strict=True):
        assert (np.diff(after[np.lexsort((after, before))]) >= -1e-9).all()
    several = {"ed_census": found, "ed_waiting": found / 3}
    whole = sum(several.values())
    assert np.asarray(whole).mean(axis=1) == pytest.approx(sum(v.mean(axis=1) for v in several.values()))
    mixed = np.random.default_rng(1).permuted(found, axis=1)  # the mutant: the same marginals, another order
    assert np.corrcoef(raw[2], found[2])[0, 1] > 0.95 > 0.3 > np.corrcoef(raw[2], mixed[2])[0, 1]


def test_chances_to_exceed_read_from_members_agree_with_the_published_quantiles() -> None:
    found = WEIGHED.one("ed_census", simulated(), GRID, AT, usual())
    said = series(found)
    for level in LEVELS:
        over = (found > said.quantiles[level][:, None]).mean(axis=1)
        assert over[1:] == pytest.approx(1.0 - level, abs=0.01)


def test_differences_stay_the_simulations_when_it_is_weighed() -> None:
    usual_members, other = simulated(), simulated() + np.arange(GRID.size)[:, None] * (np.arange(200) % 3)
    members = {"as_usual": Members(GRID, {"ed_census": usual_members}), "more": Members(GRID, {"ed_census": other})}
    found = WEIGHED.scenarios(members, AT, {"climatology": {"ed_census": usual()["climatology"]}})
    differ = found["more"].measures["ed_census"] - found["as_usual"].measures["ed_census"]
    assert differ == pytest.approx(other - usual_members)
    alone = WEIGHED.one("ed_census", other, GRID, AT, usual()) - found["as_usual"].measures["ed_census"]
    assert np.abs(alone - (other - usual_members)).max() > 1.0  # each weighed by itself, the mutant


def test_the_share_of_the_simulation_is_told_by_lead() -> None:
    told = {"climatology": {"ed_census": usual()["climatology"]}}
    named = WEIGHED.named(GRID, AT, told)
    assert named["weight_of_simulation"] == {"ed_census": {"60": 0.5, "240": 0.5}}
    assert WEIGHED.simulated_share("ed_census", GRID, AT, usual()).tolist() == [1.0, 0.75, 0.5, 0.5, 0.5]
    assert WEIGHED.named(GRID, AT)["weight_of_simulation"] == {"ed_census": {"60": 1.0, "240": 1.0}}
    forecast = Forecast(AT, AT, AT, GRID, {}, {}, {"recalibration": named})
    assert simulated_share(forecast, [240.0, 300.0])["ed_census"].tolist() == [0.5, 1.0]


def test_a_site_of_counts_alone_is_told_what_its_rivals_say_together() -> None:
    alone = Correction(
        LEADS, np.zeros((4, 2)), np.ones((4, 2)), ("climatology", "yesterday"), np.full((4, 2, 3), [0.0, 0.5, 0.5])
    )
    rivals = {"climatology": usual(50.0)["climatology"], "yesterday": usual(40.0)["climatology"]}
    said = alone.without_simulation(GRID, np.full(GRID.size, 12.0), rivals)
    assert said.mean[2:] == pytest.approx(45.0)
    assert said.quantiles[0.9][2:] == pytest.approx(45.0 + 2.0 * ndtri(0.9))


def test_the_better_rival_is_given_the_weight() -> None:
    """A rival that errs little beside a simulation that errs much."""
    error = noise(60, 3 * NORMAL)
    sharp = CAME + noise(60, 1.0, 8)[:, None] + ndtri(np.array(LEVELS))
    column = np.ones(error.size)
    found = learn(pairs(60, error, rivals={"climatology": RivalScores(column, column, sharp)}), "UTC")
    assert found.measures["ed_census"].weights is not None
    assert found.measures["ed_census"].weights[:, 0, 1].min() > 0.8


def test_forecasts_near_one_another_are_learned_from_once() -> None:
    at = [AT + timedelta(minutes=10 * i) for i in range(100)]
    assert spaced(at) == at[::30]
    assert spaced([t + timedelta(seconds=s) for t, s in zip(at[::30], (9, 2, 5, 0), strict=True)]) != []


def test_what_was_never_verified_stays_as_simulated() -> None:
    raw = simulated()
    assert BY_PAST.one("ed_waiting", raw, GRID, AT) is raw
    nothing = learn(joined([]), "UTC")
    assert (nothing.measures, nothing.days) == ({}, 0)
    members = {"as_usual": Members(GRID, {"ed_census": raw})}
    assert nothing.scenarios(members, AT)["as_usual"].measures["ed_census"] is raw


def test_over_the_day_corrections_go_over_from_block_to_block() -> None:
    steep = Correction(LEADS, np.array([[0.0, 0.0], [8.0, 8.0], [0.0, 0.0], [0.0, 0.0]]), np.ones((4, 2)))
    leads, values = np.full(5, 60.0), np.full((5, 3), 40.0)
    found = steep.members(values, leads, np.array([3.0, 6.0, 9.0, 12.0, 15.0]), {})
    assert (40.0 - found[:, 0]) == pytest.approx([0.0, 4.0, 8.0, 4.0, 0.0])


def test_it_tells_itself_apart() -> None:
    assert BY_PAST.digest != Recalibration().digest
    assert BY_PAST.digest == Recalibration("UTC", {"ed_census": KNOWN}, 30).digest
    assert timedelta(days=30) < calibrated.WINDOW
