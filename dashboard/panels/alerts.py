"""The page of the alerts: what is on and who has it first, then every rule, how good it is, who is told, the log."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from dashboard.alert_words import (
    TONES,
    alarm_name,
    alarm_sentence,
    level_name,
    onset,
    rival_name,
    what_name,
)
from dashboard.panels import tension
from dashboard.parts import Content, absent, card, facts, marked
from dashboard.terms import label
from dashboard.words import UNKNOWN, Reader
from forecast.board import Alarm
from forecast.pages import AlarmLine, AlertSetting, AlertsView, Measured, RecipientView, RuleView

SNOOZES_MIN = (30, 60, 120, 240)
"""What a snooze may last."""
Three = tuple[float, float, float]


def panel(view: AlertsView, reader: Reader) -> Component:
    """Alarms first, so that a telephone shows them without a move of the thumb."""
    alarms = [_alarm(alarm, view, reader) for alarm in view.alarms]
    cards = [*_held(view, reader), *(alarms or [_nothing(view, reader)]), _rules(view, reader)]
    tense = [] if view.tension is None else [tension.card(view.tension, reader)]
    told = [*tense, _recipients(view, reader), _log(view, reader)]
    return html.Section([*cards, *told], className="alerts")


# --- what is on -----------------------------------------------------------------------------------------------------


def _held(view: AlertsView, reader: Reader) -> list[Component]:
    if not view.held:
        return []
    said = reader.say("The data are too old: no alarm is raised or cleared until they come again.")
    return [html.Div(marked("warn", said), className="card alerts-note")]


def _nothing(view: AlertsView, reader: Reader) -> Component:
    if view.looked_at is None:
        return html.Div(
            absent(reader.say("The rules are judged with the next forecast.")), className="card alerts-note"
        )
    said = reader.say("Nothing is likely to go over what it must not. Judged at {time}.",
                      time=reader.clock(view.looked_at))  # fmt: skip
    return html.Div(marked("good", said), className="card alerts-note")


def _alarm(alarm: Alarm, view: AlertsView, reader: Reader) -> Component:
    tone = TONES[alarm.level]
    head = marked(tone, f"{level_name(alarm.level, reader)} · {alarm_name(alarm, reader)}")
    content = [
        dmc.Title(head, order=2, className="question"),
        html.P(alarm_sentence(alarm, reader), className="alarm-sentence"),
        facts(_facts(alarm, view, reader)),
        *_buttons(alarm, reader),
    ]
    return html.Div(content, className=f"card alarm-card {tone}{' owned' if alarm.acknowledged_at else ''}")


def _facts(alarm: Alarm, view: AlertsView, reader: Reader) -> list[tuple[Content, Content]]:
    low, _, high = alarm.worst
    when = onset(alarm, view.made_at, reader)
    found: list[tuple[Content, Content]] = [
        (label("alarm", reader.say("begins"), reader), reader.say("it has begun") if alarm.is_now else when or UNKNOWN)
    ]
    if alarm.first is not None and not alarm.is_now:
        early, _, late = alarm.first
        said = reader.say("8 in 10 of them between {low} and {high}", low=reader.clock(early), high=reader.clock(late))
        found.append((label("chances", reader.say("where it comes"), reader), said))
    peak = reader.say("{low} to {high}, around {time}", low=reader.number(low), high=reader.number(high),
                      time=reader.clock(alarm.worst_at))  # fmt: skip
    found.append((label("peak", reader.say("worst ahead"), reader), peak))
    found.append((reader.say("since"), reader.clock(alarm.raised_at)))
    return found + _handled(alarm, view, reader)


def _handled(alarm: Alarm, view: AlertsView, reader: Reader) -> list[tuple[str, str]]:
    """Who was told, who has it, whether it is snoozed."""
    found = [(reader.say("told"), ", ".join(alarm.told))] if alarm.told else []
    if alarm.acknowledged_by is not None and alarm.acknowledged_at is not None:
        said = reader.say("{who}, at {time}", who=alarm.acknowledged_by, time=reader.clock(alarm.acknowledged_at))
        found.append((reader.say("has it"), f"{said} · {alarm.note}" if alarm.note else said))
    if alarm.snoozed_until is not None and alarm.snoozed_until > view.made_at:
        found.append((reader.say("snoozed"), reader.say("until {time}", time=reader.clock(alarm.snoozed_until))))
    return found


def _buttons(alarm: Alarm, reader: Reader) -> list[Component]:
    """The ways to answer an alarm; a watch asks for nothing."""
    if alarm.level != "alert":
        return []
    taken = alarm.acknowledged_at is not None
    first = [] if taken else [_act(alarm, "acknowledge", reader.say("I take it on"), reader, main=True)]
    snoozes = [
        _act(alarm, "snooze", reader.say("Snooze {duration}", duration=reader.duration(minutes)), reader, minutes)
        for minutes in SNOOZES_MIN
    ]
    return [html.Div([*first, html.Div(snoozes, className="snoozes")], className="acts")]


def _act(
    alarm: Alarm, act: str, text: str, reader: Reader, minutes: int | None = None, *, main: bool = False
) -> Component:
    data: dict[str, Any] = {
        "data-alarm": alarm.name, "data-act": act, "data-title": f"{text} · {alarm_name(alarm, reader)}",
    }  # fmt: skip
    if minutes is not None:
        data["data-minutes"] = str(minutes)
    return html.Button(text, className="act main" if main else "act", type="button", **data)


# --- the rules ------------------------------------------------------------------------------------------------------


def _rules(view: AlertsView, reader: Reader) -> Component:
    rows = [_rule(rule, reader) for rule in view.rules]
    body = rows or [absent(reader.say("Nothing is watched here."))]
    return card("alerts-rules", reader.say("What is watched, and how good is it?"), *body)


def _rule(rule: RuleView, reader: Reader) -> Component:
    name = reader.choice(rule.name_fr, rule.name_en)
    said = reader.choice(rule.sentence_fr, rule.sentence_en)
    tone = TONES[rule.level]
    content = [
        html.Div([html.B(name), marked(tone, level_name(rule.level, reader))], className="rule-head"),
        html.Div(said or reader.say("nothing tells it here, or not yet"), className="rule-said"),
        html.Div(_limit(rule, reader), className="rule-limit"),
        *_setting(rule, reader),
    ]
    return html.Div(content, className="rule")


def _limit(rule: RuleView, reader: Reader) -> str:
    return reader.say("an alarm from {p} on", p=reader.percent(rule.p_alert))


def _setting(rule: RuleView, reader: Reader) -> list[Component]:
    """How the rule would have done over the past, in a sentence, then beside its rivals."""
    if rule.setting is None:
        if rule.false_a_week is None:
            return []
        return [html.Div(reader.say("how good it is is being measured"), className="rule-limit")]
    setting = rule.setting
    return [html.Div(setting_words(setting, reader), className="rule-setting"), _comparison(setting, reader)]


def setting_words(setting: AlertSetting, reader: Reader) -> str:
    """ "Over the last 56 days: 1 false alarm a week, 62 min notice, 8 of 10 events"."""
    own = setting.own
    if own.p_alert is None or own.false_a_week is None:
        return reader.say("In {days} days no chance keeps to {n} false alarms a week.",
                          days=reader.number(setting.days), n=reader.number(setting.false_a_week, 1))  # fmt: skip
    about = {
        "days": reader.number(setting.days), "false": reader.number(own.false_a_week[0], 1), "hits": own.hits,
        "events": own.events,
    }  # fmt: skip
    if own.notice_min is None:
        return reader.say(
            "At this setting, in {days} days: {false} false alarms a week, {hits} of {events} events.", **about
        )
    return reader.say(
        "At this setting, in {days} days: {false} false alarms a week, {notice} notice, {hits} of {events} events.",
        notice=reader.duration(own.notice_min[0]), **about,
    )  # fmt: skip


def _comparison(setting: AlertSetting, reader: Reader) -> Component:
    head = [
        label("rivals", reader.say("forecast"), reader), label("events_seen", reader.say("events seen"), reader),
        label("false_alarms", reader.say("false a week"), reader), label("notice", reader.say("notice"), reader),
    ]  # fmt: skip
    rows = [_compared(one, reader) for one in (setting.own, *setting.rivals)]
    return html.Table(
        [html.Thead(html.Tr([html.Th(text, scope="col") for text in head])), html.Tbody(rows)], className="alerts-table"
    )


def _compared(one: Measured, reader: Reader) -> Component:
    rate = None if one.hit_rate is None else tuple(100 * share for share in one.hit_rate)
    cells = [
        html.Th(rival_name(one.name, reader), scope="row"),
        html.Td(_with_interval(rate, reader, "%")),
        html.Td(_with_interval(one.false_a_week, reader, digits=1)),
        html.Td(_with_interval(one.notice_min, reader, "min")),
    ]
    return html.Tr(cells, className="own" if one.name == "edtwin" else "")


def _with_interval(three: Any, reader: Reader, unit: str = "", digits: int = 0) -> list[Component]:
    """A figure, and in small the interval that holds 95 in 100."""
    if three is None:
        return [html.Span(UNKNOWN)]
    middle, low, high = (reader.number(value, digits) for value in three)
    return [html.Span(f"{middle} {unit}".strip()), html.Small(reader.say("{low} to {high}", low=low, high=high))]


# --- who is told, and the log ---------------------------------------------------------------------------------------


def _recipients(view: AlertsView, reader: Reader) -> Component:
    silent = reader.say("This is a replay: nobody is told.")
    if view.mode == "exercise":
        silent = reader.say("This is an exercise: nobody is told.")
    notes = [] if view.sends else [marked("news", silent)]
    rows = [_recipient(one, reader) for one in view.recipients]
    empty = [] if rows else [absent(reader.say("Nobody is told: the file of alerts names no recipient."))]
    return card("alerts-told", reader.say("Who is told?"), *notes, *rows, *empty)


def _recipient(one: RecipientView, reader: Reader) -> Component:
    kinds = {"email": reader.say("e-mail"), "webhook": reader.say("web address")}
    sent = reader.count("{n} message sent", "{n} messages sent", one.sent)
    waiting = reader.say("{n} waiting", n=reader.number(one.waiting))
    dead = reader.say("{n} given up", n=reader.number(one.dead))
    parts: list[Any] = [html.B(one.name), html.Span(kinds[one.kind]), html.Span(sent)]
    parts += [marked("warn", waiting)] if one.waiting else []
    parts += [marked("bad", dead)] if one.dead else []
    parts += [html.Small(one.last_error)] if one.last_error and (one.dead or one.waiting) else []
    return html.Div(parts, className="recipient")


def _log(view: AlertsView, reader: Reader) -> Component:
    rows = [_line(line, reader) for line in view.log]
    body: list[Component] = [html.Ol(rows, className="alarm-log")] if rows else [absent(reader.say("nothing yet"))]
    return card("alerts-log", reader.say("What has happened?"), *body)


def _line(line: AlarmLine, reader: Reader) -> Component:
    name = reader.choice(line.name_fr, line.name_en)
    said = reader.choice(line.sentence_fr, line.sentence_en)
    word = level_name(line.level, reader) if line.what == "watched" else what_name(line.what, reader)
    tone = TONES[line.level] if line.what in ("watched", "raised", "cleared") else "news"
    shown = said if line.what in ("watched", "raised") and line.level != "normal" else None
    extra = [text for text in (_by(line, reader), shown, line.note) if text]
    return html.Li(
        [html.Time(reader.moment(line.at)), html.Span([marked(tone, word), f" · {name}"]), *map(html.Small, extra)]
    )


def _by(line: AlarmLine, reader: Reader) -> str | None:
    if line.what == "snoozed" and line.until is not None:
        return reader.say("{who}, until {time}", who=line.who, time=reader.clock(line.until))
    return line.who
