"""What is already known: the kinds, the buttons of the second tap, what was said, and a way to undo each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from html import escape

from dash import html
from dash.development.base_component import Component

from dashboard.known_words import kind_name, known_sentence, made_of_it, nothing_to_choose, presets
from dashboard.pages.beside import KNOWN as ADDRESS
from dashboard.panels.header import beside as header
from dashboard.panels.ways import WayGroup
from dashboard.parts import absent, heading, marked
from dashboard.plain_html import Markup
from dashboard.words import Reader
from forecast.known_view import KINDS, Choice, Kind, KnownFuture, KnownView

UNDO = f"{ADDRESS}/undo"
NEAR = ("/phone", "/wall", "/alerts", "/desk")
"""The ways to other pages at its head; the telephone's page has them all."""
OTHER = "other"
"""The button of a time that is typed."""
BETWEEN = "|"
"""Between a ward's name and a time's, in a button's value."""


@dataclass(frozen=True)
class Asked:
    """What the address asks for, or what was typed and refused: it stands in the form again."""

    kind: Kind | None = None
    who: str = ""
    count: str = "1"
    name: str = ""
    at: str = ""
    fault: str = ""
    """Why it was refused."""
    done: int | None = None
    """What has just been said, or undone."""


def known_page(view: KnownView, reader: Reader, groups: list[WayGroup], asked: Asked, token: str) -> Component:
    """The page; `token` is what a form must send back."""
    kept = f"?who={escape(asked.who)}" if asked.who else ""
    near = tuple(way for of in groups for way in of.ways if way.path in NEAR)
    head = header(view, reader, reader.say("What is already known"), [WayGroup("", near)], kept)
    form = _Form(view, reader, asked, token)
    middle = form.second_tap(asked.kind) if asked.kind else kinds(reader, asked.who)
    parts = [head, *form.what_became_of_it(), middle, form.said()]
    return html.Main(parts, className="wall beside phone known-page")


def kinds(reader: Reader, who: str = "") -> Component:
    """The first tap: what is known."""
    kept = f"&who={who}" if who else ""
    links = [
        html.A(kind_name(kind, reader), href=f"{ADDRESS}?kind={kind}&lang={reader.language}{kept}", className="say-it")
        for kind in KINDS
    ]
    question = heading(reader.say("What is already known?"))
    return html.Section([question, html.Nav(links, className="kinds")], className="card known-kinds")


