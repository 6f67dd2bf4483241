"""The downtime sheet in words: what was last known, from when, and how far it can be believed.

A number is told as it was last known, whatever became of the feed since: that is what the sheet is for. What it says of
the present is in `warning`, and before anything else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from dashboard.feed_words import state_name, state_sentence
from dashboard.panels.downtime import call, known_at
from dashboard.states import forecast_shown
from dashboard.words import UNKNOWN, Reader
from forecast.board import Board, Fan, UnitNow
from forecast.on_duty import OnDuty

AHEAD = (timedelta(hours=1), timedelta(hours=2), timedelta(hours=4), timedelta(hours=8), timedelta(hours=12))
"""How far ahead the sheet says what was likely."""
SHIFTS = (timedelta(0), timedelta(hours=4), timedelta(hours=8))
"""At which times from now the sheet says who is on duty."""
_CHECKED = "\N{BLACK UP-POINTING TRIANGLE}"


@dataclass(frozen=True)
class Grid:
    """A table: its question, heads, rows of texts; with `hand` columns left free to write in, and a remark below."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    hand: int = 0
    note: str = ""


@dataclass(frozen=True)
class Told:
    """A downtime sheet in words, whole."""

    title: str
    hospital: str
    known: str
    """As known at what time."""
    made: str
    """When the sheet was made."""
    feed: str
    """The state of the data, with its age."""
    warning: str | None
    """Why this is not the present; None where it was, when the sheet was made."""
    not_real: str | None
    """That no such hospital exists, where none does."""
    call: str
    department: Grid
    wards: Grid
    staff: Grid
    ahead: Grid
    by_hand: Grid
    is_not: str


def told(board: Board, staff: Sequence[OnDuty], reader: Reader) -> Told:
    """The sheet in the reader's language."""
    at = known_at(board)
    known = reader.say("As known at {time}", time=reader.moment(at)) if at else reader.say("nothing is known yet")
    made = reader.say("sheet of {time}", time=reader.moment(board.made_at))
    return Told(
        reader.say("Downtime sheet"), board.hospital, known, made,
        f"{state_name(board.feed.state, reader)} · {state_sentence(board.feed, reader)}",
        _warning(board, at, reader), _not_real(board, reader), call(board, reader),
        _department(board, reader), _wards(board, reader), _staff(board, staff, reader), _ahead(board, reader),
        _by_hand(reader),
        reader.say(
            "Counts and likely flows of the hospital; nothing about a single patient. Check before you rely on it."
        ),
    )  # fmt: skip


def on_duty_at(board: Board) -> list[datetime]:
    """At which instants the sheet says who is on duty."""
    return [_quarter(board.made_at) + shift for shift in SHIFTS]


