"""The huddle sheet in words: blocks of cells, from which the page, the PDF and the spreadsheet are made alike.

A cell says its number once, rounded: its text is that number as the reader writes it, so the three forms agree.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import cast

from dashboard.feed_words import TONES, state_name
from dashboard.words import NBSP, UNKNOWN, Reader
from forecast.board import FeedState
from forecast.sheet import Change, FreeBeds, Line, Peak, Sheet, Spread

FEW_BEDS = 0.5
"""A chance from which on a ward is marked as likely to have no bed at some time."""


@dataclass(frozen=True)
class Cell:
    """What stands in a cell: a text, and the number it writes, where it writes one (a share for per cent)."""

    text: str
    value: float | None = None
    digits: int = 0
    is_share: bool = False
    tone: str = ""
    """ "warn" where the reader should look."""


@dataclass(frozen=True)
class Row:
    """A row of cells, the first being its name; `kind` says how it stands out: "ward", "group", "all" or none."""

    cells: tuple[Cell, ...]
    kind: str = ""


@dataclass(frozen=True)
class Block:
    """A table with its question; `over` are heads above heads, each with how many columns it spans."""

    name: str
    title: str
    head: tuple[str, ...]
    rows: tuple[Row, ...]
    over: tuple[tuple[str, int], ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Told:
    """A sheet in words, whole."""

    title: str
    lines: tuple[str, ...]
    """Of what it is made, the first being the state of the data."""
    tone: str
    """How far the data can be believed: "good", "news", "warn" or "bad"."""
    department: Block
    wards: Block
    changes: Block
    is_not: str

    @property
    def blocks(self) -> tuple[Block, ...]:
        """All of them, in reading order."""
        return self.department, self.wards, self.changes


def told(sheet: Sheet, reader: Reader) -> Told:
    """The sheet in the reader's language."""
    state = cast(FeedState, sheet.standing.state)
    return Told(
        title=" · ".join([reader.say("Huddle sheet"), sheet.hospital, reader.moment(sheet.due_at)]),
        lines=tuple(_lines(sheet, state, reader)),
        tone=TONES[state],
        department=_department(sheet, reader),
        wards=_wards(sheet, reader),
        changes=_changes(sheet, reader),
        is_not=reader.say(
            "An aid to managing flows and beds. Not for diagnosing, sorting, treating or watching over a single "
            "patient; no medical device and no alarm. Data may be late or incomplete: keep the downtime procedure."
        ),
    )


def _lines(sheet: Sheet, state: FeedState, reader: Reader) -> Iterator[str]:
    standing = sheet.standing
    yield f"{state_name(state, reader)} · {_age(sheet, reader)}"
    yield reader.say(
        "Forecast of {issued}, read until {until}; {n} runs. What is ahead is likely, not certain.",
        issued=reader.moment(sheet.issued_at), until=reader.moment(sheet.until_at), n=reader.number(standing.members),
    )  # fmt: skip
    if standing.complete_until < sheet.issued_at:
        yield reader.say("Data complete until {time}: what came since is drawn.",
                         time=reader.clock(standing.complete_until))  # fmt: skip
    yield _skill(sheet, reader)
    if sheet.mode != "live":
        yield {
            "replay": reader.say("REPLAY: not the present."),
            "exercise": reader.say("EXERCISE: none of this is real."),
        }.get(sheet.mode, reader.say("FABRICATED: a hospital that does not exist."))


def _age(sheet: Sheet, reader: Reader) -> str:
    if sheet.standing.heard_at is None:
        return reader.say("nothing was ever heard of the hospital")
    ago = reader.ago(max(sheet.made_at - sheet.standing.heard_at, timedelta(0)))
    return reader.say("last message {ago}", ago=ago)


def _skill(sheet: Sheet, reader: Reader) -> str:
    standing = sheet.standing
    if standing.skill is None or standing.skill_lead_min is None:
        return reader.say("How good such forecasts are is still being measured.")
    lead, share = reader.lead(standing.skill_lead_min), reader.percent(abs(standing.skill))
    if standing.skill < 0:
        return reader.say(
            "Of the census at {lead} “as usual” was the better forecast, by {share}.", lead=lead, share=share
        )
    return reader.say("Of the census at {lead} they were {share} better than “as usual”.", lead=lead, share=share)


# --- the department -----------------------------------------------------------------------------------------------