@dataclass(frozen=True)
class _Form:
    view: KnownView
    reader: Reader
    asked: Asked
    token: str

    def what_became_of_it(self) -> list[Component]:
        """The line of what was just said, with its way back; or why it was refused."""
        reader, asked = self.reader, self.asked
        if asked.fault:
            return [html.Div(marked("bad", asked.fault), className="banner bad known-fault", role="alert")]
        found = next((one for one in self.view.known if one.number == asked.done), None)
        if found is None:
            return []
        if found.undone_at is not None:
            said = reader.say("Undone: {what}", what=known_sentence(found, reader))
            return [html.Div(marked("good", said), className="banner known-done", role="status")]
        said = reader.say("Noted: {what}", what=known_sentence(found, reader))
        then = html.Small(reader.say("The forecast takes it from its next cycle on."))
        line = [marked("good", said), then, self._undo(found)]
        return [html.Div(line, className="banner known-done", role="status")]

    def second_tap(self, kind: Kind) -> Component:
        """A big button for each ward and time."""
        reader, choices = self.reader, self.view.choices.get(kind, ())
        title = heading(kind_name(kind, reader))
        back = html.A(
            reader.say("Something else"), href=f"{ADDRESS}?lang={reader.language}", className="known-back quiet-link"
        )
        if not self.view.is_ready:
            waiting = reader.say("The first forecast is not made yet: try again in a few minutes.")
            return html.Section([title, absent(waiting), back], className="card")
        offered = [choice for choice in choices if choice.most > 0]
        if not offered:
            return html.Section([title, absent(nothing_to_choose(kind, reader)), back], className="card")
        nobody = html.Button("", type="submit", disabled=True, hidden=True)  # a return key sends nothing
        inside = [
            self._hidden("token", self.token), self._hidden("kind", kind), self._hidden("lang", reader.language),
            nobody, html.P(made_of_it(kind, reader), className="made-of-it"), self._who(), self._count(offered),
            *(self._row(kind, choice) for choice in offered), self._other(kind, offered),
        ]  # fmt: skip
        return html.Section([title, html.Form(inside, method="post", action=ADDRESS), back], className="card")

    def said(self) -> Component:
        """What was said and is not over, the last first; then what is over or undone."""
        reader, now = self.reader, self.view.made_at
        standing = [one for one in self.view.known if one.undone_at is None and not one.is_over(now)]
        rest = [one for one in self.view.known if one not in standing]
        title = heading(reader.say("What was said here"))
        body: list[Component] = [html.Ul([self._line(one) for one in standing], className="known-list")]
        if not standing:
            body = [absent(reader.say("Nothing is noted for the coming hours."))]
        if rest:
            older = html.Ul([self._line(one) for one in rest], className="known-list")
            body.append(html.Details([html.Summary(reader.say("Over or undone")), older]))
        return html.Section([title, *body], className="card known-said")

    # --- pieces ---------------------------------------------------------------------------------------------------

    def _line(self, one: KnownFuture) -> Component:
        reader, who = self.reader, self.reader.choice(one.who_fr, one.who_en)
        by = reader.say("{who}, at {time}", who=who, time=reader.clock(one.said_at))
        told: list[Component] = [html.B(known_sentence(one, reader)), html.Small(by)]
        if one.undone_at is not None:
            told.append(html.Small(reader.say("undone at {time}", time=reader.clock(one.undone_at))))
        elif one.is_over(self.view.made_at):
            told.append(html.Small(reader.say("over")))
        else:
            if one.is_counted_since:
                since = reader.say("The hospital's feed has counted since: its count holds until then.")
                told.append(html.Small(marked("warn", since)))
            told.append(self._undo(one))
        return html.Li(told, className="known-line")

    def _undo(self, one: KnownFuture) -> Component:
        inside = [
            self._hidden("token", self.token), self._hidden("number", str(one.number)),
            self._hidden("who", self.asked.who or self.view.people[0][0]), self._hidden("lang", self.reader.language),
            html.Button(self.reader.say("Undo"), type="submit", className="undo"),
        ]  # fmt: skip
        return html.Form(inside, method="post", action=UNDO)

    def _who(self) -> Component:
        reader = self.reader
        options = [
            html.Option(reader.choice(fr, en), value=name, selected=name == self.asked.who)
            for name, fr, en in self.view.people
        ]
        label = html.Span(reader.say("Who says it"))
        return html.Label([label, html.Select(options, name="who")], className="known-field")

    def _count(self, offered: Sequence[Choice]) -> Component:
        most = max(choice.most for choice in offered)
        bounds = f'min="1" max="{most}" value="{self._typed("count")}"'
        field = f'<input type="number" name="count" inputmode="numeric" {bounds}>'
        return html.Label([html.Span(self.reader.say("how many")), Markup(field)], className="known-field")

    def _row(self, kind: Kind, choice: Choice) -> Component:
        """A ward, or staff, with a button for each time."""
        reader = self.reader
        times = presets(kind, self.view.made_at, reader)
        buttons = [
            html.Button(
                words, type="submit", name="choice", value=f"{choice.name}{BETWEEN}{name}", className="known-do"
            )
            for name, _, words in times
        ]
        name = reader.choice(choice.fr, choice.en)
        legend = [html.Legend(name)] if name else []
        return html.Fieldset([*legend, html.Div(buttons, className="known-times")], className="known-choice")

    def _other(self, kind: Kind, offered: Sequence[Choice]) -> Component:
        """Another time, typed."""
        reader = self.reader
        options = [
            html.Option(reader.choice(one.fr, one.en), value=one.name, selected=one.name == self.asked.name)
            for one in offered
        ]
        place = [html.Select(options, name="name")] if offered[0].name else []
        typed = self._typed("at") if "T" in self.asked.at else ""
        time = Markup(f'<input type="datetime-local" name="at" value="{typed}">')
        button = html.Button(reader.say("Note it"), type="submit", name="choice", value=OTHER, className="known-do")
        inside = [html.Summary(reader.say("Another time")), html.Div([*place, time, button], className="known-other")]
        return html.Details(inside, open="T" in self.asked.at or None)

    def _typed(self, name: str) -> str:
        return escape(str(getattr(self.asked, name)), quote=True)

    def _hidden(self, name: str, value: str) -> Component:
        return html.Span(
            Markup(f'<input type="hidden" name="{name}" value="{escape(value, quote=True)}">'), hidden=True
        )


KEPT = timedelta(hours=24)
"""What is over or undone is shown for so long."""
