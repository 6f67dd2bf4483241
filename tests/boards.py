"""Example boards: ordinary, empty, overfull, stale, before the first forecast, replay.

Made by plain formulas, so that a picture of them is the same every time.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from statistics import NormalDist
from typing import Any, cast

from forecast.board import (
    Board,
    Check,
    Cycle,
    Earlier,
    Effect,
    Fan,
    Feed,
    FeedState,
    Moved,
    Now,
    ScenarioView,
    Skill,
    UnitNow,
)
from forecast.helping import helps_most
from ingest.health import ages_to_worsen

MADE_AT = datetime(2026, 11, 24, 13, 34, tzinfo=UTC)
LIMIT = timedelta(minutes=5)
ISSUED_AT = datetime(2026, 11, 24, 13, 30, tzinfo=UTC)
STEP = timedelta(minutes=15)
LEVELS = (0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975)

Curve = Callable[[float], float]
"""A measure's expected value by hours from the issue time."""


def _census(hours: float) -> float:
    return 37 + 9 * math.sin((hours + 0.5) / 24 * 2 * math.pi + 0.3) + 2 * math.sin(hours / 3)


def _boarders(hours: float) -> float:
    return 7 + 3 * math.sin((hours - 2) / 24 * 2 * math.pi)


def _waiting(hours: float) -> float:
    return 12 + 5 * math.sin((hours + 1) / 24 * 2 * math.pi)


def _free(hours: float) -> float:
    return 10 - 6 * math.sin((hours + 2) / 24 * 2 * math.pi)


def _arrivals(hours: float) -> float:
    return max(1.5, 7 + 4.5 * math.sin((hours + 3.5) / 24 * 2 * math.pi))


def _fan(measure: str, curve: Curve, *, spread: float, capacity: float | None = None) -> Fan:
    ahead_h = [0.25 * step for step in range(1, 97)]
    past_h = [0.25 * step for step in range(-96, 1)]
    quantiles = {}
    for level in LEVELS:
        z = NormalDist().inv_cdf(level)
        quantiles[level] = tuple(max(0.0, curve(h) + z * spread * (1 - math.exp(-h / 5))) for h in ahead_h)
    peak_h = max(ahead_h[:48], key=curve)
    peak = curve(peak_h)
    return Fan(
        measure=measure,
        past_at=tuple(ISSUED_AT + timedelta(hours=h) for h in past_h),
        past=tuple(float(max(0, round(curve(h) + 1.3 * math.sin(17 * h)))) for h in past_h),
        valid_at=tuple(ISSUED_AT + timedelta(hours=h) for h in ahead_h),
        quantiles=quantiles,
        usual=tuple(0.9 * curve(h) for h in ahead_h),
        earlier=_earlier(curve, spread),
        capacity=capacity,
        peak_at=ISSUED_AT + timedelta(hours=peak_h),
        peak=(peak - spread / 2, peak + spread / 4, peak + 2 * spread),
    )


def _free_beds() -> Fan:
    """Of what there should be more of the fewest is told, and nothing is usual."""
    fan = _fan("beds_free", _free, spread=2.8)
    fewest = min(fan.quantiles[0.5])
    at = fan.valid_at[fan.quantiles[0.5].index(fewest)]
    lowest = (max(0.0, fewest - 2), fewest, fewest + 2)
    none = (None,) * len(fan.valid_at)
    return replace(fan, usual=none, earlier=None, peak=None, peak_at=None, lowest=lowest, lowest_at=at)


def _earlier(curve: Curve, spread: float) -> Earlier:
    hours = [0.25 * step for step in range(-23, 73)]
    median = tuple(max(0.0, 0.94 * curve(h) + 1) for h in hours)
    return Earlier(
        issued_at=ISSUED_AT - timedelta(hours=6),
        valid_at=tuple(ISSUED_AT + timedelta(hours=h) for h in hours),
        low=tuple(value - spread for value in median),
        median=median,
        high=tuple(value + spread for value in median),
    )


