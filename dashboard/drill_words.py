"""How an exercise's injects and decisions are said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dashboard.words import Reader

Names = Mapping[str, tuple[str, str]]
"""What a hospital calls its units and pools, in French and in English."""
NOBODYS: Names = {}


def unit_words(name: str, reader: Reader, names: Names = NOBODYS) -> str:
    """A unit in the middle of a sentence; one that is not of the shipped hospital as its own calls it."""
    return {
        "medicine": reader.say("medicine"), "geriatrics": reader.say("geriatrics"),
        "surgery": reader.say("surgery"), "cardiology": reader.say("cardiology"),
        "intensive_care": reader.say("intensive care"), "uhcd": reader.say("short stay"),
    }.get(name) or reader.choice(*names.get(name, (name, name)))  # fmt: skip


def pool_words(name: str, reader: Reader, names: Names = NOBODYS) -> str:
    """A pool of staff."""
    said = {"doctor": reader.say("doctors"), "triage_nurse": reader.say("triage nurses")}.get(name)
    return said or reader.choice(*names.get(name, (name, name)))


def inject_said(told: Mapping[str, Any], reader: Reader, names: Names = NOBODYS) -> str:
    """An inject in a sentence."""
    hours = reader.number(told.get("hours"), 2)
    match told["kind"]:
        case "victims":
            return reader.say(
                "{n} victims over {duration}", n=reader.number(told["patients"]),
                duration=reader.duration(told["over_min"]),
            )  # fmt: skip
        case "arrivals":
            return reader.say(
                "{factor} times as many arrivals for {hours} h", factor=reader.number(told["factor"], 2), hours=hours
            )
        case "absent":
            return reader.say(
                "{share} of the {pool} away for {hours} h", share=reader.percent(told["share"]),
                pool=pool_words(told["pool"], reader, names), hours=hours,
            )  # fmt: skip
        case "beds_closed":
            return reader.say(
                "{n} beds closed in {unit} for {hours} h", n=reader.number(told["beds"]),
                unit=unit_words(told["unit"], reader, names), hours=hours,
            )  # fmt: skip
        case "outage":
            return reader.say("The feed silent for {hours} h", hours=hours)
        case _:
            return reader.say("The exercise is over")


def measure_said(name: str, reader: Reader) -> str:
    """A measure of the world."""
    return {
        "ed_census": reader.say("Present"), "ed_waiting": reader.say("Waiting"),
        "ed_boarders": reader.say("Waiting for a bed"),
    }.get(name, name)  # fmt: skip


def lack_said(name: str, reader: Reader) -> str:
    """A kind of change that the world of an exercise knows nothing of; a pool by its own name."""
    return {
        "discharge": reader.say("when wards discharge"), "duration": reader.say("how long stages of care last"),
        "route": reader.say("where the path leads"), "arrivals": reader.say("some of the arrivals"),
        "absence": reader.say("who is away"), "crisis": reader.say("more victims"),
        "supply": reader.say("support services"),
    }.get(name, name)  # fmt: skip


def world_said(law: str, reader: Reader) -> str:
    """Whose law the world of an exercise obeys, and what that means for what it shows."""
    if law == "twin":
        return reader.say(
            "The world of this exercise is one run of the twin, on luck of its own: it obeys the very law by which it "
            "is forecast, so it cannot show where the twin errs about your hospital."
        )
    return reader.say(
        "The world of this exercise is the fabricated hospital's: it obeys a law of its own, unknown to the twin."
    )