def _department(sheet: Sheet, reader: Reader) -> Block:
    d, until = sheet.department, reader.clock(sheet.until_at)
    rows = [
        Row((Cell(reader.say("Present now")), _whole(d.present, reader), Cell(""))),
        Row((Cell(reader.say("of them not yet seen")), _whole(d.waiting, reader), Cell(""))),
        Row((Cell(reader.say("of them waiting for a bed")), _whole(d.boarders, reader), Cell(""))),
        _peak(reader.say("Highest census expected"), d.peak, reader),
        Row((Cell(reader.say("as usual at these hours")), _whole(d.usual_peak, reader), Cell(""))),
        _peak(reader.say("Most who wait for a bed"), d.boarders_peak, reader),
        _spread(reader.say("Wait for a bed at {time}", time=until), d.boarders_end, reader),
        _spread(reader.say("Arrivals until {time}", time=until), d.arrivals, reader),
        _spread(reader.say("Departures until {time}", time=until), d.departures, reader),
        _spread(reader.say("Arrivals less departures"), d.net, reader, signed=True),
    ]
    head = ("", reader.say("number"), reader.say("8 chances in 10"))
    return Block("department", reader.say("Emergency department"), head, tuple(rows), note=_from_when(sheet, reader))


def _from_when(sheet: Sheet, reader: Reader) -> str:
    """Where flows begin later than the sheet: they are counted in whole hours."""
    if sheet.flows_from_at == sheet.from_at:
        return ""
    return reader.say("Flows are counted from {time} on.", time=reader.clock(sheet.flows_from_at))


def _peak(label: str, peak: Peak | None, reader: Reader) -> Row:
    if peak is None:
        return Row((Cell(label), Cell(UNKNOWN), Cell("")))
    named = reader.say("{what}, towards {time}", what=label, time=reader.clock(peak.at))
    return Row((Cell(named), _whole(peak.median, reader), Cell(_to(peak.low, peak.high, reader))))


def _spread(label: str, spread: Spread | None, reader: Reader, *, signed: bool = False) -> Row:
    if spread is None:
        return Row((Cell(label), Cell(UNKNOWN), Cell("")))
    return Row((Cell(label), _whole(spread.mean, reader, signed=signed), Cell(_to(spread.low, spread.high, reader))))


def _to(low: float, high: float, reader: Reader) -> str:
    return reader.say("{low} to {high}", low=reader.number(low), high=reader.number(high))


# --- the wards ----------------------------------------------------------------------------------------------------


def _wards(sheet: Sheet, reader: Reader) -> Block:
    until = reader.clock(sheet.until_at)
    moves = any(line.flow.moved_in or line.flow.moved_out for line in sheet.lines if line.kind == "ward")
    moved = (reader.say("from a ward"),) if moves else ()
    head = (
        reader.say("Ward"), reader.say("beds"), reader.say("free now"),
        f"90{NBSP}%", f"70{NBSP}%", f"90{NBSP}%", f"70{NBSP}%", reader.say("mean"), reader.say("none free"),
        reader.say("for a bed"), reader.say("decided"), reader.say("here"), reader.say("to come"),
        reader.say("planned"), *moved, reader.say("out"), reader.say("net"), reader.say("8 in 10"),
    )  # fmt: skip
    over = (
        ("", 3),
        (reader.say("at least, throughout"), 2),
        (reader.say("at least, at {time}", time=until), 3),
        (reader.say("chance"), 1),
        (reader.say("waiting now"), 1),
        (reader.say("come until {time}: emergency", time=until), 3),
        (reader.say("others"), 1 + len(moved)),
        (reader.say("leave"), 1),
        (reader.say("net flow"), 2),
    )
    rows = tuple(_ward(line, moves, reader) for line in sheet.lines)
    note = reader.say(
        "“90 %: 3” means: 9 chances in 10 of 3 free beds or more, at any time until then (throughout) or at that "
        "time. “decided”: whose admission is decided; “here” and “to come”: who will probably be admitted. Means of "
        "the runs, which add up; the chances do not."
    )
    notes = (note, *_unknown_ward(sheet, reader), *_unknown_beds(sheet, reader))
    return Block("wards", reader.say("Beds and flows by ward"), head, rows, over, " ".join(notes))


def _unknown_ward(sheet: Sheet, reader: Reader) -> Iterator[str]:
    if waiting := round(sheet.department.ward_not_told):
        yield reader.count(
            "{n} patient waits for a bed of a ward that is not told yet, and is in no line of “waiting now”.",
            "{n} patients wait for a bed of a ward that is not told yet, and are in no line of “waiting now”.",
            waiting,
        )


