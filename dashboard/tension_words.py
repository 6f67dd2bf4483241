"""The tension indicators in words."""

from __future__ import annotations

from dashboard.words import UNKNOWN, Reader
from forecast.pages import Indicator, Lacking, Tension


def het_name(name: str, reader: Reader) -> str:
    """What an indicator counts."""
    names = {
        "het1": reader.say("HET 1: beds free at 19:00"),
        "het2": reader.say("HET 2: visits in 24 h"),
        "het3": reader.say("HET 3: stay of those hospitalised"),
        "het4": reader.say("HET 4: share hospitalised"),
        "het5": reader.say("HET 5: present at 15:00"),
        "het6": reader.say("HET 6: visits of 75 and over in 24 h"),
    }
    return names[name]


def lacks_words(lacks: Lacking, reader: Reader) -> str:
    """Why nothing is told."""
    words = {
        "beds": reader.say("how many beds there are is not told"),
        "spaces": reader.say("how many treatment spaces there are is not told (ed_beds of the file of alerts)"),
        "ages": reader.say("the log tells no ages"),
        "boarding": reader.say("the log tells no decision to admit"),
        "simulated": reader.say("not simulated: known for the last 24 hours only"),
        "history": reader.say("the log is not long enough"),
        "horizon": reader.say("the forecast does not reach so far"),
    }
    return words[lacks]


def category_name(category: str, reader: Reader) -> str:
    """What a NEDOCS means."""
    names = {
        "not_busy": reader.say("not busy"),
        "busy": reader.say("busy"),
        "extremely_busy": reader.say("extremely busy, not overcrowded"),
        "overcrowded": reader.say("overcrowded"),
        "severe": reader.say("severely overcrowded"),
        "dangerous": reader.say("dangerously overcrowded"),
    }
    return names[category]


def category_tone(category: str) -> str:
    """Its judgement."""
    return {"not_busy": "good", "busy": "good", "extremely_busy": "warn"}.get(category, "bad")


def level_tone(level: float) -> str:
    """0 normal, to 1 an acceptable rise, to 2 tension, above high."""
    return "good" if level <= 1 else "warn" if level <= 2 else "bad"


def het_figure(one: Indicator, value: float | None, reader: Reader) -> str:
    """A value in the indicator's unit."""
    if value is None:
        return UNKNOWN
    if one.name == "het4":
        return reader.percent(value)
    return reader.duration(value) if one.name == "het3" else reader.number(value)


def bjml_words(tension: Tension, reader: Reader) -> str:
    """The minimal need, what is offered, and how likely it is missed."""
    if tension.bjml is None or tension.bjml_offered is None or tension.bjml_p_missed is None:
        return lacks_words(tension.bjml_lacks or "history", reader)
    low, _, high = tension.bjml_offered
    return reader.say(
        "{need} beds a day needed; {low} to {high} offered in 24 h; missed with {p}",
        need=reader.number(tension.bjml), low=reader.number(low), high=reader.number(high),
        p=reader.percent(tension.bjml_p_missed),
    )  # fmt: skip


def bjml_basis(tension: Tension, reader: Reader) -> str:
    """On what the minimal need rests."""
    return reader.count("from {n} year of the log", "from {n} years of the log", tension.bjml_years)


def elderly_words(tension: Tension, reader: Reader) -> str:
    """How many of 75 and over are to be expected all night."""
    if tension.elderly is None or tension.elderly_p is None:
        return lacks_words(tension.elderly_lacks or "history", reader)
    return reader.say("{n} expected; at least one: {p}", n=reader.number(tension.elderly, 1),
                      p=reader.percent(tension.elderly_p))  # fmt: skip


def nedocs_words(tension: Tension, reader: Reader) -> str:
    """The score, what it means, and how high it may go."""
    if tension.nedocs is None or tension.nedocs_category is None or tension.nedocs_worst is None:
        return lacks_words(tension.nedocs_lacks or "beds", reader)
    low, _, high = tension.nedocs_worst
    return reader.say(
        "{score}, {category}; {low} to {high} at the worst of the next 8 h", score=reader.number(tension.nedocs),
        category=category_name(tension.nedocs_category, reader), low=reader.number(low), high=reader.number(high),
    )  # fmt: skip
