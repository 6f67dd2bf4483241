"""What each check of the model says, in the reader's words."""

from __future__ import annotations

import math

from dashboard.words import NBSP, UNKNOWN, Reader
from forecast.board import ModelCheck

GROUPS: dict[str, tuple[str, str]] = {
    "theory": ("Theory", "Small hospitals whose averages can be computed: the model finds them."),
    "effects": ("Known effects", "What is published of hospitals short of beds, found again in the default hospital."),
    "conservation": ("Conservation", "Two weeks of the default hospital, hour by hour: nobody is lost."),
    "extremes": ("Extreme values", "Where the outcome is certain, it comes."),
    "restart": ("Stopped and started again", "Running on is the same as stopping and starting from where all stand."),
    "identical": ("Identical twin", "A hospital that lives by the twin's own law, forecast from what it tells, beside "
                  "an oracle that knows the law and where everybody stands."),
}  # fmt: skip
"""Group to its title and what it is about."""

CHECKS: dict[str, str] = {
    "mmc_p_wait": "Three doctors: share of patients who wait",
    "mmc_wait": "Three doctors: mean wait",
    "mmc_wait:curve": "Three doctors: share who wait longer than so many minutes",
    "infinite_census": "No queues: mean census",
    "infinite_spread": "No queues: variance of the census over its mean",
    "hourly_census": "Arrivals by the hour: farthest off of 24 hourly census means",
    "hourly_census:curve": "Arrivals by the hour: mean census by hour of the day",
    "urgent_wait": "Two priorities: mean wait of the urgent",
    "other_wait": "Two priorities: mean wait of the others",
    "boarding_base": "As it is: waiting for a ward bed",
    "earlier_discharges": "Discharges four hours earlier: share of that waiting removed",
    "smoothed_weekends": "Discharges smoothed over the week: share of that waiting removed",
    "released_crowding": "Boarders released at once: time with more patients than spaces, against before",
    "released_lwbs": "Boarders released at once: patients who leave without being seen, against before",
    "nobody_lost": "Those who came, less those who left and those inside: the most, at any hour",
    "one_exit": "Visits that leave twice, or before they come",
    "beds_given_twice": "Patients in a ward beyond its beds: the most, at any moment",
    "no_arrivals": "No arrivals: events",
    "no_doctors": "No doctors: patients seen",
    "beds_for_all": "Beds for all: longest wait for a bed",
    "all_to_sauv": "All to resuscitation: most patients there at once",
    "run_on": "Census an hour after stopping, against running on",
    "identical_crps": "Mean crps of the census, 1 to 24 h ahead, against the oracle's",
    "identical_crps:curve": "Mean crps of the census by hours ahead; what it should be is the oracle's",
    "identical_coverage": "Share of the truth inside the 80 % interval",
}
"""Check to what it measures; `<name>:curve` is said above its plot."""

UNITS: dict[str, str] = {
    "min": "{value} min",
    "h/day": "{value} h a day",
    "patients": "{value} patients",
    "beds": "{value} beds",
    "events": "{value} events",
    "standard errors": "{value} standard errors",
}
"""Unit to how a value is written with it; shares are per cent, and ratios bare numbers."""


def group_words(group: str, reader: Reader) -> tuple[str, str]:
    """A group's title and what it is about; its own name where this version does not know it."""
    title, why = GROUPS.get(group, (group, ""))
    return reader.text(title), reader.text(why) if why else ""


def check_words(name: str, reader: Reader) -> str:
    """What a check measures; its own name where this version does not know it."""
    return reader.text(CHECKS[name]) if name in CHECKS else name


def figure_words(value: float, unit: str, reader: Reader) -> str:
    """A figure with its unit."""
    if not math.isfinite(value):
        return UNKNOWN
    if unit == "share":
        return f"{reader.number(100 * value, 1)}{NBSP if reader.language == 'fr' else ''}%"
    number = reader.number(value, 2)
    return (
        reader.say(UNITS[unit], value=number).replace(f"{number} ", f"{number}{NBSP}", 1) if unit in UNITS else number
    )


def bound_words(check: ModelCheck, reader: Reader) -> str:
    """What the figure should be, and how far off it may be."""
    if check.comparison == "at_most":
        return reader.say("at most {bound}", bound=figure_words(check.expected + check.tolerance, check.unit, reader))
    if check.comparison == "at_least":
        return reader.say("at least {bound}", bound=figure_words(check.expected - check.tolerance, check.unit, reader))
    expected = figure_words(check.expected, check.unit, reader)
    if not check.tolerance:
        return expected
    return f"{expected} ±{NBSP}{figure_words(check.tolerance, check.unit, reader)}"
