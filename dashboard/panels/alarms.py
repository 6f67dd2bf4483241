"""What is likely to go wrong, in one line of the wall; nothing when nothing is."""

from __future__ import annotations

from typing import Any

from dash import html
from dash.development.base_component import Component

from dashboard.alert_words import TONES, alarm_name, alarm_sentence, level_name, onset
from dashboard.parts import MARKS
from dashboard.words import Reader
from forecast.board import Alarm, Board

SHOWN = 3
"""As many stand side by side; of the others it is said how many they are."""


def panel(board: Board, reader: Reader) -> Component:
    """The worst alarms with what they say, when it begins, and who has them; the way to their page."""
    shown, others = board.alarms[:SHOWN], len(board.alarms) - SHOWN
    lines: list[Component] = [_alarm(alarm, board, reader) for alarm in shown]
    if others > 0:
        lines.append(html.Span(reader.say("and {n} more", n=others), className="alarms-more"))
    urgent = any(alarm.level == "alert" and alarm.acknowledged_at is None for alarm in shown)
    role: dict[str, Any] = {"role": "alert" if urgent else "status"}
    href = f"/alerts?lang={reader.language}"
    strip = [html.A(lines, href=href, className=f"alarms-strip of-{len(shown)}")] if shown else []
    return html.Div(strip, className="alarms", **role)


def _alarm(alarm: Alarm, board: Board, reader: Reader) -> Component:
    tone = TONES[alarm.level]
    when = onset(alarm, board.made_at, reader, short=len(board.alarms) > 1)
    head = [
        html.Span(MARKS[tone], className="mark"),
        html.B(f"{level_name(alarm.level, reader)} · {alarm_name(alarm, reader)}", className="alarm-name"),
        *([html.B(when, className="alarm-when")] if when else []),
    ]
    below = [alarm_sentence(alarm, reader), *_who(alarm, reader)]
    return html.Span(
        [html.Span(head, className="alarm-head"), html.Span(" · ".join(below), className="alarm-said")],
        className=f"alarm {tone}{' owned' if alarm.acknowledged_at else ''}",
    )


def _who(alarm: Alarm, reader: Reader) -> list[str]:
    if alarm.level != "alert":
        return []
    if alarm.acknowledged_by is not None:
        return [reader.say("{who} has it", who=alarm.acknowledged_by)]
    return [reader.say("not acknowledged")]