def _unknown_beds(sheet: Sheet, reader: Reader) -> Iterator[str]:
    if sheet.all.beds is None:
        yield reader.say(
            "Of some wards it is not known how many beds they have: "
            "the log must count them or the hospital's file say it."
        )


def _ward(line: Line, moves: bool, reader: Reader) -> Row:
    flow = line.flow
    moved = (_tenth(flow.moved_in, reader),) if moves else ()
    cells = (
        Cell(reader.choice(line.fr, line.en)),
        _whole(line.beds, reader),
        *_free(line.free, reader),
        _tenth(line.decided, reader),
        _tenth(flow.known, reader),
        _tenth(flow.here, reader),
        _tenth(flow.to_come, reader),
        _tenth(flow.planned, reader),
        *moved,
        _tenth(flow.outflow, reader),
        _tenth(flow.net.mean, reader, signed=True),
        Cell(_to(flow.net.low, flow.net.high, reader)),
    )
    return Row(cells, line.kind)


def _free(free: FreeBeds | None, reader: Reader) -> tuple[Cell, ...]:
    if free is None:
        return (Cell(UNKNOWN),) * 7
    return (
        _whole(free.now, reader),
        _whole(free.throughout_sure, reader),
        _whole(free.throughout_likely, reader),
        _whole(free.end_sure, reader),
        _whole(free.end_likely, reader),
        _tenth(free.end_mean, reader),
        _share(free.p_none, reader),
    )


# --- what changed -------------------------------------------------------------------------------------------------


def _changes(sheet: Sheet, reader: Reader) -> Block:
    title = reader.say("What changed since the last sheet")
    if sheet.previous_at is None:
        return Block("changes", title, (), (), note=reader.say("This is the first sheet: there is none before it."))
    head = ("", reader.moment(sheet.previous_at), reader.say("now"), reader.say("difference"))
    return Block("changes", title, head, tuple(_change(change, sheet, reader) for change in sheet.changes))


def _change(change: Change, sheet: Sheet, reader: Reader) -> Row:
    before, now = round(change.before), round(change.now)
    cells = (Cell(_what(change, sheet, reader)), _whole(before, reader), _whole(now, reader),
             Cell(difference(now - before, reader)))  # fmt: skip
    return Row(cells)


def _what(change: Change, sheet: Sheet, reader: Reader) -> str:
    until = reader.clock(sheet.until_at)
    return {
        "present": lambda: reader.say("Present in the department"),
        "waiting": lambda: reader.say("not yet seen"),
        "boarders": lambda: reader.say("waiting for a bed"),
        "free": lambda: reader.say("Free beds, all wards"),
        "ward_free": lambda: reader.say("free: {ward}", ward=reader.choice(change.fr, change.en)),
        "peak": lambda: reader.say("Highest census expected"),
        "sure": lambda: reader.say("Free beds at {time}, at least (90 %)", time=until),
        "likely": lambda: reader.say("Free beds at {time}, at least (70 %)", time=until),
        "end": lambda: reader.say("Free beds at {time}, mean", time=until),
        "foreseen": lambda: reader.say("Free beds expected for now, and found"),
    }[change.what]()


def difference(by: int, reader: Reader) -> str:
    """How much more or fewer it is, in words."""
    if by == 0:
        return reader.say("no change")
    return reader.count("{n} more", "{n} more", by) if by > 0 else reader.count("{n} fewer", "{n} fewer", -by)


# --- cells --------------------------------------------------------------------------------------------------------


def _whole(value: float | None, reader: Reader, *, signed: bool = False) -> Cell:
    return _number(value, 0, reader, signed=signed)


def _tenth(value: float | None, reader: Reader, *, signed: bool = False) -> Cell:
    return _number(value, 1, reader, signed=signed)


def _number(value: float | None, digits: int, reader: Reader, *, signed: bool) -> Cell:
    if value is None:
        return Cell(UNKNOWN)
    rounded = round(value, digits) or 0.0
    return Cell(reader.signed(rounded, digits) if signed else reader.number(rounded, digits), rounded, digits)


def _share(share: float, reader: Reader) -> Cell:
    rounded = round(share, 2)
    return Cell(reader.percent(rounded), rounded, is_share=True, tone="warn" if share >= FEW_BEDS else "")
