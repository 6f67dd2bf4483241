"""What this is, what it is not, and what runs here."""

from __future__ import annotations

from collections.abc import Iterator

from dash import html
from dash.development.base_component import Component

from dashboard.about_view import AboutView
from dashboard.parts import Content, card, facts, marked
from dashboard.words import Reader


def panel(view: AboutView, reader: Reader) -> Component:
    """Four cards: what it is, what it is not, what becomes of data, what runs."""
    return html.Section([_is(reader), _is_not(reader), _data(reader), _runs(view, reader)], className="about-cards")


def _is(reader: Reader) -> Component:
    return _told(
        reader.say("What is this?"),
        reader.say("A live digital twin of the hospital, seen from its emergency department."),
        reader.say(
            "It starts from the hospital as it is now, simulates the coming hours hundreds of times, and says what is "
            "likely, with how sure that is."
        ),
        reader.say("Everybody who works here may try a change, see what it would do, and propose it."),
    )


def _is_not(reader: Reader) -> Component:
    return _told(
        reader.say("What is it not?"),
        reader.say("It is about flows. It says nothing about one patient: no risk, no priority, no advice on care."),
        reader.say("It is no medical device, and it decides nothing: people do."),
        reader.say(
            "It is sometimes wrong, and says how far: each forecast stands beside simple rules, and is greyed where a "
            "rule does better."
        ),
    )


def _data(reader: Reader) -> Component:
    return _told(
        reader.say("What becomes of the data?"),
        reader.say(
            "They stay on this machine. Identities are hashed with a secret of the site before anything is written."
        ),
        reader.say("Nothing is thrown away: what cannot be read is kept with its reason, and counted on the wall."),
        reader.say("The page loads nothing from elsewhere, and tells nobody that it was read."),
    )


def _runs(view: AboutView, reader: Reader) -> Component:
    rows = [
        (reader.say("Runs since"), reader.moment(view.since)),
        *_backups(view, reader),
        *view.versions,
        (reader.say("Digest of the code"), html.Code(view.code)),
        (reader.say("Licence"), "Apache 2.0"),
        (reader.say("For scripts"), html.A("/api/v1/openapi.json", href="/api/v1/openapi.json")),
    ]
    return card("about", reader.say("What runs here?"), facts(rows))


def _backups(view: AboutView, reader: Reader) -> Iterator[tuple[str, Content]]:
    """When the last good one was made, and why there is none newer where the last try failed."""
    standing = view.backups
    if standing is None:
        return
    if standing.last is not None:
        yield reader.say("Last good backup"), reader.moment(standing.last.made_at)
    else:
        none = reader.say("none yet") if standing.folder else reader.say("none: no folder is set (backup_folder)")
        yield reader.say("Last good backup"), none
    if standing.fault is not None:
        yield reader.say("The last backup"), marked("bad", reader.say("failed: the log says why"))


def _told(question: str, *sentences: str) -> Component:
    return card("about", question, *(html.P(text) for text in sentences))
