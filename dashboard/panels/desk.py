"""The desk: what people propose, what the twin says of it, what is decided, and what it then did."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash import html
from dash.development.base_component import Component

from dashboard.compare_words import name_of
from dashboard.panels.compare import effect, scale_of
from dashboard.parts import absent, heading, marked
from dashboard.words import Reader
from forecast.compare_view import ChoiceView
from forecast.desk_view import DecisionView, DeskView, DoneView, ProposalView

_TONES = {"adopted": "good", "measured": "good", "declined": "bad", "withdrawn": "warn"}


def panel(view: DeskView, reader: Reader) -> Component:
    """How to propose; the open proposals with what the twin says of them; then those that are decided."""
    open_ = [one for one in view.proposals if one.state == "open"]
    over = [one for one in view.proposals if one.state != "open"]
    cards = [_open(one, open_, view, reader) for one in open_]
    nothing = html.Div(absent(reader.say("Nothing stands open: propose something.")), className="card")
    return html.Section(
        [_head(view, reader), *(cards or [nothing]), *(_over(one, view, reader) for one in over)],
        className="proposals",
    )


def _head(view: DeskView, reader: Reader) -> Component:
    lead = reader.say(
        "Anyone may propose a change, whatever their rank. The twin runs every proposal on the same luck; it stands "
        "here without its author's name until it is decided. Results are never certain: choose between several."
    )
    go = html.A(reader.say("Try a change and propose it"), href=f"/whatif?lang={reader.language}", className="propose")
    points = [
        html.A(name_of(one, reader), href=f"?lang={reader.language}&view={one.name}",
               className="chip on" if one.name == view.view else "chip")
        for one in view.views
    ]  # fmt: skip
    parts = [html.P(lead, className="lead"), go]
    if points:
        parts += [heading(reader.say("Whose point of view?")), html.Div(points, className="chips")]
    return html.Div(parts, className="card")


# --- open -----------------------------------------------------------------------------------------------------------


def _open(one: ProposalView, open_: Sequence[ProposalView], view: DeskView, reader: Reader) -> Component:
    parts = [
        *_title(one, reader), _levers(one, reader), _said_by_twin(one, open_, view, reader), *_comments(one, reader),
        _acts(one, reader),
    ]  # fmt: skip
    return html.Article(parts, className="card proposal", id=one.name)


def _title(one: ProposalView, reader: Reader) -> list[Component]:
    author = reader.say("unsigned") if one.author is None else name_of(one.author, reader)
    about = [
        reader.say("Proposal {n}", n=str(one.number)), author,
        reader.say("proposed {time}", time=reader.moment(one.proposed_at)),
        reader.count("{n} person supports it", "{n} people support it", one.supporters),
    ]  # fmt: skip
    if one.varies is not None:
        about.append(reader.say("a variation of proposal {n}", n=str(one.varies)))
    return [
        html.Div([_marked_state(one, reader), *(html.Span(text) for text in about)], className="about"),
        html.P(one.words, className="words"),
    ]


def _marked_state(one: ProposalView, reader: Reader) -> Component:
    said = _state(one, reader)
    return html.Span(said, className="open") if one.state == "open" else marked(_TONES[one.state], said)


def _state(one: ProposalView, reader: Reader) -> str:
    return {
        "open": reader.say("open"),
        "adopted": reader.say("adopted"),
        "measured": reader.say("adopted, and measured"),
        "declined": reader.say("declined"),
        "withdrawn": reader.say("withdrawn"),
    }[one.state]


def _levers(one: ProposalView, reader: Reader) -> Component:
    return html.Ul([html.Li(reader.choice(fr, en)) for fr, en in one.changes], className="levers")


def _said_by_twin(one: ProposalView, open_: Sequence[ProposalView], view: DeskView, reader: Reader) -> Component:
    choice = one.choice
    if choice is not None and choice.why_not_en is not None:
        why = reader.choice(choice.why_not_fr or "", choice.why_not_en)
        return absent(reader.say("not applicable: {why}", why=why))
    if choice is None or not choice.effects:
        return absent(_why_nothing(view, reader))
    basis = reader.say(
        "{n} of {of} runs on the same luck, from {time}, {hours} h", n=reader.number(view.members),
        of=reader.number(view.of), time=reader.clock(view.as_of or view.made_at), hours=reader.number(view.hours),
    )  # fmt: skip
    beside = [other.choice for other in open_ if other.choice is not None and other.choice.effects]
    cells = [
        html.Div(
            [html.Span(name_of(criterion, reader), className="name"),
             effect(choice.effects.get(criterion.name), criterion, scale_of(criterion, beside), reader)],
            className="proposal-effect",
        )
        for criterion in view.criteria
    ]  # fmt: skip
    parts = [heading(reader.say("What would it change?"), basis), html.Div(cells, className="proposal-effects")]
    return html.Div([*parts, *_worse_than(choice, open_, reader)])


def _worse_than(choice: ChoiceView, open_: Sequence[ProposalView], reader: Reader) -> list[Component]:
    """By which proposal, or by doing nothing, it is outdone on all that is shown."""
    if not choice.dominated_by:
        return []
    by = choice.dominated_by[0]
    number = next((str(one.number) for one in open_ if one.name == by), None)
    other = reader.say("as usual") if number is None else reader.say("Proposal {n}", n=number)
    return [html.P(reader.say("better or equal on all that is shown: {other}", other=other), className="small")]


def _why_nothing(view: DeskView, reader: Reader) -> str:
    if view.fault is not None:
        return reader.say("It could not be computed: {fault}", fault=view.fault)
    if view.as_of is None:
        return reader.say("The first forecast is being made.")
    return reader.say("The first runs are under way.")


def _comments(one: ProposalView, reader: Reader) -> list[Component]:
    if not one.comments:
        return []
    items = [
        html.Li([html.Small([reader.moment(c.at), " ", "" if c.who is None else name_of(c.who, reader)]), c.words])
        for c in one.comments
    ]
    return [html.Ul(items, className="comments")]


def _acts(one: ProposalView, reader: Reader) -> Component:
    buttons = [
        _act(one, "support", reader.say("Support"), main=True),
        _act(one, "comment", reader.say("Comment")),
        html.A(
            reader.say("Vary"), href=f"/whatif?lang={reader.language}&varies={one.number}", className="talk-act link"
        ),
        _act(one, "adopt", reader.say("Adopt")),
        *([_act(one, "adapt", reader.say("Adopt a variation"))] if one.variations else []),
        _act(one, "decline", reader.say("Decline")),
        _act(one, "withdraw", reader.say("Withdraw")),
    ]
    return html.Div(buttons, className="talk-acts")


def _act(one: ProposalView, act: str, text: str, *, main: bool = False) -> Component:
    data: dict[str, Any] = {
        "data-proposal": one.name, "data-act": act, "data-title": f"{text} · {one.number} · {one.words[:80]}",
    }  # fmt: skip
    return html.Button(text, className="talk-act main" if main else "talk-act", type="button", **data)


# --- decided --------------------------------------------------------------------------------------------------------


def _over(one: ProposalView, view: DeskView, reader: Reader) -> Component:
    parts = [*_title(one, reader), _levers(one, reader)]
    if one.decision is not None:
        parts += _decision(one, one.decision, reader)
    parts += _measured(one, reader)
    parts += _comments(one, reader)
    acts = [_act(one, "comment", reader.say("Comment"))]
    if one.decision is not None and one.decision.carried:
        acts.append(_act(one, "end", reader.say("End it")))
    return html.Article([*parts, html.Div(acts, className="talk-acts")], className="card proposal over", id=one.name)


def _decision(one: ProposalView, decision: DecisionView, reader: Reader) -> list[Component]:
    who, at = name_of(decision.who, reader), reader.moment(decision.at)
    what = {
        "adopted": reader.say("{who} adopted it, {time}: {reason}", who=who, time=at, reason=decision.reason),
        "adapted": reader.say("{who} adopted a variation, {time}: {reason}", who=who, time=at, reason=decision.reason),
        "declined": reader.say("{who} declined it, {time}: {reason}", who=who, time=at, reason=decision.reason),
    }[decision.what]
    said: list[Component] = [html.P(what, className="decided")]
    if decision.carried:
        said.append(html.P(_carried(decision, reader), className="small"))
    return said


def _carried(decision: DecisionView, reader: Reader) -> str:
    if decision.fault is not None:
        return reader.say("The forecast cannot carry it now: {why}", why=decision.fault)
    if decision.until is None:
        return reader.say("The forecast carries it.")
    return reader.say("The forecast carries it until {time}.", time=reader.moment(decision.until))


def _measured(one: ProposalView, reader: Reader) -> list[Component]:
    """What it did; or when that will be known."""
    if one.state == "adopted":
        waits = reader.say("What it did is told two days after its window, when exits are known.")
        return [html.P(waits, className="small")]
    if not one.effects:
        return []
    question = reader.say("What did it do?")
    basis = reader.say("means over {duration}; 8 chances in 10", duration=reader.duration(one.window_min or 0.0))
    return [html.Div([heading(question, basis), *(_effect_done(e, reader) for e in one.effects)], className="measured")]


def _effect_done(one: DoneView, reader: Reader) -> Component:
    low, middle, high = one.effect
    what = {
        "ed_census": reader.say("Present"), "ed_waiting": reader.say("Waiting"),
        "ed_boarders": reader.say("Waiting for a bed"),
    }.get(one.measure, one.measure)  # fmt: skip
    said = reader.say(
        "{middle} ({low} to {high})", middle=reader.signed(middle, 1), low=reader.signed(low, 1),
        high=reader.signed(high, 1),
    )  # fmt: skip
    came = reader.say(
        "{observed} came; without it {without} would have been expected ({low} to {high}); foreseen: {foreseen}",
        observed=reader.number(one.observed, 1), without=reader.number(one.without[1], 1),
        low=reader.number(one.without[0], 1), high=reader.number(one.without[2], 1),
        foreseen=reader.signed(one.foreseen[1], 1),
    )  # fmt: skip
    tells = reader.say("an effect that chance does not explain") if one.tells else reader.say("chance may explain it")
    tone = "good" if one.tells else "news"
    return html.Div(
        [html.B(reader.say("{what}: {words}", what=what, words=said)), html.Span(came), marked(tone, tells)],
        className="effect",
    )
