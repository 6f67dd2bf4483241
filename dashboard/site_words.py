"""A site told in sentences: hospital, staff by the hour, path stage by stage, load, what is doubtful.

Made of an `Explained` (twin/explained.py), for a page and for `edtwin doctor` alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dashboard.words import Reader
from twin.explanation import Doubt, Explained, Load, Place, Roster, Step, Way

DAY_MIN, HOUR_MIN = 1440.0, 60.0
_IN_DAYS_MIN = 1.5 * DAY_MIN
_IN_HOURS_MIN = 3 * HOUR_MIN
_HOURS_A_DAY = 24


@dataclass(frozen=True)
class Section:
    """Sentences under a title."""

    name: str
    """Stable, for programs: doubts, hospital, staff, arrivals, path, wards, load, no_limit."""
    title: str
    sentences: tuple[str, ...]


def told(explained: Explained, reader: Reader) -> tuple[Section, ...]:
    """The whole account, what is doubtful first; sections without a sentence are left out."""
    sections = (
        Section("doubts", reader.say("What is unusual or doubtful"), _doubts(explained, reader)),
        Section("hospital", reader.say("The hospital"), tuple(_hospital(explained, reader))),
        Section(
            "staff",
            reader.say("Staff and equipment by the hour"),
            (*(roster_words(roster, reader) for roster in explained.rosters), *_supposed(explained, reader)),
        ),
        Section("arrivals", reader.say("Who comes"), tuple(_arrivals(explained, reader))),
        Section("path", reader.say("The path, stage by stage"), _path(explained, reader)),
        Section("wards", reader.say("The wards"), _wards(explained, reader)),
        Section("load", reader.say("What is asked of it, on average"), tuple(_loads(explained, reader))),
        Section("no_limit", reader.say("What has no limit"), tuple(_no_limit(explained, reader))),
    )
    return tuple(section for section in sections if section.sentences)


# --- names ------------------------------------------------------------------------------------------------------


def name_of(named: Place | Roster | Step, reader: Reader) -> str:
    """The name of a unit, a roster or a stage in the reader's language."""
    return reader.choice(named.fr, named.en)


def pool_name(explained: Explained, pool: str, reader: Reader) -> str:
    """What is queued for, in words: "beds of Medicine", "Emergency doctors"."""
    asked = explained.pool(pool)
    name = reader.choice(asked.fr, asked.en)
    return {
        "wanted": reader.say("a bed of the ward wanted"),
        "beds": reader.say("beds of {unit}", unit=name),
        "spaces": reader.say("spaces of {unit}", unit=name),
        "care": reader.say("places in the care of {pool}", pool=name),
        "staff": name,
    }[asked.kind]


def about(explained: Explained, doubt: Doubt, reader: Reader) -> str:
    """What a doubt is about, in words."""
    if doubt.kind == "stage_never":
        return name_of(explained.step(doubt.about), reader)
    if doubt.kind in ("ward_never", "unit_never"):
        return name_of(explained.place(doubt.about), reader)
    return pool_name(explained, doubt.about, reader)


def lasting(minutes: float, reader: Reader) -> str:
    """A length of time as one speaks of it: "35 min", "2 h 10", "9 h", "4.6 days"."""
    if minutes >= _IN_DAYS_MIN:
        return reader.say("{n} days", n=reader.number(minutes / DAY_MIN, 1))
    if minutes >= _IN_HOURS_MIN:
        return reader.say("{n} h", n=reader.number(minutes / HOUR_MIN, 1))
    return reader.duration(round(minutes))


def share(part: float, reader: Reader) -> str:
    """A share in per cent, to a tenth below 10 %, to a hundredth (but no less than one) below 0.1 %."""
    if 0 < part < 0.00095:
        return _percent(max(100 * part, 0.01), 2, reader)
    return _percent(100 * part, 1 if part < 0.0995 else 0, reader)


def _percent(value: float, digits: int, reader: Reader) -> str:
    return reader.percent(0).replace(reader.number(0), reader.number(value, digits))


