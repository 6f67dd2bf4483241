"""Example views of the pages beside the wall: ordinary, empty, overfull, and every source in a state of its own."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from forecast.board import FeedState
from forecast.pages import (
    DoubtView,
    FeedsView,
    Hour,
    Published,
    QuarantineView,
    ReasonView,
    SilentPart,
    SourceView,
    Tally,
)
from tests.boards import LIMIT, MADE_AT, fed

ZONE, HOSPITAL = "Europe/Paris", "Centre hospitalier de Valmont"
MINUTE = timedelta(minutes=1)


def usual(hour: int) -> float:
    """Messages an hour that are usual: few before dawn."""
    return 62 - 48 * math.cos((hour - 3) / 24 * 2 * math.pi)


def hours(silent_from: int = 24, scale: float = 1.0) -> tuple[Hour, ...]:
    """The last 24 hours; from the hour `silent_from` on nothing came."""
    begin = MADE_AT.replace(minute=0) - timedelta(hours=23)
    return tuple(_hour(begin + timedelta(hours=i), i, silent_from, scale) for i in range(24))


def _hour(at: datetime, i: int, silent_from: int, scale: float) -> Hour:
    expected = scale * usual((at.hour + 1) % 24)
    share = 0.55 if i == 23 else 1.0
    count = round(share * expected * (1 + 0.22 * math.sin(11 * i))) if i < silent_from else 0
    return Hour(at, count, expected)


def source(
    name: str = "mllp", state: FeedState = "live", age: timedelta | None = 2 * MINUTE / 6, **said: Any
) -> SourceView:
    """A source in a state, of which nothing was heard for so long."""
    feed = fed(state, age)
    kind = said.pop("kind", "mllp")
    ordinary: dict[str, Any] = {
        "rate_now": 88, "usual_now": usual(14), "hours": hours(), "lag": timedelta(seconds=14),
        "skew": timedelta(seconds=-1), "is_skew_warned": False, "silent": (),
        "tally": Tally(48213, 44120, 61, 3990, 42), "backlog": 0, "eta": None, "connections": 2,
        "broken": (), "fault": None,
    }  # fmt: skip
    return SourceView(name, kind, state, feed.heard_at, age, LIMIT, feed.worse_after, **{**ordinary, **said})


def view(*sources: SourceView, state: FeedState | None = None, **said: Any) -> FeedsView:
    """A page of sources."""
    worst = fed(state or (sources[0].state if sources else "off"), sources[0].age if sources else None)
    return FeedsView(MADE_AT, ZONE, HOSPITAL, said.get("mode", "live"), worst, sources, said.get("files", ()))


FILES = (("adt-2025.csv", Tally(181_400, 181_002, 0, 0, 398)), ("beds", Tally(120, 120, 0, 0, 0)))


def ordinary_feeds() -> FeedsView:
    """Messages come; a topic is quiet."""
    kafka = source("kafka:ed.labs", "quiet", 7 * MINUTE, kind="kafka", connections=None, hours=hours(scale=0.3),
                   rate_now=21, usual_now=0.3 * usual(14), tally=Tally(9_120, 9_120, 0, 0, 0))  # fmt: skip
    return view(source(), kafka, files=FILES)


def empty_feeds() -> FeedsView:
    """A house that has just been set up: nothing was ever heard, nothing is usual."""
    unlearned = tuple(replace(hour, count=0, usual=None) for hour in hours())
    nothing = source(state="off", age=None, rate_now=0, usual_now=None, lag=None, skew=None, connections=0,
                     hours=unlearned, tally=Tally(0, 0, 0, 0, 0))  # fmt: skip
    return view(nothing)


SILENT = (
    SilentPart("unit", "geriatrics", "Gériatrie aiguë", "Acute geriatrics", timedelta(hours=9)),
    SilentPart("kind", "TestResulted", "TestResulted", "TestResulted", timedelta(hours=2)),
)


def overfull_feeds() -> FeedsView:
    """Many sources, long names, big numbers, silent parts, a wrong clock."""
    parts = tuple(
        SilentPart("unit", f"u{n}", f"Médecine interne et polyvalente {n}", f"General medicine {n}", timedelta(hours=n))
        for n in range(3, 13)
    )
    first = source(state="inconsistent", silent=parts, skew=timedelta(minutes=25), is_skew_warned=True, backlog=73,
                   broken=("clock",), tally=Tally(9_821_300, 9_000_001, 71_299, 700_000, 50_000))  # fmt: skip
    others = [source(f"kafka:hospital.emergency.events.{n}", "live", kind="kafka") for n in range(3)]
    told = Published("edtwin.forecasts", 4_031, 12, 3, MADE_AT - 4 * MINUTE, "ConnectionRefused")
    crowd = view(first, *others, source("regional", "live", kind="fhir"), files=FILES * 4)
    return replace(crowd, published=told)


def feeds_in(state: FeedState) -> FeedsView:
    """One source in a state."""
    ages: dict[FeedState, timedelta] = {
        "live": MINUTE / 3, "quiet": 18 * MINUTE, "late": 12 * MINUTE, "catching_up": MINUTE / 20,
        "inconsistent": MINUTE / 3, "stale": 52 * MINUTE, "off": 312 * MINUTE,
    }  # fmt: skip
    said: dict[FeedState, dict[str, Any]] = {
        "quiet": {"hours": hours(scale=0.2), "rate_now": 3, "usual_now": 5.0},
        "late": {"rate_now": 61, "silent": SILENT},
        "catching_up": {"backlog": 1840, "eta": 4 * MINUTE, "rate_now": 1204, "lag": 21 * MINUTE},
        "inconsistent": {"skew": 25 * MINUTE, "is_skew_warned": True, "broken": ("clock",)},
        "stale": {"hours": hours(23), "rate_now": 9},
        "off": {"hours": hours(18), "rate_now": 0, "connections": 0},
    }
    return view(source(state=state, age=ages[state], **said.get(state, {})))


def reason(code: str, count: int, at: datetime = MADE_AT, name: str = "mllp") -> ReasonView:
    """What waits for a reason."""
    places = tuple(f"{name}@{17_000 + 37 * n}" for n in range(3))
    return ReasonView(name, code, count, at - timedelta(days=3, hours=2), at - timedelta(minutes=9), places)


def quarantine(*reasons: ReasonView) -> QuarantineView:
    """A page of the quarantine."""
    return QuarantineView(MADE_AT, ZONE, HOSPITAL, "live", reasons)


DOUBTS = (DoubtView("mllp", "unmapped_unit", 1_204), DoubtView("mllp", "control_id_reused", 3))


def ordinary_quarantine() -> QuarantineView:
    """A word that no mapping knows, and some damage."""
    row = replace(reason("impossible_date", 6, name="adt"), places=("adt-2025.csv:row 12", "adt-2025.csv:row 800"))
    return quarantine(reason("unknown_class", 31), row, reason("two_messages", 4), reason("missing_visit", 1))


def overfull_quarantine() -> QuarantineView:
    """More reasons than a page holds."""
    codes = ["unknown_value", "impossible_date", "missing_visit", "in_future", "too_many_segments", "reader_failed"]
    many = quarantine(*(reason(code, 10_000 - n, name=f"topic[{n}]") for n, code in enumerate(codes * 4)))
    return replace(many, doubts=DOUBTS)


FEEDS: dict[str, Callable[[], FeedsView]] = {
    "ordinary": ordinary_feeds, "empty": empty_feeds, "overfull": overfull_feeds, "stale": lambda: feeds_in("stale"),
}  # fmt: skip
QUARANTINES: dict[str, Callable[[], QuarantineView]] = {
    "ordinary": ordinary_quarantine,
    "doubtful": lambda: replace(ordinary_quarantine(), doubts=DOUBTS),
    "empty": quarantine,
    "overfull": overfull_quarantine,
}
