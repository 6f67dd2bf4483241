"""How alarms are said on screens."""

from __future__ import annotations

from datetime import datetime, timedelta

from dashboard.words import Reader
from forecast.board import Alarm

TONES = {"alert": "bad", "watch": "warn", "normal": "good"}


def level_name(level: str, reader: Reader) -> str:
    """The level in a word."""
    names = {"alert": reader.say("ALERT"), "watch": reader.say("WATCH"), "normal": reader.say("calm")}
    return names[level]


def alarm_name(alarm: Alarm, reader: Reader) -> str:
    """The rule's name in the reader's language."""
    return reader.choice(alarm.name_fr, alarm.name_en)


def alarm_sentence(alarm: Alarm, reader: Reader) -> str:
    """ "4 in 10 to exceed 60 present before 20:00"."""
    return reader.choice(alarm.sentence_fr, alarm.sentence_en)


def onset(alarm: Alarm, now: datetime, reader: Reader, *, short: bool = False) -> str | None:
    """When it is most likely to begin, and how long that is from now; None where it has, or nobody knows."""
    if alarm.is_now or alarm.first is None:
        return None
    middle = alarm.first[1]
    ahead = middle - now
    if ahead < timedelta(minutes=1):
        return reader.say("from now on")
    time, span = reader.clock(middle), reader.span(ahead)
    if short:
        return reader.say("in {duration}", duration=span)
    return reader.say("around {time}, in {duration}", time=time, duration=span)


def what_name(what: str, reader: Reader) -> str:
    """A line of the log in a word."""
    names = {
        "watched": reader.say("level"),
        "raised": reader.say("raised"),
        "escalated": reader.say("next one told"),
        "acknowledged": reader.say("acknowledged"),
        "snoozed": reader.say("snoozed"),
        "cleared": reader.say("over"),
    }
    return names[what]


def rival_name(name: str, reader: Reader) -> str:
    """A way to forecast, in words."""
    names = {
        "persistence": reader.say("as now"),
        "climatology": reader.say("as usual"),
        "anomaly_persistence": reader.say("as usual, shifted by today"),
        "count_model": reader.say("counts without queues"),
        "yesterday": reader.say("as at the same hour yesterday"),
        "last_week": reader.say("as at the same hour a week ago"),
        "autoregression": reader.say("drawn on from the last hours and weeks"),
        "level_climatology": reader.say("as usual at this hour, at the level of late"),
        "level_anomaly": reader.say("as usual at the level of late, and what lasts of today"),
        "boosted": reader.say("boosted trees that learned the same past"),
        "nedocs": "NEDOCS",
    }
    return names.get(name, name)
