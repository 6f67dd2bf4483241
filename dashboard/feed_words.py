"""The states of a feed, its sources and the kinds of events in words that are understood at three in the morning."""

from __future__ import annotations

from datetime import timedelta

from dashboard.words import Reader
from forecast.board import Feed, FeedState
from forecast.pages import SourceView

TONES: dict[FeedState, str] = {
    "live": "good", "quiet": "good", "late": "warn", "catching_up": "news", "inconsistent": "warn", "stale": "bad",
    "off": "bad",
}  # fmt: skip
"""State to judgement; from well to ill."""


def state_name(state: FeedState, reader: Reader) -> str:
    """The state in a word or two."""
    return {
        "live": reader.say("LIVE"),
        "quiet": reader.say("QUIET"),
        "late": reader.say("LATE"),
        "catching_up": reader.say("CATCHING UP"),
        "inconsistent": reader.say("INCONSISTENT"),
        "stale": reader.say("STALE"),
        "off": reader.say("OFF"),
    }[state]


def state_sentence(source: SourceView | Feed, reader: Reader) -> str:
    """What the state means, with the age in words."""
    if source.age is None:
        return reader.say("nothing was ever heard of it")
    ago, minutes = reader.ago(source.age), reader.span(source.age)
    if source.state in ("late", "stale", "off") and source.age <= source.limit and not source.is_lagging:
        return reader.say("messages come again: the last {ago}", ago=ago)
    if source.state == "late" and source.lag is not None and source.age <= source.limit:
        return reader.say("messages come late: {duration} on the way", duration=_long(source.lag, reader))
    return {
        "live": reader.say("messages come: the last {ago}", ago=ago),
        "quiet": reader.say("no movement for {duration}, as is usual at this hour", duration=minutes),
        "late": reader.say("silent for {duration}: longer than usual at this hour", duration=minutes),
        "catching_up": _catching_up(source, reader),
        "inconsistent": reader.say("messages come, but what they say contradicts itself"),
        "stale": reader.say("silent for {duration}: what is shown is the last known", duration=minutes),
        "off": reader.say("nothing for {duration}: nothing that is known can be relied on", duration=minutes),
    }[source.state]


def advice(source: SourceView, reader: Reader) -> str:
    """What to do now; who reads it is on duty, and not a computer scientist."""
    if source.fault is not None:
        return reader.say("Call the IT service on duty and read them this: {fault}", fault=source.fault)
    if source.state in ("live", "quiet") and source.silent:
        return reader.say("Ask the silent units whether they still record; if they do, call the IT service.")
    if source.state in ("live", "quiet"):
        return reader.say("Nothing to do.")
    return {
        "late": reader.say("Wait some minutes; if it lasts, call the IT service on duty."),
        "catching_up": reader.say("Wait: the counts are provisional until it has caught up."),
        "inconsistent": reader.say("Check the marked numbers by telephone; tell the IT service which they are."),
        "stale": reader.say("Count by telephone and call the IT service on duty: the link with {source} is broken.",
                            source=source_name(source, reader)),
        "off": reader.say("Use the downtime procedure: paper, telephone, the last printed sheet. Call the IT service."),
    }[source.state]  # fmt: skip


def source_name(source: SourceView, reader: Reader) -> str:
    """What the source is, then its name."""
    return {
        "mllp": reader.say("HL7 messages (MLLP)"),
        "kafka": reader.say("Kafka topic {name}", name=source.name.removeprefix("kafka:")),
        "fhir": reader.say("FHIR messages ({name})", name=source.name),
        "events": reader.say("Events of this house ({name})", name=source.name),
        "extracts": reader.say("Files that were read"),
    }[source.kind]


def kind_name(kind: str, reader: Reader) -> str:
    """A kind of event in the words of the ward; an unknown one by its name."""
    return {
        "Arrived": reader.say("arrivals"),
        "Triaged": reader.say("triage"),
        "SeenByProvider": reader.say("first contacts with a doctor"),
        "TestOrdered": reader.say("tests ordered"),
        "TestResulted": reader.say("test results"),
        "DecidedToAdmit": reader.say("decisions to admit"),
        "DecidedToDischarge": reader.say("decisions to discharge"),
        "BedRequested": reader.say("requests for a bed"),
        "BedAssigned": reader.say("beds assigned"),
        "Moved": reader.say("moves"),
        "Departed": reader.say("departures"),
        "LeftWithoutBeingSeen": reader.say("departures without being seen"),
        "LeftDuringCare": reader.say("departures during care"),
        "EnteredWard": reader.say("direct admissions"),
        "LeftWard": reader.say("discharges from wards"),
        "BedStatusChanged": reader.say("bed status"),
        "BedsCounted": reader.say("counts of beds"),
        "StaffOnDuty": reader.say("staff on duty"),
        "ResourceCounted": reader.say("counts of equipment"),
        "CensusObserved": reader.say("census counts"),
        "ArrivalExpected": reader.say("announced arrivals"),
        "Cancelled": reader.say("cancellations"),
        "Changed": reader.say("changes of a visit"),
        "Merged": reader.say("merged visits"),
        "DischargePlanned": reader.say("planned discharges"),
        "StockCounted": reader.say("counts of stocks"),
        "SupplyDelivered": reader.say("deliveries"),
    }.get(kind, kind)


def _catching_up(source: SourceView | Feed, reader: Reader) -> str:
    waiting = reader.count("{n} message waits to be read", "{n} messages wait to be read", source.backlog)
    if source.eta is None:
        return waiting
    return reader.say("{waiting}, done in about {duration}", waiting=waiting, duration=_long(source.eta, reader))


def _long(span: timedelta, reader: Reader) -> str:
    return reader.span(max(span, timedelta(minutes=1)))
