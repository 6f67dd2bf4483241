"""What each check of the model says, in the reader's words."""

from __future__ import annotations

import math
from collections.abc import Callable

from dashboard.words import NBSP, UNKNOWN, Reader
from twin.check_values import Check

Words = Callable[[Reader], str]

GROUPS: dict[str, tuple[Words, Words]] = {
    "theory": (
        lambda r: r.say("Theory"),
        lambda r: r.say("Small hospitals whose averages can be computed: the model finds them."),
    ),
    "effects": (
        lambda r: r.say("Known effects"),
        lambda r: r.say("What is published of hospitals short of beds, found again in the default hospital."),
    ),
    "conservation": (
        lambda r: r.say("Conservation"),
        lambda r: r.say("Two weeks of the default hospital, hour by hour: nobody is lost."),
    ),
    "extremes": (lambda r: r.say("Extreme values"), lambda r: r.say("Where the outcome is certain, it comes.")),
    "restart": (
        lambda r: r.say("Stopped and started again"),
        lambda r: r.say("Running on is the same as stopping and starting from where all stand."),
    ),
    "identical": (
        lambda r: r.say("Identical twin"),
        lambda r: r.say(
            "A hospital that lives by the twin's own law, forecast from what it tells, beside an oracle that knows "
            "the law and where everybody stands. A fifth of the exits are hidden."
        ),
    ),
}
"""Group to its title and what it is about."""

CHECKS: dict[str, Words] = {
    "mmc_p_wait": lambda r: r.say("Three doctors: share of patients who wait"),
    "mmc_wait": lambda r: r.say("Three doctors: mean wait"),
    "mmc_wait:curve": lambda r: r.say("Three doctors: share who wait longer than so many minutes"),
    "infinite_census": lambda r: r.say("No queues: mean census"),
    "infinite_spread": lambda r: r.say("No queues: variance of the census over its mean"),
    "hourly_census": lambda r: r.say("Arrivals by the hour: farthest off of 24 hourly census means"),
    "hourly_census:curve": lambda r: r.say("Arrivals by the hour: mean census by hour of the day"),
    "urgent_wait": lambda r: r.say("Two priorities: mean wait of the urgent"),
    "other_wait": lambda r: r.say("Two priorities: mean wait of the others"),
    "boarding_base": lambda r: r.say("As it is: waiting for a ward bed"),
    "earlier_discharges": lambda r: r.say("Discharges four hours earlier: share of that waiting removed"),
    "smoothed_weekends": lambda r: r.say("Discharges smoothed over the week: share of that waiting removed"),
    "released_crowding": lambda r: r.say(
        "Boarders released at once: time with more patients than spaces, against before"
    ),
    "released_lwbs": lambda r: r.say(
        "Boarders released at once: patients who leave without being seen, against before"
    ),
    "nobody_lost": lambda r: r.say("Those who came, less those who left and those inside: the most, at any hour"),
    "one_exit": lambda r: r.say("Visits that leave twice, or before they come"),
    "beds_given_twice": lambda r: r.say("Patients in a ward beyond its beds: the most, at any moment"),
    "no_arrivals": lambda r: r.say("No arrivals: events"),
    "no_doctors": lambda r: r.say("No doctors: patients seen"),
    "beds_for_all": lambda r: r.say("Beds for all: longest wait for a bed"),
    "all_to_sauv": lambda r: r.say("All to resuscitation: most patients there at once"),
    "run_on": lambda r: r.say("Census an hour after stopping, against running on"),
    "identical_crps": lambda r: r.say("Mean crps of the census, 1 to 24 h ahead, against the oracle's"),
    "identical_crps:curve": lambda r: r.say(
        "Mean crps of the census by hours ahead; what it should be is the oracle's"
    ),
    "identical_coverage": lambda r: r.say("Share of the truth inside the 80 % interval"),
}
"""Check to what it measures; `<name>:curve` is said above its plot."""

UNITS: dict[str, Callable[[Reader, str], str]] = {
    "min": lambda r, value: f"{value} min",
    "h/day": lambda r, value: r.say("{value} h a day", value=value),
    "patients": lambda r, value: r.say("{value} people", value=value),
    "beds": lambda r, value: r.say("{value} beds", value=value),
    "events": lambda r, value: r.say("{value} events", value=value),
    "standard errors": lambda r, value: r.say("{value} standard errors", value=value),
}
"""Unit to how a value is written with it; shares are per cent, and ratios bare numbers."""


def group_words(group: str, reader: Reader) -> tuple[str, str]:
    """A group's title and what it is about; its own name where this version does not know it."""
    if group not in GROUPS:
        return group, ""
    title, why = GROUPS[group]
    return title(reader), why(reader)


def check_words(name: str, reader: Reader) -> str:
    """What a check measures; its own name where this version does not know it."""
    return CHECKS[name](reader) if name in CHECKS else name


def figure_words(value: float, unit: str, reader: Reader) -> str:
    """A figure with its unit."""
    if not math.isfinite(value):
        return UNKNOWN
    if unit == "share":
        return f"{reader.number(100 * value, 1)}{NBSP if reader.language == 'fr' else ''}%"
    number = reader.number(value, 2)
    return UNITS[unit](reader, number).replace(f"{number} ", f"{number}{NBSP}", 1) if unit in UNITS else number


def bound_words(check: Check, reader: Reader) -> str:
    """What the figure should be, and how far off it may be."""
    if check.comparison == "at_most":
        return reader.say("at most {bound}", bound=figure_words(check.expected + check.tolerance, check.unit, reader))
    if check.comparison == "at_least":
        return reader.say("at least {bound}", bound=figure_words(check.expected - check.tolerance, check.unit, reader))
    expected = figure_words(check.expected, check.unit, reader)
    if not check.tolerance:
        return expected
    return f"{expected} ±{NBSP}{figure_words(check.tolerance, check.unit, reader)}"
