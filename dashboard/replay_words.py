"""What the replay says in words: what was said for an hour and what came, and what moved between two forecasts."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from dashboard.replay_charts import other_of
from dashboard.words import Reader
from forecast.board import Fan
from forecast.replay_view import TOLD_LEADS_MIN, ReplayView
from ingest.clock import local

_ENDS = (0.1, 0.5, 0.9)
Verdict = Literal["within", "above", "below"]


@dataclass(frozen=True)
class Line:
    """One hour ahead: what was said of it, what was said at the other instant, and what came."""

    valid_at: datetime
    low: float
    middle: float
    high: float
    other: tuple[float, float, float] | None
    came: float | None

    @property
    def verdict(self) -> Verdict | None:
        """Whether it came as was said; ends count as within. None while it is not known."""
        if self.came is None:
            return None
        if self.came > self.high:
            return "above"
        return "below" if self.came < self.low else "within"


def lines(view: ReplayView, measure: str) -> list[Line]:
    """The hours that are told in words."""
    said = view.looked.said if view.looked is not None else None
    fan = said.fans.get(measure) if said is not None else None
    if fan is None or said is None:
        return []
    other = other_of(view, measure)
    wanted = {said.as_of + timedelta(minutes=lead) for lead in TOLD_LEADS_MIN}
    return [
        Line(
            at, fan.quantiles[0.1][place], fan.quantiles[0.5][place], fan.quantiles[0.9][place],
            None if other is None else _three(other, at), None if view.came is None else view.came.of(measure, at),
        )
        for place, at in enumerate(fan.valid_at) if at in wanted and view.at is not None and at > view.at
    ]  # fmt: skip


def _three(fan: Fan, at: datetime) -> tuple[float, float, float] | None:
    """10, 50 and 90 % of an instant, read between two of the fan's own; None outside of them."""
    after = bisect_left(fan.valid_at, at)
    if after == len(fan.valid_at) or (after == 0 and fan.valid_at[0] != at):
        return None
    before = max(after - 1, 0)
    first, second = fan.valid_at[before], fan.valid_at[after]
    share = (at - first) / (second - first) if second > first else 0.0
    low, middle, high = (q[before] + share * (q[after] - q[before]) for q in (fan.quantiles[p] for p in _ENDS))
    return low, middle, high


def said_words(line: Line, reader: Reader, zone_day: datetime) -> str:
    """ "18:00: said 41 to 56"."""
    low, high = reader.number(line.low), reader.number(line.high)
    return reader.say("{time}: said {low} to {high}", time=hour(line.valid_at, zone_day, reader), low=low, high=high)


def came_words(line: Line, reader: Reader) -> tuple[str, str]:
    """A tone, and "it was 49"."""
    if line.came is None:
        return "news", reader.say("what came is not known yet")
    number = reader.number(line.came)
    if line.verdict == "within":
        return "good", reader.say("it was {n}", n=number)
    if line.verdict == "above":
        return "warn", reader.say("it was {n}, more than said", n=number)
    return "warn", reader.say("it was {n}, fewer than said", n=number)


def whole_words(found: Sequence[Line], reader: Reader) -> str | None:
    """In how many of the hours that are told it came as was said; None where nothing came."""
    judged = [line.verdict for line in found if line.verdict is not None]
    if not judged:
        return None
    n, of = reader.number(judged.count("within")), reader.number(len(judged))
    return reader.say("Within what was said at {n} of {of} hours (8 in 10 are to be).", n=n, of=of)


def most_moved(found: Sequence[Line]) -> Line | None:
    """The hour whose middle moved most between the two instants; None where nothing can be compared."""
    known = [line for line in found if line.other is not None]
    return max(known, key=lambda line: abs(line.middle - line.other[1]) if line.other else 0.0) if known else None


def moved_words(line: Line, view: ReplayView, reader: Reader) -> str:
    """ "For 18:00, 41 was expected at 8:00, 47 at 12:00." """
    assert view.at is not None
    assert view.asked.versus is not None
    assert line.other is not None
    told = sorted(((view.at, line.middle), (view.asked.versus, line.other[1])))
    (first, before), (second, after) = told
    return reader.say(
        "For {time}, {before} was expected at {first}, {after} at {second}.",
        time=hour(line.valid_at, view.at, reader), before=reader.number(before), after=reader.number(after),
        first=hour(first, view.at, reader), second=hour(second, view.at, reader),
    )  # fmt: skip


def came_between(view: ReplayView, reader: Reader) -> str | None:
    """How many came between the two instants, where both are of one day."""
    if view.looked is None or view.versus is None:
        return None
    first, second = sorted((view.looked.then, view.versus.then), key=lambda then: then.at)
    if local(first.at, view.zone).date() != local(second.at, view.zone).date():
        return None
    counts = (first.now.arrivals_today, second.now.arrivals_today)
    usual = (first.now.expected_today, second.now.expected_today)
    if None in counts or None in usual:
        return None
    return reader.say(
        "Between {first} and {second}, {n} came; usually {usual} do.", first=reader.clock(first.at),
        second=reader.clock(second.at), n=reader.number((counts[1] or 0) - (counts[0] or 0)),
        usual=reader.number((usual[1] or 0.0) - (usual[0] or 0.0)),
    )  # fmt: skip


def hour(at: datetime, beside: datetime, reader: Reader) -> str:
    """The time of day, with the day where it is another."""
    same = local(at, reader.zone).date() == local(beside, reader.zone).date()
    return reader.clock(at) if same else f"{reader.date(at)}, {reader.clock(at)}"