def _unit(name_fr: str, name_en: str, beds: int, census: int, ahead: float) -> UnitNow:
    free = beds - census
    leads = {
        240: (ahead - 2, ahead, ahead + 2),
        480: (ahead - 2, ahead, ahead + 3),
        1050: (ahead, ahead + 1, ahead + 5),
    }
    return UnitNow(name_en.lower(), name_fr, name_en, beds, census, free, leads)


UNITS = (
    _unit("Médecine polyvalente", "General medicine", 32, 32, 1.0),
    _unit("Gériatrie aiguë", "Acute geriatrics", 24, 24, 0.0),
    _unit("Cardiologie", "Cardiology", 20, 19, 1.0),
    _unit("Chirurgie", "Surgery", 30, 25, 5.0),
    _unit("UHCD", "Short-stay unit", 10, 8, 2.0),
    _unit("Réanimation", "Intensive care", 12, 11, 1.0),
)


def _effects(census: float, waiting: float, boarders: float, spread: float) -> tuple[Effect, ...]:
    means = {"ed_census": census, "ed_waiting": waiting, "ed_boarders": boarders}
    curves = {"ed_census": _census, "ed_waiting": _waiting, "ed_boarders": _boarders}
    return tuple(
        Effect(measure, lead, mean * share, mean * share - spread, mean * share + spread, curves[measure](lead / 60))
        for measure, mean in means.items()
        for lead, share in ((240, 0.7), (480, 1.0))
    )


SCENARIOS = (
    ScenarioView("as_usual", "Rien ne change.", "Nothing changes.", ()),
    ScenarioView(
        "one_more_doctor",
        "Un médecin de plus dès maintenant.",
        "One more doctor from now on.",
        _effects(-6.2, -5.1, 0.3, 3.0),
        can_be_decided=True,
    ),
    ScenarioView(
        "ten_beds_closed",
        "Dix lits de médecine fermés.",
        "Ten medical beds closed.",
        _effects(5.4, 0.8, 5.9, 2.4),
    ),
    ScenarioView(
        "arrivals_up_20",
        "Un cinquième d'arrivées en plus.",
        "A fifth more arrivals.",
        _effects(8.8, 4.6, 1.1, 3.9),
    ),
    ScenarioView(
        "mass_casualty_20",
        "Vingt blessés arrivent dans l'heure.",
        "Twenty casualties arrive within the hour.",
        _effects(21.5, 9.7, 3.8, 3.5),
    ),
)


def _skill(lead_min: int, mae: float, coverage: float, persistence: float, climatology: float) -> Skill:
    rivals = {"persistence": persistence, "climatology": climatology}
    return Skill("ed_census", lead_min, 1243, mae, 0.3, 0.72 * mae, coverage, rivals)


SKILLS = (
    _skill(60, 1.9, 0.83, 0.12, 0.61),
    _skill(120, 2.6, 0.82, 0.21, 0.47),
    _skill(240, 3.4, 0.80, 0.38, 0.30),
    _skill(480, 4.3, 0.79, 0.52, 0.11),
    _skill(720, 4.9, 0.77, 0.55, 0.04),
    _skill(1440, 5.6, 0.75, 0.09, -0.03),
)


MOVED = Moved(
    since=ISSUED_AT - timedelta(hours=1), valid_at=ISSUED_AT + timedelta(hours=4, minutes=30), before=44.2, now=48.6,
    by={"arrivals": 3.7, "patients": 1.3, "capacity": -0.6, "correction": 0.0},
    arrived=14.0, arrivals_expected=9.4, left=7.0, exits_expected=8.6,
)  # fmt: skip


def fed(state: FeedState, age: timedelta | None, *, limit: timedelta = LIMIT, **said: Any) -> Feed:
    """A feed in a state, of which nothing was heard for so long."""
    heard_at = None if age is None else MADE_AT - age
    ages = tuple((cast(FeedState, s.name.lower()), after) for s, after in ages_to_worsen(limit))
    return Feed(state, heard_at, age, limit, ages, **said)


def with_scenarios(board: Board, *views: ScenarioView) -> Board:
    """The board with other scenarios, and what helps most of them."""
    return replace(board, scenarios=views, helps=helps_most(views))


