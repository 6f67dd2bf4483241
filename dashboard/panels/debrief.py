"""The debrief: the timeline of injects and decisions; what the twin would have advised, and what each decision did."""

from __future__ import annotations

from collections.abc import Sequence

from dash import html
from dash.development.base_component import Component

from dashboard.compare_words import digits, name_of, with_unit
from dashboard.drill_words import inject_said, lack_said, measure_said, world_said
from dashboard.parts import Content, absent, heading, marked, table
from dashboard.words import Reader
from forecast.compare_view import CriterionView
from forecast.exercise_view import AdviceView, DecisionMade, ExerciseView, HappenedView, InjectView, OptionView


def panel(view: ExerciseView, reader: Reader) -> Component:
    """The timeline, then a card for each decision."""
    cards = [_decision(one, reader) for one in view.decisions]
    return html.Section([_timeline(view, reader), *cards], className="exercise-page debrief")


def _timeline(view: ExerciseView, reader: Reader) -> Component:
    lines = [(view.begun_at, reader.say("The exercise began"), "start")]
    lines += [
        (view.begun_at, reader.say("Adopted before, and holds: {words}", words=one), "start") for one in view.held
    ]
    lines += [(one.at, _put_in(one, view, reader), "inject") for one in view.injects]
    lines += [(one.at, _decided(one, reader), "decision") for one in view.decisions]
    lines += [(one.ended_at, _ended(one, reader), "decision") for one in view.decisions if one.ended_at]
    items = [
        html.Li([html.B(reader.clock(at)), html.Span(_sort(kind, reader), className=f"sort {kind}"), said])
        for at, said, kind in sorted(lines, key=lambda line: line[0])
    ]
    points = [
        html.A(name_of(one, reader), href=f"?lang={reader.language}&view={one.name}",
               className="chip on" if one.name == view.view else "chip")
        for one in view.views
    ]  # fmt: skip
    world = html.P(world_said(view.law, reader), className="small")
    parts = [heading(reader.say("What happened?")), html.Ul(items, className="timeline"), world]
    if points:
        parts.append(html.Nav([html.Span(reader.say("Seen by:"), className="small"), *points], className="chips"))
    return html.Div(parts, className="card wide")


def _put_in(one: InjectView, view: ExerciseView, reader: Reader) -> str:
    said = inject_said(one.told, reader, view.names)
    why_not = reader.say("it could not be: {fault}", fault=one.fault or "")
    return f"{said} ({why_not})" if one.fault else said


def _ended(one: DecisionMade, reader: Reader) -> str:
    return reader.say("Ended before its time: {words}", words=one.words)


def _sort(kind: str, reader: Reader) -> str:
    return {
        "start": reader.say("beginning"), "inject": reader.say("inject"), "decision": reader.say("decision"),
    }[kind]  # fmt: skip


def _decided(one: DecisionMade, reader: Reader) -> str:
    return reader.say("{what}: {words}", what=_verb(one, reader), words=one.words)


def _verb(one: DecisionMade, reader: Reader) -> str:
    return {
        "adopted": reader.say("Adopted"), "adapted": reader.say("Adopted with changes"),
        "declined": reader.say("Declined"),
    }[one.what]  # fmt: skip


def _decision(one: DecisionMade, reader: Reader) -> Component:
    title = f"{reader.clock(one.at)} · {_decided(one, reader)}"
    parts: list[Content] = [heading(title), html.P(reader.say("Reason: {why}", why=one.reason), className="small")]
    if one.ended_at is not None:
        ended = reader.say("Ended at the desk at {time}; from then on it held no longer in the world either.",
                           time=reader.clock(one.ended_at))  # fmt: skip
        parts.append(marked("news", ended))
    parts += _happened(one, reader)
    parts += _lacks(one, reader)
    if one.advice is not None:
        parts += _advice(one.advice, reader)
    elif one.fault is not None:
        known = {"the twin had no forecast yet": reader.say("the twin had no forecast yet")}
        why = known.get(one.fault, one.fault)
        parts.append(absent(reader.say("It could not be computed: {fault}", fault=why)))
    else:
        parts.append(absent(reader.say("What the twin would have advised is being worked out.")))
    return html.Div(parts, className="card wide")


def _happened(one: DecisionMade, reader: Reader) -> list[Content]:
    if not one.happened:
        return []
    basis = reader.say(
        "means over the {duration} since; the same patients, the same luck", duration=reader.duration(one.over_min)
    )
    head = [reader.say("Patients"), reader.say("as decided"), reader.say("without it"), reader.say("difference")]
    rows = [_difference(measure, reader) for measure in one.happened]
    return [heading(reader.say("What did it do?"), basis), table(head, rows, "happened")]


def _difference(one: HappenedView, reader: Reader) -> list[Content]:
    change = one.with_it - one.without
    tone = "news" if abs(change) < 0.05 else "good" if change < 0 else "bad"
    return [
        measure_said(one.measure, reader), reader.number(one.with_it, 1), reader.number(one.without, 1),
        marked(tone, reader.signed(change, 1)),
    ]  # fmt: skip


def _lacks(one: DecisionMade, reader: Reader) -> list[Content]:
    if not one.lacks:
        return []
    what = ", ".join(lack_said(name, reader) for name in one.lacks)
    said = reader.say("The world of the exercise cannot act on: {what}. It went on without.", what=what)
    return [marked("warn", said)]


def _advice(told: AdviceView, reader: Reader) -> list[Content]:
    basis = reader.say(
        "forecast of {time}, {n} runs on the same luck, {hours} h", time=reader.clock(told.as_of),
        n=reader.number(told.members), hours=reader.number(told.hours),
    )  # fmt: skip
    best = [one for one in told.options if one.to_choose]
    rest = [one for one in told.options if not one.to_choose]
    note = reader.say("No course on this list is outdone by another on all that is shown; nobody adds them up for you.")
    parts: list[Content] = [
        heading(reader.say("What would the twin have left to choose from?"), basis), html.P(note, className="small"),
        html.Ul([_option(one, told.criteria, reader) for one in best], className="options"),
    ]  # fmt: skip
    if rest:
        outdone = [html.Li(_called(one, reader)) for one in rest]
        summary = reader.count("{n} other course, outdone", "{n} other courses, outdone", len(rest))
        parts.append(html.Details([html.Summary(summary), html.Ul(outdone)]))
    return parts


def _called(one: OptionView, reader: Reader) -> str:
    said = reader.choice(one.fr, one.en)
    decided = reader.say("what was decided")
    return f"{said} ({decided})" if one.is_decision else said


def _option(one: OptionView, criteria: Sequence[CriterionView], reader: Reader) -> Component:
    moved = [_moved(criterion, one, reader) for criterion in criteria if one.effects.get(criterion.name, (0, False))[1]]
    said = moved or [html.Span(reader.say("nothing that chance does not explain"), className="small")]
    return html.Li([html.B(_called(one, reader)), html.Div(said, className="moved")],
                   className="decided" if one.is_decision else "")  # fmt: skip


def _moved(criterion: CriterionView, one: OptionView, reader: Reader) -> Component:
    mean, _ = one.effects[criterion.name]
    good = (mean < 0) == (criterion.better == "less")
    said = with_unit(reader.signed(mean, digits(mean)), criterion, reader)
    return marked("good" if good else "bad", f"{name_of(criterion, reader)} {said}")
