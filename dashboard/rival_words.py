"""What measures, simple forecasts and hours ahead are called where forecasts are judged."""

from __future__ import annotations

from collections.abc import Sequence

from dashboard.words import Reader

RIVALS = (
    "climatology", "anomaly_persistence", "count_model", "autoregression", "yesterday", "last_week", "persistence",
    "boosted", "level_climatology", "level_anomaly",
)  # fmt: skip
"""In the order of the legend; a rival of another name follows by its own."""
_COLOURS = 10
"""Colours there are for rivals."""


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
        "level_climatology": reader.say("as usual at this hour, at the level of late"),
        "level_anomaly": reader.say("as usual at the level of late, and what lasts of today"),
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


def kinds(rivals: Sequence[str]) -> dict[str, str]:
    """The class of each rival's colour, in the order of the legend."""
    ordered = [name for name in RIVALS if name in rivals] + [name for name in rivals if name not in RIVALS]
    return {name: f"rival-{min(place, _COLOURS)}" for place, name in enumerate(ordered, start=1)}