def ordinary() -> Board:
    """An afternoon like others: a few too many patients, two wards full."""
    return Board(
        made_at=MADE_AT,
        zone="Europe/Paris",
        hospital="Centre hospitalier de Valmont",
        mode="live",
        now=Now(41, 12, 131.0, 7, 435.0, 9, 128, 119.0, 38),
        units=UNITS,
        fans={
            "ed_census": _fan("ed_census", _census, spread=5.5, capacity=38),
            "ed_boarders": _fan("ed_boarders", _boarders, spread=2.4),
            "ed_waiting": _fan("ed_waiting", _waiting, spread=3.1),
            "ed_arrivals": _fan("ed_arrivals", _arrivals, spread=2.6),
            "beds_free": _free_beds(),
        },
        scenarios=SCENARIOS,
        helps=helps_most(SCENARIOS),
        skills=SKILLS,
        shares={"ed_census": {60: 0.95, 120: 0.72, 240: 0.5, 480: 0.31, 720: 0.12, 1440: 0.04}},
        feed=fed("live", timedelta(seconds=40)),
        cycle=Cycle(
            ISSUED_AT,
            MADE_AT - ISSUED_AT,
            41.0,
            143,
            0,
            0,
            None,
            timedelta(minutes=10),
            200,
            60.4,
            "full",
            corrected_days=42,
        ),
        moved=MOVED,
    )


def overfull() -> Board:
    """Far too many patients, many wards all full, long names, records rejected, leads worse or not yet measured."""
    board = ordinary()
    units = tuple(
        _unit(f"Médecine interne et polyvalente {n}", f"Internal and general medicine {n}", 28, 28 + (n == 1), 0.0)
        for n in range(1, 12)
    )
    rejected = {"impossible_date": 812, "unknown_value": 241, "missing_visit": 77, "stay_over_limit": 4}
    tenfold = (replace(s, effects=tuple(_tenfold(e) for e in s.effects)) for s in board.scenarios)
    return replace(
        with_scenarios(board, *tenfold),
        hospital="Groupe hospitalier universitaire de la Haute-Vallée et du Littoral",
        now=Now(127, 58, 1147.0, 46, 2961.0, 31, 1289, 1012.0, 38),
        units=units,
        fans={name: _scaled(fan, 3.0) for name, fan in board.fans.items()},
        skills=tuple(replace(s, skill=dict.fromkeys(s.skill, -0.2)) for s in SKILLS if s.lead_min in (240, 480, 720)),
        feed=replace(board.feed, rejected=rejected),
        cycle=replace(board.cycle, missed=3, failed=1, seconds=58.0),
    )


def _scaled(fan: Fan, by: float) -> Fan:
    return replace(
        fan,
        past=tuple(None if value is None else by * value for value in fan.past),
        quantiles={level: tuple(by * value for value in values) for level, values in fan.quantiles.items()},
        usual=tuple(None if value is None else by * value for value in fan.usual),
        earlier=None if fan.earlier is None else replace(fan.earlier, median=tuple(by * v for v in fan.earlier.median)),
        peak=None if fan.peak is None else (by * fan.peak[0], by * fan.peak[1], by * fan.peak[2]),
        lowest=None if fan.lowest is None else (by * fan.lowest[0], by * fan.lowest[1], by * fan.lowest[2]),
    )


def _tenfold(effect: Effect) -> Effect:
    usual = 60 + (effect.usual or 0.0)
    return replace(effect, mean=10 * effect.mean, low=10 * effect.low, high=10 * effect.high, usual=usual)


def stale() -> Board:
    """No event for 52 minutes, the last cycles failed, a log that knows few milestones, one scenario without lever."""
    board = ordinary()
    age = timedelta(minutes=52)
    error = "the simulation did not end within 90 s and was stopped"
    no_lever: dict[str, Any] = {
        "inapplicable_fr": "le parcours de cet hôpital n'a pas de médecins",
        "inapplicable_en": "the path of this hospital has no doctors",
    }
    without = (replace(s, effects=(), **no_lever) if s.name == "one_more_doctor" else s for s in SCENARIOS)
    return replace(
        with_scenarios(board, *without),
        now=replace(board.now, waiting=None, longest_wait_min=None),
        feed=fed("stale", age, rejected={"impossible_date": 3}),
        cycle=replace(
            board.cycle,
            issued_at=MADE_AT - timedelta(minutes=40),
            age=timedelta(minutes=40),
            failed=2,
            last_error=error,
        ),
    )