def listed(parts: Sequence[str], reader: Reader) -> str:
    """ "a, b and c"."""
    if len(parts) < 2:
        return "".join(parts)
    return reader.say("{several} and {last}", several=", ".join(parts[:-1]), last=parts[-1])


# --- the hospital -----------------------------------------------------------------------------------------------


def _hospital(explained: Explained, reader: Reader) -> Iterator[str]:
    areas = [place for place in explained.places if not place.ward]
    wards = [place for place in explained.places if place.ward]
    known = [ward for ward in wards if ward.places is not None]
    if areas:
        said = listed([_places(place, reader) for place in areas], reader)
        yield reader.say("{name}: the emergency department has {areas}.", name=explained.name, areas=said)
    if areas and explained.treatment_spaces:
        yield reader.count("{n} of these is a treatment space.", "{n} of these are treatment spaces.",
                           explained.treatment_spaces)  # fmt: skip
    if known:
        beds = reader.count("{n} bed", "{n} beds", sum(ward.places or 0 for ward in known))
        said = listed([_places(ward, reader) for ward in known], reader)
        if areas:
            yield reader.say("Behind it stand wards with {beds}: {wards}.", beds=beds, wards=said)
        else:
            yield reader.say("{name} has wards with {beds}: {wards}.", name=explained.name, beds=beds, wards=said)
    unknown = [name_of(ward, reader) for ward in wards if ward.places is None]
    if unknown:
        yield reader.say("Nobody says how many beds these wards have: {wards}.", wards=listed(unknown, reader))
    for ward in (ward for ward in wards if ward.overflow):
        others = [name_of(explained.place(other), reader) for other in ward.overflow]
        yield reader.say("When it is full, patients of {ward} may lie in {wards}.", ward=name_of(ward, reader),
                         wards=listed(others, reader))  # fmt: skip
    held = [f"{name_of(ward, reader)} ({reader.number(ward.held_back)})" for ward in wards if ward.held_back]
    if held:
        yield reader.say("Beds that nobody gets though patients wait for them: {wards}.", wards=listed(held, reader))


def _places(place: Place, reader: Reader) -> str:
    return f"{name_of(place, reader)} ({reader.number(place.places)})"


def roster_words(pool: Roster, reader: Reader) -> str:
    """ "Emergency doctors: 4 from 0 to 8 h, 6 from 8 to 10 h ..; at weekends .."."""
    name, week = name_of(pool, reader), hours_words(pool.weekday, reader)
    if pool.weekend == pool.weekday:
        said = reader.say("{pool}: {hours}.", pool=name, hours=week)
    else:
        weekend = hours_words(pool.weekend, reader)
        said = reader.say("{pool}: {hours}; at weekends {weekend}.", pool=name, hours=week, weekend=weekend)
    if pool.caseload is not None:
        said += " " + reader.count("Each looks after {n} patient at once.", "Each looks after {n} patients at once.",
                                   pool.caseload)  # fmt: skip
    return said


def hours_words(counts: Sequence[int], reader: Reader) -> str:
    """How many by the hour, one stretch after the other; a night that goes on past midnight is one stretch."""
    if len(set(counts)) == 1:
        return reader.say("{n} at all hours", n=reader.number(counts[0]))
    starts = [hour for hour in range(len(counts)) if counts[hour] != counts[hour - 1]]
    ends = [*starts[1:], starts[0]]
    return ", ".join(
        reader.say("{n} from {start} to {end} h", n=reader.number(counts[start]), start=start, end=end or _HOURS_A_DAY)
        for start, end in zip(starts, ends, strict=True)
    )


# --- who comes, and the path ------------------------------------------------------------------------------------


def _arrivals(explained: Explained, reader: Reader) -> Iterator[str]:
    yield reader.say("{n} patients come to the emergency department on an average day.",
                     n=reader.number(explained.arrivals_a_day))  # fmt: skip
    if explained.planned_a_day > 0:
        yield reader.say("{n} a day come by appointment, straight to a ward.",
                         n=reader.number(explained.planned_a_day, 1))  # fmt: skip


def _path(explained: Explained, reader: Reader) -> tuple[str, ...]:
    told_of = [step for step in explained.steps if step.a_day > 0 or not explained.learned]
    return tuple(stage_words(explained, step, reader) for step in told_of)


