"""What this is, what it is not, and what runs here."""

from __future__ import annotations

from collections.abc import Iterator

from dash import html
from dash.development.base_component import Component

from dashboard.about_view import AboutView
from dashboard.mended_words import mended_sentence
from dashboard.parts import Content, card, facts, marked
from dashboard.words import Reader


def panel(view: AboutView, reader: Reader) -> Component:
    """Five cards: what it is, what it is for, what it is not, what becomes of data, what runs."""
    cards = [_is(reader), _is_for(reader), _is_not(reader), _data(reader), _runs(view, reader)]
    return html.Section(cards, className="about-cards")


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


def _is_for(reader: Reader) -> Component:
    """The intended use; README.md tells it in the same sentences (tests/test_assurance_intended.py)."""
    return _told(
        reader.say("What is it for?"),
        reader.say(
            "For those who manage the hospital and its beds: it shows how full the units are and how patients move "
            "between them, as administrative messages tell it, and forecasts totals, so that staff and beds can be "
            "decided on."
        ),
        reader.say("It is not meant for diagnosing, sorting, treating, watching over or ranking any single patient."),
        reader.say("It is no alarm system: nobody may rely on being warned by it."),
        reader.say(
            "Data may be late or incomplete: look at their state and their age on the screen before using a number."
        ),
        reader.say("Keep the downtime procedure: paper, telephone, the last printed sheet."),
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
        reader.say("Nothing is overlooked: what cannot be read is kept with its reason, and counted on the wall."),
        reader.say(
            "Events are kept for a time that the settings say, a year and more; then figures of days are left, which "
            "tell of nobody."
        ),
        reader.say(
            "The page loads nothing from elsewhere. That it was opened is kept in the house's own audit, and nowhere "
            "else."
        ),
    )


def _runs(view: AboutView, reader: Reader) -> Component:
    rows = [
        (reader.say("Runs since"), reader.moment(view.since)),
        *([(reader.say("Events are kept since"), reader.moment(view.kept_from))] if view.kept_from else []),
        *_backups(view, reader),
        *_scrubbed(view, reader),
        *((reader.say("Damaged data"), mended_sentence(one, reader)) for one in reversed(view.mended)),
        *view.versions,
        (reader.say("Digest of the code"), html.Code(view.code)),
        *([(reader.say("Last record of the audit"), html.Code(view.audited))] if view.audited else []),
        (reader.say("Licence"), "Apache 2.0"),
        (reader.say("For scripts"), html.A("/api/v1/openapi.json", href="/api/v1/openapi.json")),
    ]
    return card("about", reader.say("What runs here?"), facts(rows))


def _scrubbed(view: AboutView, reader: Reader) -> Iterator[tuple[str, Content]]:
    """When the whole journal was last looked through, and whether it was as it was written."""
    found = view.scrubbed
    if found is None:
        return
    yield reader.say("Journal looked through"), reader.moment(found.at)
    if found.faults:
        files = reader.count(
            "{n} file of the journal is damaged", "{n} files of the journal are damaged", len(found.faults)
        )
        yield reader.say("What was found"), marked("bad", files)


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
