"""How what is known already is said: kinds, times to choose from, and the sentence of what was said."""

from __future__ import annotations

from datetime import datetime, timedelta

from dashboard.words import NBSP, Reader
from forecast.known_view import Kind, KnownFuture
from ingest.clock import local, resolve

TONIGHT, MORNING = "20:00", "8:00"
"""Local times of the day that a choice offers by their names."""
_LASTING, _DUE = (60, 240), (0, 30, 60)
"""Minutes from now: until when something may last, and when something may be due."""
_SOONEST = timedelta(minutes=45)
"""A time of the day that is nearer is left out: it is one of the minutes."""
LASTING: tuple[Kind, ...] = ("beds_closed", "staff_absent")


def kind_name(kind: Kind, reader: Reader) -> str:
    """The kind, as its button says it."""
    return {
        "beds_closed": reader.say("Bed closed"),
        "staff_absent": reader.say("Doctor absent"),
        "discharge": reader.say("Discharge planned"),
        "ambulance": reader.say("Ambulance announced"),
    }[kind]


def presets(kind: Kind, now: datetime, reader: Reader) -> list[tuple[str, datetime, str]]:
    """The times to choose from: the name by which a button tells one, the instant, and what the button says."""
    lasts = kind in LASTING
    found = []
    for minutes in _LASTING if lasts else _DUE:
        said = f"{minutes // 60}{NBSP}h" if minutes >= 60 else reader.duration(minutes)
        words = reader.say("for {duration}", duration=said) if lasts else reader.say("in {duration}", duration=said)
        found.append((str(minutes), now + timedelta(minutes=minutes), words if minutes else reader.say("right now")))
    for name, time in (("tonight", TONIGHT), ("morning", MORNING)):
        at = next_time(now, time, reader.zone)
        if at - now >= _SOONEST:
            clock = reader.time_of_day(time)
            words = reader.say("until {time}", time=clock) if lasts else reader.say("at {time}", time=clock)
            found.append((name, at, words))
    return found


def next_time(now: datetime, time: str, zone: str) -> datetime:
    """The next instant at which it is a local time of the day."""
    hour, minute = (int(part) for part in time.split(":"))
    here = local(now, zone).replace(tzinfo=None)
    at = here.replace(hour=hour, minute=minute, second=0, microsecond=0)
    return resolve(at if at > here else at + timedelta(days=1), zone)[0]


def known_sentence(one: KnownFuture, reader: Reader) -> str:
    """What was said, in a sentence."""
    name, n, time = reader.choice(one.name_fr, one.name_en), one.count, reader.clock(one.at)
    match one.kind:
        case "beds_closed":
            beds = reader.count("{n} bed closed", "{n} beds closed", n)
            return reader.say("{place}: {what} until {time}", place=name, what=beds, time=time)
        case "staff_absent":
            return reader.say("{place}: {n} absent until {time}", place=name, n=reader.number(n), time=time)
        case "discharge":
            exits = reader.count("{n} discharge planned", "{n} discharges planned", n)
            return reader.say("{place}: {what} at {time}", place=name, what=exits, time=time)
        case "ambulance":
            cars = reader.count("{n} ambulance announced", "{n} ambulances announced", n)
            return reader.say("{what} for {time}", what=cars, time=time)


def made_of_it(kind: Kind, reader: Reader) -> str:
    """What the forecast makes of it, and what it does not."""
    return {
        "beds_closed": reader.say(
            "The forecast has so many beds fewer in this ward until then. A count that the hospital's own feed tells "
            "later takes its place."
        ),
        "staff_absent": reader.say("The forecast has so many fewer on duty than the roster, until then."),
        "discharge": reader.say(
            "The forecast counts exits, not persons: it takes whoever has lain there longest without a planned exit. "
            "Undo it if nobody leaves."
        ),
        "ambulance": reader.say(
            "The forecast expects it beside those who come unannounced; most who are announced come, some never do."
        ),
    }[kind]


def nothing_to_choose(kind: Kind, reader: Reader) -> str:
    """Why it cannot be said here: what it would change is not known."""
    return {
        "beds_closed": reader.say("How many beds the wards have is not known here: nothing could be told of it."),
        "staff_absent": reader.say("How many are on duty is not known here: the forecast would not change."),
        "discharge": reader.say("Nobody is known to lie in a ward without a planned exit."),
        "ambulance": "",
    }[kind]
