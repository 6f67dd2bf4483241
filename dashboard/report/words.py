"""What the report calls measures, rivals and facts, and how it says what was different on a day."""

from __future__ import annotations

from datetime import date

from babel.dates import format_date

from dashboard.words import Reader
from forecast.day_facts import DayFacts, Fact

_DATES = {"fr": "fr_FR", "en": "en_GB"}


def day(of: date, reader: Reader) -> str:
    """A date with its day of the week."""
    return format_date(of, "full", locale=_DATES[reader.language])


def different(facts: DayFacts, reader: Reader) -> list[str]:
    """What was different on a day, a sentence each; a sentence that says so where nothing was."""
    said = []
    if facts.holiday:
        said.append(reader.say("It was a public holiday: {name}.", name=facts.holiday[reader.language]))
    elif facts.near_holiday:
        said.append(
            reader.say("The day beside it was a public holiday: {name}.", name=facts.near_holiday[reader.language])
        )
    said += [_sentence(fact, reader) for fact in facts.facts if fact.striking]
    nothing = reader.say(
        "Nothing that is recorded was unusual: arrivals, exits, beds and the feed were as on other days."
    )
    return said or [nothing]


def _sentence(fact: Fact, reader: Reader) -> str:
    value, usual = reader.number(fact.value, 1), reader.number(fact.usual, 1)
    if fact.name == "late_share":
        shares = {"share": reader.percent(fact.value), "usual": reader.percent(fact.usual)}
        return reader.say("{share} of the messages came more than an hour late (usually {usual}).", **shares)
    if fact.name == "silence_h":
        return reader.say("The feed was silent for up to {value} h (usually {usual} h).", value=value, usual=usual)
    if fact.name == "exits_untold":
        return reader.say(
            "Of {value} patients who came that day no exit was ever recorded (usually {usual}).",
            value=value, usual=usual,
        )  # fmt: skip
    names = {
        "arrivals": reader.say("arrivals"),
        "exits": reader.say("exits"),
        "boarders": reader.say("patients waiting for a ward bed, on average"),
        "waiting": reader.say("patients waiting to be seen, on average"),
        "beds_free": reader.say("beds free, on average"),
    }
    about = {"value": value, "what": names[fact.name], "usual": usual}
    if fact.distance > 0:
        return reader.say("More than usual: {value} {what} (usually {usual}).", **about)
    return reader.say("Fewer than usual: {value} {what} (usually {usual}).", **about)
