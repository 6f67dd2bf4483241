"""What the wall stands on: the feed, the records kept aside, the cycles."""

from __future__ import annotations

from collections import Counter

from dash import html
from dash.development.base_component import Component

from dashboard.learned_words import path_name
from dashboard.parts import marked
from dashboard.reason_words import reason_name
from dashboard.words import Reader
from forecast.board import Board

REASONS_SHOWN = 3


def panel(board: Board, reader: Reader) -> Component:
    """One quiet line: last event, rejected records by reason, cycles made, late and failed, the twin's basis."""
    items = [_feed(board, reader), _rejected(board, reader), _cycles(board, reader), _basis(board, reader)]
    return html.Footer([html.Span(item) for item in items], className="footer")


def _feed(board: Board, reader: Reader) -> str:
    at = board.feed.heard_at
    if at is None:
        return reader.say("no message received")
    return reader.say("last message {time}", time=reader.clock(at))


def _rejected(board: Board, reader: Reader) -> str | Component:
    rejected = board.feed.rejected
    total = sum(rejected.values())
    if total == 0:
        return reader.say("no record rejected")
    most = _by_name(rejected, reader)
    reasons = [f"{name} {reader.number(n)}" for name, n in most[:REASONS_SHOWN]]
    dots = ["…"] if len(most) > REASONS_SHOWN else []
    text = reader.count("{n} record rejected", "{n} records rejected", total)
    said = marked("warn", f"{text} ({', '.join([*reasons, *dots])})")
    return html.A(said, href=f"/quarantine?lang={reader.language}", className="quiet-link")


def _by_name(rejected: dict[str, int], reader: Reader) -> list[tuple[str, int]]:
    """In words, as many for each as all codes of that name have, the most frequent first."""
    names: Counter[str] = Counter()
    for code, count in sorted(rejected.items()):
        names[reason_name(code, reader)] += count
    return names.most_common()


def _cycles(board: Board, reader: Reader) -> str | Component:
    cycle = board.cycle
    made = reader.count("{n} cycle", "{n} cycles", cycle.done)
    lost = reader.say("{missed} missed, {failed} failed", missed=cycle.missed, failed=cycle.failed)
    text = f"{made}, {lost}"
    if cycle.seconds is not None:
        text = reader.say("{cycles}, the last took {n} s", cycles=text, n=reader.number(cycle.seconds))
    return marked("warn", text) if cycle.missed or cycle.failed else text


def _basis(board: Board, reader: Reader) -> str:
    cycle = board.cycle
    parts = [reader.count("{n} run", "{n} runs", cycle.members)]
    if cycle.described is not None and not cycle.described["keeps_path"]:
        parts.append(reader.say("nothing learned yet"))
    elif cycle.learned_days is not None:
        parts.append(reader.count("learned from {n} day", "learned from {n} days", round(cycle.learned_days)))
    if cycle.checked:
        parts.append(reader.say("{equal} of {checked} checked alike", equal=cycle.equal, checked=cycle.checked))
    if cycle.path:  # before the first forecast none is chosen
        parts.append(path_name(cycle.path, reader))
    return ", ".join(parts)