def stage_words(explained: Explained, step: Step, reader: Reader) -> str:
    """A stage's sentences: who comes, what is waited for, how long it lasts, where it leads."""
    return reader.say(
        "{stage}: {sentences}", stage=name_of(step, reader), sentences=" ".join(_of_stage(explained, step, reader))
    )


def _of_stage(explained: Explained, step: Step, reader: Reader) -> Iterator[str]:
    if step.a_day <= 0:
        yield reader.say("nobody comes here.")
        return
    yield _who(step, reader)
    if step.queues_for:
        pools = [pool_name(explained, pool, reader) for pool in step.queues_for]
        yield reader.say("They wait for: {pools}.", pools=listed(pools, reader))
    if step.leaves_unseen:
        yield reader.say("Who waits too long leaves without being seen.")
    if step.overflows_after_min is not None and any(place.overflow for place in explained.places):
        yield reader.say("Who still waits after {duration} may lie in another ward.",
                         duration=lasting(step.overflows_after_min, reader))  # fmt: skip
    if step.lasts_min is not None:
        yield reader.say("It lasts {duration} (half take longer).", duration=lasting(step.lasts_min, reader))
    if step.ways:
        yield _onward(explained, step.ways, reader)


def _who(step: Step, reader: Reader) -> str:
    if step.enters == "planned":
        return reader.say("{n} patients a day enter here by appointment.", n=reader.number(step.a_day, 1))
    if step.enters == "asked":
        return reader.say("the wards ask for {n} a day.", n=reader.number(step.a_day, 1))
    if step.enters == "arrives" or step.share > 0.9995:
        return reader.say("everyone comes here, {n} a day.", n=reader.number(step.a_day))
    if not step.ways:
        return reader.say("{share} end here, {n} a day.", share=share(step.share, reader), n=_a_day(step.a_day, reader))
    return reader.say("{share} come here, {n} a day.", share=share(step.share, reader), n=_a_day(step.a_day, reader))


def _a_day(number: float, reader: Reader) -> str:
    return reader.number(number, 0 if number >= 10 else 1 if number >= 0.1 else 2)


def _onward(explained: Explained, ways: Sequence[Way], reader: Reader) -> str:
    used = sorted((way for way in ways if way.share > 0), key=lambda way: -way.share)
    names = [name_of(explained.step(way.to), reader) for way in used]
    if len(used) == 1:
        return reader.say("Then: {stage}.", stage=names[0])
    parts = [f"{name} {share(way.share, reader)}" for name, way in zip(names, used, strict=True)]
    return reader.say("Then: {stages}.", stages=", ".join(parts))


def _wards(explained: Explained, reader: Reader) -> tuple[str, ...]:
    """Who enters each ward, and how long they stay."""
    return tuple(
        reader.say("{ward}: {n} a day enter and stay {duration} (half stay longer).",
                   ward=name_of(explained.place(stay.ward), reader), n=reader.number(stay.a_day, 1),
                   duration=lasting(stay.lasts_min, reader))
        for stay in explained.stays
    )  # fmt: skip


# --- load -------------------------------------------------------------------------------------------------------


def _loads(explained: Explained, reader: Reader) -> Iterator[str]:
    for load in explained.loads:
        if load.there is not None and load.share is not None:
            yield load_words(explained, load, reader)
    beds = [load for load in explained.loads if load.kind == "beds" and load.share is not None]
    if len(beds) > 1:
        asked, there = sum(load.asked or 0.0 for load in beds), sum(load.there or 0.0 for load in beds)
        figures = {"asked": reader.number(asked), "there": reader.number(there), "share": share(asked / there, reader)}
        yield reader.say("All these beds together: {asked} of {there} in use on average, {share}.", **figures)
    if any(load.share is not None for load in explained.loads):
        yield reader.say(
            "These are arrivals x share x duration against what is there (Little's law), without the waits: who waits "
            "holding a space or a bed comes on top."
        )