def _quarter(at: datetime) -> datetime:
    """The quarter of an hour that it is in: forecasts are of full quarters."""
    return at.replace(minute=at.minute // 15 * 15, second=0, microsecond=0)


def _warning(board: Board, at: datetime | None, reader: Reader) -> str | None:
    if at is None:
        return reader.say("NOTHING IS KNOWN: count by hand.")
    since = reader.moment(at)
    return {
        "late": reader.say("Messages come late: some of what happened since {time} is not here.", time=since),
        "catching_up": reader.say("PROVISIONAL: messages from before are still being read."),
        "inconsistent": reader.say("Numbers marked ! contradict each other: check them by telephone."),
        "stale": reader.say("NOT THE PRESENT: nothing was heard since {time}. Count by telephone.", time=since),
        "off": reader.say("NOT THE PRESENT: nothing was heard since {time}. Count everything anew.", time=since),
    }.get(board.feed.state)


def _not_real(board: Board, reader: Reader) -> str | None:
    if board.mode == "live":
        return None
    return {
        "replay": reader.say("REPLAY: not the present."),
        "exercise": reader.say("EXERCISE: none of this is real."),
    }.get(board.mode, reader.say("FABRICATED: a hospital that does not exist."))


def _department(board: Board, reader: Reader) -> Grid:
    now, spaces = board.now, board.now.capacity_spaces
    present = reader.say("Present")
    if spaces is not None:
        present = reader.say("Present, for {n} spaces", n=reader.number(spaces))
    rows = (
        (_marked(present, "present", board), _whole(now.present, reader), ""),
        (_marked(reader.say("of them not yet seen"), "waiting", board), _whole(now.waiting, reader),
         _longest(now.longest_wait_min, reader)),
        (_marked(reader.say("of them waiting for a bed"), "boarders", board), _whole(now.boarders, reader),
         _longest(now.longest_boarding_min, reader)),
        (reader.say("Arrivals of the last hour"), _whole(now.arrivals_last_hour, reader), ""),
        (reader.say("Arrivals since midnight"), _whole(now.arrivals_today, reader), ""),
    )  # fmt: skip
    head = ("", reader.say("Last known"), reader.say("Longest wait"), reader.say("By hand"), reader.say("By hand"))
    return Grid(reader.say("Emergency department"), head, rows, hand=2)


def _wards(board: Board, reader: Reader) -> Grid:
    head = (
        reader.say("Ward"), reader.say("Beds"), reader.say("Present"), reader.say("Free"),
        reader.say("By hand"), reader.say("By hand"),
    )  # fmt: skip
    rows = tuple(_ward(unit, board, reader) for unit in board.units)
    return Grid(reader.say("Beds by ward"), head, rows, 2, "" if rows else reader.say("no ward in the data received"))


def _ward(unit: UnitNow, board: Board, reader: Reader) -> tuple[str, ...]:
    name = _marked(reader.choice(unit.name_fr, unit.name_en), f"unit:{unit.unit}", board)
    return (name, *(_whole(count, reader) for count in (unit.beds, unit.census, unit.free)))


def _staff(board: Board, staff: Sequence[OnDuty], reader: Reader) -> Grid:
    times = (reader.clock(at) for at in on_duty_at(board))
    head = ("", *times, reader.say("By hand"), reader.say("By hand"))
    rows = tuple((reader.choice(of.fr, of.en), *map(reader.number, of.counts)) for of in staff)
    note = reader.say("By the roster; who is away is not told here.") if rows else reader.say("no staff is known here")
    return Grid(reader.say("On duty"), head, rows, 2, note)


def _ahead(board: Board, reader: Reader) -> Grid:
    title = reader.say("Likely, as forecast then")
    times = [_quarter(board.made_at) + ahead for ahead in AHEAD]
    if not forecast_shown(board) or board.cycle.issued_at is None:
        return Grid(title, (), (), note=reader.say("No forecast: there is none that may be relied on."))
    head = ("", *(reader.clock(at) for at in times))
    rows = tuple(_line(name, board.fans[measure], times, reader) for measure, name in _measures(reader)
                 if measure in board.fans)  # fmt: skip
    note = reader.say(
        "Forecast of {time}; in brackets what holds 8 times in 10.", time=reader.moment(board.cycle.issued_at)
    )
    return Grid(title, head, rows, note=note)


def _measures(reader: Reader) -> Iterator[tuple[str, str]]:
    yield "ed_census", reader.say("Present in the department")
    yield "ed_waiting", reader.say("not yet seen")
    yield "ed_boarders", reader.say("waiting for a bed")
    yield "beds_free", reader.say("Free beds, all wards")


def _line(name: str, fan: Fan, times: Sequence[datetime], reader: Reader) -> tuple[str, ...]:
    return (name, *(_likely(fan, at, reader) for at in times))


def _likely(fan: Fan, at: datetime, reader: Reader) -> str:
    """At the valid time nearest to an instant; unknown beyond the forecast."""
    if not fan.valid_at or at > fan.valid_at[-1]:
        return UNKNOWN
    n = min(range(len(fan.valid_at)), key=lambda i: abs(fan.valid_at[i] - at))
    low, middle, high = (reader.number(fan.quantiles[level][n]) for level in (0.1, 0.5, 0.9))
    return reader.say("{middle} ({low} to {high})", middle=middle, low=low, high=high)


def _by_hand(reader: Reader) -> Grid:
    head = (
        reader.say("Time"), reader.say("Patient (label)"), reader.say("From"), reader.say("To, bed"),
        reader.say("Initials"),
    )  # fmt: skip
    return Grid(reader.say("What happens from here on: arrivals, moves, departures"), head, ())


def _marked(label: str, tile: str, board: Board) -> str:
    """The name, marked where its count cannot be."""
    return f"{_CHECKED} {label}" if tile in {check.tile for check in board.checks} else label


def _whole(count: int | None, reader: Reader) -> str:
    return UNKNOWN if count is None else reader.number(count)


def _longest(minutes: float | None, reader: Reader) -> str:
    return "" if minutes is None else reader.duration(minutes)
