"""Sites that describe themselves, and what is believed of them from a short log."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache

from forecast.situation import Situation, situation_of
from tests.histories import START, state
from twin.calibrate import Calibration
from twin.described import described
from twin.site import Site, site_from

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SECOND_DAY = START + 2 * DAY + 11 * HOUR
COUNTER = """
[units]
hall = { fr = "Hall", en = "Hall", spaces = 9 }
room = { fr = "Salle", en = "Room", beds = 9 }

[pools.doctor]
fr = "Médecins"
en = "Doctors"
always = 9

[arrivals.per_day]
value = 24
unit = "visits/day"
source = "made up"

[stage.door]
comes = "Arrived"
lasts = "at_the_door"
ends = "Triaged"
then = { care = 1.0 }
[stage.care]
needs = "doctor"
unit = "hall"
starts = "SeenByProvider"
lasts = "talk"
then = { stays = 0.5, gone = 0.5 }
[stage.stays]
wants = "room"
ends = "DecidedToAdmit"
then = { lies = 1.0 }
[stage.lies]
takes = "bed:room"
unit = "room"
starts = "Departed"
to = "ward"
lasts = "sleep"
then = { wakes = 1.0 }
[stage.wakes]
lasts = "wake"
ends = "LeftWard"
to = "home"
gives = "bed:room"
[stage.gone]
starts = "Departed"
to = "home"

[durations]
at_the_door = { law = "fixed", value = 10, unit = "min", source = "made up" }
talk = { law = "fixed", value = 30, unit = "min", source = "made up" }
sleep = { law = "fixed", value = 100, unit = "min", source = "made up" }
wake = { law = "fixed", value = 20, unit = "min", source = "made up" }
"""
"""Ten minutes at the door, thirty with a doctor; every second lies down for a hundred minutes, and wakes for twenty."""


def site(text: str = "") -> Site:
    """The shipped site, or that of a text."""
    return _site(text)


@cache
def _site(text: str) -> Site:
    return site_from(text)


def believed_of(at: datetime = SECOND_DAY, text: str = "") -> Calibration:
    """The small hospital of `histories.py` as a site describes it, when little of it is known."""
    return _believed(at, text)


@cache
def _believed(at: datetime, text: str) -> Calibration:
    return described(site(text), state(at), at)


def situation_at(at: datetime = SECOND_DAY, text: str = "") -> Situation:
    """And how it stands then."""
    return _situation(at, text)


@cache
def _situation(at: datetime, text: str) -> Situation:
    return situation_of(state(at), believed_of(at, text), at)