def load_words(explained: Explained, load: Load, reader: Reader) -> str:
    """ "Emergency doctors: 4.0 of 5.7 busy on average, 70 %; 96 % from 8 to 12 h"."""
    said = reader.say(
        "{pool}: {asked} of {there} in use on average, {share}",
        pool=_capital(pool_name(explained, load.pool, reader)), asked=reader.number(load.asked, 1),
        there=reader.number(load.there, 1), share=share(load.share or 0.0, reader),
    )  # fmt: skip
    if load.busiest is None:
        return f"{said}."
    start, end, busiest = load.busiest
    return reader.say("{said}; {share} from {start} to {end} h.", said=said, share=share(busiest, reader), start=start,
                      end=end or _HOURS_A_DAY)  # fmt: skip


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _supposed(explained: Explained, reader: Reader) -> Iterator[str]:
    for pool, fewest, most in explained.supposed:
        name = _capital(pool_name(explained, pool, reader))
        yield reader.say("{pool}: nobody says how many there are; patients are seen as if there were {fewest} to "
                         "{most}.", pool=name, fewest=fewest, most=most)  # fmt: skip


def _no_limit(explained: Explained, reader: Reader) -> Iterator[str]:
    asked = [explained.pool(pool) for pool in explained.no_limit]
    wards = [reader.choice(one.fr, one.en) for one in asked if one.kind == "beds"]
    beds = [reader.say("beds of {unit}", unit=listed(wards, reader))] if wards else []
    for name in (*beds, *(pool_name(explained, one.pool, reader) for one in asked if one.kind != "beds")):
        yield reader.say("{pool}: nobody says how many there are, so nobody queues for them.", pool=_capital(name))
    free = [step for step in explained.steps if step.lasts_min and step.a_day > 0 and not step.is_limited]
    if free:
        names = [name_of(step, reader) for step in free]
        yield reader.say("These stages take time but nothing is queued for: {stages}.", stages=listed(names, reader))


# --- doubts -----------------------------------------------------------------------------------------------------


def _doubts(explained: Explained, reader: Reader) -> tuple[str, ...]:
    return tuple(doubt_words(explained, doubt, reader) for doubt in explained.doubts)


def doubt_words(explained: Explained, doubt: Doubt, reader: Reader) -> str:
    """What is doubtful and what it means, in one or two sentences."""
    name, part = about(explained, doubt, reader), share(doubt.share or 0.0, reader)
    start, end = doubt.hours or (0, 0)
    words = {
        "overloaded": reader.say(
            "{name}: {share} of what is there is asked for. More work comes in than can be done: the queue grows "
            "without end. Check the number, the arrivals and the durations.",
            name=_capital(name), share=part,
        ),
        "spills_over": reader.say(
            "{name}: {share} of what is there is asked for. They cannot all lie there: the others lie in other wards, "
            "or wait.",
            name=_capital(name), share=part,
        ),
        "nearly_full": reader.say(
            "{name}: {share} of what is there is in use even if nobody ever waited. Waits will be long.",
            name=_capital(name), share=part,
        ),
        "busy_hours": reader.say(
            "{name}: from {start} to {end} h {share} of what those on duty can do comes in. It can be made up for "
            "later, so waits grow by then.",
            name=_capital(name), share=part, start=start, end=end or _HOURS_A_DAY,
        ),
        "hardly_used": reader.say(
            "{name}: only {share} in use on average. Are so many really there, or does somebody else use them?",
            name=_capital(name), share=part,
        ),
        "nobody_there": reader.say(
            "{name}: the path asks for them, but the number is 0 at all hours. Whoever asks waits for ever.",
            name=_capital(name),
        ),
        "ward_never": reader.say("{name}: nobody is ever sent to this ward.", name=name),
        "unit_never": reader.say("{name}: no stage of the path happens in this unit.", name=name),
        "pool_never": reader.say(
            "{name}: nobody queues for them, so their number changes nothing.", name=_capital(name)
        ),
        "stage_never": reader.say("{name}: nobody ever comes to this stage.", name=name),
        "never_ends": reader.say(
            "{name}: no stay there has ever ended in the data, so nothing can be said of its beds.",
            name=_capital(name),
        ),
    }  # fmt: skip
    return words[doubt.kind]
