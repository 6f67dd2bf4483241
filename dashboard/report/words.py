"""What the report calls measures, rivals and facts, and how it says what was different on a day."""

from __future__ import annotations

from datetime import date

from babel.dates import format_date

from dashboard.words import Reader
from forecast.day_facts import DayFacts, Fact

RIVALS = (
    "climatology", "anomaly_persistence", "count_model", "autoregression", "yesterday", "last_week", "persistence",
    "boosted",
)  # fmt: skip
"""In the order of the legend; a rival of another name follows by its own."""
_DATES = {"fr": "fr_FR", "en": "en_GB"}


def measure_name(measure: str, reader: Reader) -> str:
    """A measure's name."""
    names = {
        "ed_census": reader.say("Patients present in the department"),
        "ed_waiting": reader.say("Patients waiting to be seen"),
        "ed_boarders": reader.say("Patients waiting for a ward bed"),
        "ed_arrivals": reader.say("Arrivals in the hour before"),
        "peak:ed_census": reader.say("Highest number present until then"),
        "peak_min:ed_census": reader.say("Minutes until that highest number"),
    }
    return names.get(measure, measure)


def rival_name(rival: str, reader: Reader) -> str:
    """What a simple forecast says, in a few words."""
    names = {
        "persistence": reader.say("nothing moves"),
        "climatology": reader.say("as usual at this hour"),
        "anomaly_persistence": reader.say("as usual, and what lasts of today"),
        "count_model": reader.say("everybody stays as others did, nobody queues"),
        "yesterday": reader.say("as at the same hour yesterday"),
        "last_week": reader.say("as at the same hour a week ago"),
        "autoregression": reader.say("drawn on from the last hours and weeks"),
        "boosted": reader.say("boosted trees that learned the same past"),
    }
    return names.get(rival, rival)


def lead(lead_min: float, reader: Reader) -> str:
    """How far ahead: "4 h", "90 min"."""
    hours = lead_min / 60.0
    return f"{reader.number(hours, 2)}\N{NO-BREAK SPACE}h"


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
