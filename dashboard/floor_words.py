"""What the page of the floor says: stages, zones, beds, what is likely, and the words that its script needs."""

from __future__ import annotations

from collections.abc import Sequence

from dashboard.words import NBSP, Reader
from forecast.floor_view import STAGES, BedStrip, Dot, FloorView, Likely, Stage, Zone

SPEEDS = (5, 15, 60)
"""Minutes of the day that are played in a second."""


def stage_name(stage: Stage, reader: Reader) -> str:
    """What a patient waits for."""
    return {
        "triage": reader.say("Waiting for triage"),
        "provider": reader.say("Waiting for a doctor"),
        "decision": reader.say("In care"),
        "departure": reader.say("About to leave"),
        "bed": reader.say("Waiting for a ward bed"),
    }[stage]


def zone_name(zone: Zone, zones: Sequence[Zone], reader: Reader) -> str:
    """An area's name, or the stage of those whose place is not told."""
    if zone.stage is None:
        return reader.choice(zone.fr, zone.en)
    name = stage_name(zone.stage, reader)
    are_told = any(other.stage is None and other.is_told for other in zones)
    return reader.say("{stage}, place not told", stage=name) if are_told else name


def headline(view: FloorView, reader: Reader) -> str:
    """How many are here, and what most of them wait for, in one sentence."""
    dots = view.dots
    if not dots:
        return reader.say("Nobody is in the department.")
    here = reader.count("{n} patient in the department", "{n} patients in the department", len(dots))
    return f"{here}{reader.choice(NBSP, '')}: {by_stage(dots, reader)}."


def by_stage(dots: Sequence[Dot], reader: Reader) -> str:
    """How many are in each stage that anybody is in."""
    counts = {stage: sum(dot.stage == stage for dot in dots) for stage in STAGES}
    names = {stage: stage_name(stage, reader) for stage in STAGES}
    return ", ".join(f"{names[s][:1].lower()}{names[s][1:]} {reader.number(n)}" for s, n in counts.items() if n)


def longest(dots: Sequence[Dot]) -> float | None:
    """The longest time in a stage among some; None of nobody."""
    return max((dot.elapsed_min for dot in dots), default=None)


def gone(view: FloorView, reader: Reader) -> str | None:
    """Those without an exit on record who are not drawn."""
    if not view.likely_gone:
        return None
    return reader.count(
        "{n} more has no exit on record and is more likely gone than here: taken to have left after the usual time.",
        "{n} more have no exit on record and are more likely gone than here: taken to have left after the usual time.",
        view.likely_gone,
    )


def range_said(likely: Likely, reader: Reader) -> str:
    """8 in 10, in whole numbers."""
    low, high = reader.number(likely.low), reader.number(likely.high)
    if low == high:
        return reader.say("8 chances in 10: {n}", n=low)
    return reader.say("8 chances in 10: {low} to {high}", low=low, high=high)


def beds_said(strip: BedStrip, reader: Reader) -> list[str]:
    """A ward's beds by state; what is not known is said to be so."""
    unknown = reader.say("not told")

    def told(n: int | None) -> str:
        return unknown if n is None else reader.number(n)

    over = strip.free is not None and strip.free < 0
    free = reader.say("{n} too many", n=reader.number(-(strip.free or 0))) if over else told(strip.free)
    return [
        reader.say("{n} occupied", n=told(strip.occupied)),
        free if over else reader.say("{n} free", n=free),
        reader.say("{n} being cleaned", n=told(strip.cleaning)),
        reader.say("{n} closed", n=told(strip.closed)),
    ]


def script_words(view: FloorView, reader: Reader) -> dict[str, object]:
    """What the script says by itself, in the reader's language."""
    heard_at = view.board.feed.heard_at or view.made_at
    return {
        "stages": {stage: stage_name(stage, reader) for stage in STAGES},
        "untold": reader.text("{stage}, place not told"),
        "one": reader.count("{n} patient here", "{n} patients here", 1).replace(reader.number(1), "{n}", 1),
        "many": reader.count("{n} patient here", "{n} patients here", 2).replace(reader.number(2), "{n}", 1),
        "nobody": reader.say("nobody"),
        "of": reader.text("{n} of {spaces}"),
        "not_told": reader.say("the log does not tell who is here"),
        "said": reader.text("{stage}: {n}, the longest {longest}"),
        "usual": reader.text("usually half less than {median}, 9 in 10 less than {nine}"),
        "no_usual": reader.say("what is usual is not known yet"),
        "touch": reader.say("Touch a zone: it says how many, for how long, and what is usual."),
        "live": reader.say("Now"),
        "as_of": reader.text("Now: as known at {time}"),
        "last_known": reader.say("Last known: at {time}", time=reader.clock(heard_at)),
        "off": reader.say("Not known now: no data come in. The day before can still be played."),
        "played": reader.text("Played: {day}, {time}"),
        "ahead": reader.say("In 2 h"),
        "play": reader.say("Play"),
        "pause": reader.say("Pause"),
        "time": reader.say("Time of the day"),
        "day": reader.say("Day"),
        "speed": reader.say("Speed"),
        "a_second": reader.text("{n} min/s"),
        "speeds": list(SPEEDS),
        "failed": reader.say("This day cannot be had now."),
        "days_one": reader.count("{n} day", "{n} days", 1).replace(reader.number(1), "{n}", 1),
        "days_many": reader.count("{n} day", "{n} days", 2).replace(reader.number(2), "{n}", 1),
    }