def empty() -> Board:
    """A department without anybody and nothing yet learned: zeros that are true, and much that is not known."""
    return replace(
        ordinary(),
        now=Now(0, 0, None, 0, None, 0, 0, None, None),
        units=(),
        fans={},
        scenarios=(),
        helps=None,
        skills=(),
    )


def before_first() -> Board:
    """The log is read, the first forecast is not there yet."""
    board = ordinary()
    return replace(
        board,
        units=tuple(replace(unit, free_ahead={}) for unit in UNITS),
        fans={},
        scenarios=(),
        helps=None,
        skills=(),
        cycle=Cycle(None, None, None, 0, 0, 0, None, timedelta(minutes=10), 200, None, "full"),
    )


def replay() -> Board:
    """A past day replayed, with figures of a back-test."""
    board = ordinary()
    return replace(board, mode="replay", skills=tuple(replace(skill, backtested=True) for skill in SKILLS))


def quiet() -> Board:
    """Four in the morning, nothing for 18 minutes, as is usual then."""
    return replace(ordinary(), feed=fed("quiet", timedelta(minutes=18), limit=timedelta(minutes=30)))


def late() -> Board:
    """Silent for longer than usual; a ward not heard of at all."""
    return replace(ordinary(), feed=fed("late", timedelta(minutes=12), silent_units=1))


def catching_up() -> Board:
    """A backlog that is being worked off."""
    feed = fed("catching_up", timedelta(seconds=3), backlog=1840, eta=timedelta(minutes=4), source="mllp")
    return replace(ordinary(), feed=feed)


def inconsistent() -> Board:
    """More who wait than are there, and twice as many people as beds in a ward; the source's clock is wrong."""
    board = ordinary()
    units = (_unit("Chirurgie", "Surgery", 30, 67, 5.0), *UNITS[:3])
    checks = (Check("present", "parts_over_whole"), Check("unit:surgery", "over_beds"))
    feed = fed("inconsistent", timedelta(seconds=20), skew=timedelta(minutes=25))
    return replace(board, now=replace(board.now, present=15), units=units, checks=checks, feed=feed)


def off() -> Board:
    """Nothing for five hours."""
    board = ordinary()
    age = timedelta(hours=5, minutes=12)
    return replace(board, feed=fed("off", age), cycle=replace(board.cycle, age=age, issued_at=MADE_AT - age))


def described() -> Board:
    """A house of three days: the forecast comes from what its site says, and nothing has met its hour yet."""
    board = ordinary()
    basis = {"source": "site", "days": 3.0, "needed": 7.0, "level": 1.08, "keeps_path": False}
    cycle = replace(board.cycle, described=basis, learned_days=0.0, path="own")
    return replace(board, cycle=cycle, skills=())


def unhelped() -> Board:
    """No scenario that can be decided surely helps, and of no ward the beds are known."""
    board = ordinary()
    usual, doctor, *befall = SCENARIOS
    unsure = replace(doctor, effects=_effects(-1.2, -0.8, 0.1, 3.0))
    units = tuple(replace(unit, beds=None, free=None, free_ahead={}) for unit in UNITS)
    fans = {name: fan for name, fan in board.fans.items() if name != "beds_free"}
    return replace(with_scenarios(board, usual, unsure, *befall), units=units, fans=fans)


EXAMPLES: dict[str, Callable[[], Board]] = {
    "ordinary": ordinary,
    "empty": empty,
    "overfull": overfull,
    "quiet": quiet,
    "late": late,
    "catching_up": catching_up,
    "inconsistent": inconsistent,
    "stale": stale,
    "off": off,
    "before_first": before_first,
    "replay": replay,
    "described": described,
    "unhelped": unhelped,
}
