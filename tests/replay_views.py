"""Example values of the page of the replay: a morning as it was known, what was said of it, and what came."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import cos, pi, sqrt

from forecast.board import Fan, Now, UnitNow
from forecast.replay_view import DRAWN, MEASURES, Asked, Came, Looked, ReplayView, Said, Then
from tests.boards import MADE_AT

AT = datetime(2026, 11, 3, 7, 0, tzinfo=UTC)
"""8:00 in Paris, a Tuesday."""
OTHER_AT = AT - timedelta(hours=4)
_QUARTER = timedelta(minutes=15)
_SIZE = {"ed_census": 45.0, "ed_waiting": 12.0, "ed_boarders": 9.0}
_SPREAD = {0.05: -1.65, 0.1: -1.28, 0.25: -0.67, 0.5: 0.0, 0.75: 0.67, 0.9: 1.28, 0.95: 1.65}
_WARDS = (("medicine", "Médecine", "Medicine", 28, 26), ("surgery", "Chirurgie", "Surgery", 24, 19))


def usual(measure: str, at: datetime) -> float:
    """A day's course: least at 5, most at 17 (UTC)."""
    hour = (at - AT.replace(hour=0)) / timedelta(hours=1)
    return _SIZE[measure] * (1 - 0.35 * cos(2 * pi * (hour - 5) / 24))


def then(at: datetime = AT) -> Then:
    """What was known."""
    past_at = tuple(at - 48 * _QUARTER + i * _QUARTER for i in range(49))
    past = {m: tuple(float(round(usual(m, t))) for t in past_at) for m in MEASURES}
    count = {m: round(usual(m, at)) for m in MEASURES}
    now = Now(count["ed_census"], count["ed_waiting"], 134.0, count["ed_boarders"], 431.0, 9, 31, 28.4, 58)
    units = tuple(UnitNow(name, fr, en, beds, taken, beds - taken, {}) for name, fr, en, beds, taken in _WARDS)
    return Then(at, now, units, past_at, past, at - timedelta(minutes=2), 41)


def fan(measure: str, at: datetime = AT, *, too_high: float = 0.0, leads_min: tuple[int, ...] = ()) -> Fan:
    """What was said of a measure from an instant on."""
    leads = leads_min or tuple(range(0, 1441, 15))
    valid_at = tuple(at + timedelta(minutes=lead) for lead in leads)
    middle = [usual(measure, t) * (1.0 + too_high) for t in valid_at]
    spread = [_SIZE[measure] / 12 * sqrt(lead / 60.0) for lead in leads]
    quantiles = {
        level: tuple(round(max(m + z * s, 0.0), 1) for m, s in zip(middle, spread, strict=True))
        for level, z in _SPREAD.items()
    }
    known = then(at)
    shown = tuple(usual(measure, t) for t in valid_at)
    capacity = 58.0 if measure == "ed_census" else None
    return Fan(measure, known.past_at, known.past[measure], valid_at, quantiles, shown, capacity=capacity)


def said(at: datetime = AT, *, too_high: float = 0.0, leads_min: tuple[int, ...] = ()) -> Said:
    """A forecast as it was published."""
    fans = {m: fan(m, at, too_high=too_high, leads_min=leads_min) for m in MEASURES}
    return Said(at, at, fans, is_thinned=bool(leads_min), corrected_days=30)


def came(*, higher: float = 0.0, until: datetime | None = None) -> Came:
    """What came, `higher` by a share than usual; nothing is told of later than `until`."""
    at = tuple(AT + i * _QUARTER for i in range(DRAWN // _QUARTER + 1))
    last = until or AT + DRAWN
    values = {m: tuple(float(round(usual(m, t) * (1 + higher))) if t <= last else None for t in at) for m in MEASURES}
    return Came(at, values, last)


def ordinary_replay(*, to: datetime | None = None, higher: float = 0.05) -> ReplayView:
    """A published forecast, and its clock."""
    return ReplayView(
        MADE_AT, "Europe/Paris", "Centre hospitalier de Valmont", "live", "shown", Asked(at=AT, to=to), at=AT,
        first_at=AT - timedelta(days=60), last_at=MADE_AT, looked=Looked(then(), said()), came=came(higher=higher),
        spaces=58,
    )  # fmt: skip


def half_way() -> ReplayView:
    """The clock has come to 16:00; more came than was said."""
    return ordinary_replay(to=AT + timedelta(hours=8), higher=0.4)


def compared() -> ReplayView:
    """Beside what had been said four hours before, at its end."""
    view = ordinary_replay(to=AT + DRAWN)
    asked = replace(view.asked, versus=OTHER_AT)
    return replace(view, asked=asked, versus=Looked(then(OTHER_AT), said(OTHER_AT, too_high=0.25)))


def thinned() -> ReplayView:
    """Some weeks later, of which some hours are kept."""
    looked = Looked(then(), said(leads_min=(60, 120, 240, 480, 720, 1440)))
    return replace(ordinary_replay(to=AT + timedelta(hours=12)), looked=looked)


def unsaid() -> ReplayView:
    """No forecast is kept; the nearest are of another day."""
    beside = (AT - timedelta(days=4), AT + timedelta(days=2))
    return replace(ordinary_replay(), looked=Looked(then(), None), issues=beside)


def being_forecast() -> ReplayView:
    """The button was pressed."""
    return replace(unsaid(), forecasting_at=AT, ready=False)


def looking() -> ReplayView:
    """An instant that is being read."""
    return replace(ordinary_replay(), state="looking", looked=None, came=None)


def outside() -> ReplayView:
    """An instant that the log does not tell of, in an address that is not whole."""
    asked = Asked(at=AT - timedelta(days=600), fault="speed=7")
    return replace(looking(), state="outside", asked=asked, at=asked.at)


def empty() -> ReplayView:
    """A log without an event."""
    return ReplayView(MADE_AT, "Europe/Paris", "Centre hospitalier de Valmont", "live", "empty", Asked())


VIEWS: dict[str, Callable[[], ReplayView]] = {
    "ordinary": ordinary_replay, "half-way": half_way, "compared": compared, "thinned": thinned, "unsaid": unsaid,
    "forecasting": being_forecast, "looking": looking, "outside": outside, "empty": empty,
}  # fmt: skip
