"""The huddle sheet made: a published forecast read until 8 am, ward by ward, and held against the last sheet.

Whatever is joint (the least over a span, sums of wards, flows, peaks, chances) is read from the members of the forecast
as published; quantiles are never added. Means add up: wards to their group, groups to the hospital.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from forecast.board import Feed, Skill
from forecast.ensemble import Run
from forecast.errors import ForecastError
from forecast.peaks import peak_ahead
from forecast.sheet import (
    LIKELY,
    SURE,
    Change,
    ChangeKind,
    Department,
    Flow,
    FreeBeds,
    Line,
    Peak,
    Sheet,
    Spread,
    Standing,
)
from forecast.situation import Situation
from forecast.values import Array, Forecast, Members, Series
from forecast.wall import Made
from forecast.ward_flows import COMING, FLOWS, Span, ward_flows
from ingest.clock import local, resolve
from twin.hospital import Unit
from twin.story import NOWHERE
from twin.waits import BED

MORNING_H = 8
"""Local hour until which a sheet looks."""
LATEST = timedelta(hours=2)
"""So long after a huddle's hour its sheet is still made."""
HOUR_MIN = 60.0
WARDS_CHANGED = 3
"""Of single wards the largest changes are told, so many."""
_MIN = timedelta(minutes=1)


# --- when ---------------------------------------------------------------------------------------------------------


def due(now: datetime, zone: str, hours: Sequence[str]) -> datetime | None:
    """The last huddle that was due by now, if that is not too long ago; `hours` are local times like "8:00".

    A time that stands twice in the night is taken the first time; one that is left out, when it would have come.
    """
    today = local(now, zone).replace(tzinfo=None, hour=0, minute=0, second=0, microsecond=0)
    times = [resolve(today + timedelta(days=day) + _of_day(text), zone)[0] for day in (-1, 0) for text in hours]
    past = [at for at in times if at <= now < at + LATEST]
    return max(past, default=None)


def _of_day(text: str) -> timedelta:
    hour, _, minute = text.partition(":")
    return timedelta(hours=int(hour), minutes=int(minute or 0))


def next_morning(at: datetime, zone: str) -> datetime:
    """The next 8 am after an instant."""
    today = local(at, zone).replace(tzinfo=None, minute=0, second=0, microsecond=0)
    mornings = [resolve(today.replace(hour=MORNING_H) + timedelta(days=day), zone)[0] for day in (0, 1)]
    return next(morning for morning in mornings if morning > at).astimezone(UTC)


# --- the span -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Span:
    """The part of a published forecast that a sheet reads: its members between two leads, and where flows begin."""

    forecast: Forecast
    members: Members
    first: int
    last: int

    @property
    def leads(self) -> Array:
        """The leads of the span, both ends with it."""
        return self.members.lead_min[self.first : self.last + 1]

    def at(self, lead_min: float) -> datetime:
        """The valid time of a lead."""
        return self.forecast.as_of + float(lead_min) * _MIN

    def values(self, measure: str) -> Array | None:
        """A measure over the span, `(lead, member)`; None where it does not exist."""
        found = self.members.measures.get(measure)
        return None if found is None else found[self.first : self.last + 1]

    @property
    def flows_from_min(self) -> float:
        """Whole hours before its end."""
        first, last = float(self.leads[0]), float(self.leads[-1])
        return last - (last - first) // HOUR_MIN * HOUR_MIN

    def hourly(self) -> list[int]:
        """The places in the span at which the hours of the flows end; empty where steps do not divide the hour."""
        ends = np.arange(self.flows_from_min + HOUR_MIN, float(self.leads[-1]) + 1e-6, HOUR_MIN)
        found = [np.flatnonzero(np.isclose(self.leads, end)) for end in ends]
        return [int(place[0]) for place in found] if all(place.size for place in found) else []


def _span(forecast: Forecast, made_at: datetime, zone: str) -> _Span:
    """From the step nearest to now to the one nearest to 8 am, or to the forecast's end."""
    members = next(iter(forecast.members.values()))
    leads = members.lead_min
    first, last = (
        int(np.abs(leads - (at - forecast.as_of) / _MIN).argmin()) for at in (made_at, next_morning(made_at, zone))
    )
    if last <= first:
        raise ForecastError(
            f"the forecast of {forecast.as_of:%Y-%m-%d %H:%M} UTC does not reach beyond {made_at:%Y-%m-%d %H:%M} UTC: "
            "no huddle sheet can be made of it"
        )
    return _Span(forecast, members, first, last)


# --- the sheet ----------------------------------------------------------------------------------------------------


def make_sheet(
    made: Made, feed: Feed, due_at: datetime, made_at: datetime, *, mode: str, previous: Sheet | None = None,
    executor: Executor | None = None,
) -> Sheet:  # fmt: skip
    """The sheet of a huddle from the forecast published last; raises ForecastError where that has no time left.

    `previous` is the sheet before, which it is held against.
    """
    hospital = made.situation.calibration.hospital
    span = _span(made.forecast, made_at, hospital.zone)
    sheet = Sheet(
        due_at=due_at,
        made_at=made_at,
        issued_at=made.forecast.issued_at,
        from_at=span.at(span.leads[0]),
        until_at=span.at(span.leads[-1]),
        flows_from_at=span.at(span.flows_from_min),
        hospital=hospital.name,
        zone=hospital.zone,
        mode=mode,
        standing=_standing(made, feed, span),
        department=_department(span, made.usual, made.situation),
        lines=tuple(_lines(made, span, executor)),
    )
    if previous is None:
        return sheet
    return replace(sheet, previous_at=previous.due_at, changes=tuple(changes(previous, sheet)))


def _standing(made: Made, feed: Feed, span: _Span) -> Standing:
    skill = _nearest(made.skills, float(span.leads[-1]))
    return Standing(
        state=feed.state,
        heard_at=feed.heard_at,
        complete_until=made.situation.as_of,
        members=span.members.count,
        recalibrated_days=made.forecast.provenance["recalibration"]["days"],
        skill=skill.skill["climatology"] if skill else None,
        skill_lead_min=skill.lead_min if skill else None,
    )


def _nearest(skills: Sequence[Skill], lead_min: float) -> Skill | None:
    known = [s for s in skills if s.measure == "ed_census" and s.n and np.isfinite(s.skill.get("climatology", np.nan))]
    return min(known, key=lambda s: abs(s.lead_min - lead_min), default=None)


# --- the department -----------------------------------------------------------------------------------------------


def _department(span: _Span, usual: Mapping[str, Series], situation: Situation) -> Department:
    census, boarders = span.values("ed_census"), span.values("ed_boarders")
    assert census is not None
    arrivals = _sum(span, "ed_arrivals")
    net = census[-1] - census[_place(span, span.flows_from_min)]
    return Department(
        present=_mean(census[0]),
        waiting=_now(span, "ed_waiting"),
        boarders=_now(span, "ed_boarders"),
        boarders_end=None if boarders is None else _spread(boarders[-1]),
        boarders_peak=None if boarders is None else _peak(span, boarders),
        arrivals=None if arrivals is None else _spread(arrivals),
        departures=None if arrivals is None else _spread(arrivals - net),
        net=_spread(net),
        peak=_peak(span, census),
        usual_peak=_usual_peak(span, usual),
        ward_not_told=_ward_not_told(situation),
    )


def _now(span: _Span, measure: str) -> float | None:
    found = span.values(measure)
    return None if found is None else _mean(found[0])


def _sum(span: _Span, measure: str) -> Array | None:
    """How many came in the hours of the flows, `(member,)`."""
    found, ends = span.values(measure), span.hourly()
    return None if found is None or not ends else np.asarray(found[ends].sum(axis=0))


def _place(span: _Span, lead_min: float) -> int:
    return int(np.abs(span.leads - lead_min).argmin())


def _peak(span: _Span, values: Array) -> Peak:
    """The highest value of each member after the first instant, and when; the first of several."""
    lead, three = peak_ahead(values, span.leads)
    return Peak(span.at(lead), *three)


def _usual_peak(span: _Span, usual: Mapping[str, Series]) -> float | None:
    """The highest median of what is usual, which is told from the first lead after 0 on."""
    if "ed_census" not in usual:
        return None
    median = usual["ed_census"].quantiles[0.5][max(span.first - 1, 0) : span.last]
    return float(np.nanmax(median)) if np.isfinite(median).any() else None


# --- the wards ----------------------------------------------------------------------------------------------------


def _lines(made: Made, span: _Span, executor: Executor | None) -> Iterator[Line]:
    """Each ward; each group of two wards or more, in the order of their first wards; all."""
    c = made.situation.calibration
    wards = c.hospital.wards
    flows, decided = _flows(made, span, executor), _decided(made.situation)
    groups: dict[tuple[str, str], list[int]] = {}
    for place, ward in enumerate(wards):
        groups.setdefault(ward.group or ("", ""), []).append(place)

    def line(of: dict[str, Any], places: Sequence[int]) -> Line:
        chosen = [wards[place] for place in places]
        beds = sum(w.places for w in chosen) if all(w.name in c.beds_known for w in chosen) else None
        free = _free_beds(span, chosen) if beds is not None else None
        return Line(**of, beds=beds, free=free, flow=_flow(flows[:, places]), decided=float(decided[places].sum()))

    for place, ward in enumerate(wards):
        yield line({"kind": "ward", "fr": ward.fr, "en": ward.en}, [place])
    for (fr, en), places in groups.items():
        if len(places) > 1 and fr:
            yield line({"kind": "group", "fr": fr, "en": en}, places)
    yield line({"kind": "all", "fr": "Tous les services", "en": "All wards"}, range(len(wards)))


def _flows(made: Made, span: _Span, executor: Executor | None) -> Array:
    """`(flow, ward, member)`, of the members that the forecast was made of."""
    forecast, situation = made.forecast, made.situation
    behind_min = (forecast.as_of - situation.as_of) / _MIN
    how = Run(**forecast.provenance["run"])
    longer = replace(how, horizon_min=how.horizon_min + behind_min)
    within = Span(behind_min + span.flows_from_min, behind_min + float(span.leads[-1]))
    usual = made.scenarios[0].delayed(behind_min)
    return ward_flows(situation, usual, longer, within, executor=executor)


def _flow(flows: Array) -> Flow:
    """The flows of some wards, `(flow, ward, member)`, added up member by member."""
    total = flows.sum(axis=1)
    told = dict(zip(FLOWS, total.mean(axis=1).tolist(), strict=True))
    return Flow(**told, net=_spread(total[:COMING].sum(axis=0) - total[COMING:].sum(axis=0)))


def _decided(situation: Situation) -> Array:
    """How many wait in the department for a bed of each ward, `(ward,)`, each as far as it is likely still here.

    Whose ward is not known yet is in none.
    """
    known, units = situation.known, situation.calibration.hospital.units
    waits = (known.situation == BED) & (known.unit != NOWHERE)
    of_unit = np.bincount(known.unit[waits], weights=known.p_here[waits], minlength=len(units))
    return np.array([of_unit[code] for code, unit in enumerate(units) if unit.ward])


def _ward_not_told(situation: Situation) -> float:
    """How many wait for a bed of a ward that is not known yet, each as far as it is likely still here."""
    known = situation.known
    return float(known.p_here[(known.situation == BED) & (known.unit == NOWHERE)].sum())


def _free_beds(span: _Span, wards: Sequence[Unit]) -> FreeBeds:
    """Free beds of some wards together, ward by ward never below 0, member by member."""
    each = [span.values(f"beds_free:{ward.name}") for ward in wards]
    free = sum((np.maximum(values, 0.0) for values in each if values is not None), np.zeros(1))
    least = free.min(axis=0)
    return FreeBeds(
        now=_mean(free[0]),
        throughout_sure=at_least(least, SURE),
        throughout_likely=at_least(least, LIKELY),
        end_sure=at_least(free[-1], SURE),
        end_likely=at_least(free[-1], LIKELY),
        end_mean=_mean(free[-1]),
        p_none=float((least <= 0).mean()),
    )


def at_least(values: Array, chance: float) -> int:
    """The largest N such that a share of `chance` of the members have N or more, `(member,)`."""
    rising = np.sort(np.floor(values + 1e-9))
    return int(rising[int(np.floor((1.0 - chance) * rising.size + 1e-9))])


def _mean(values: Array) -> float:
    return float(values.mean())


def _spread(values: Array) -> Spread:
    low, high = np.quantile(values, (0.1, 0.9))
    return Spread(_mean(values), float(low), float(high))


# --- what changed -------------------------------------------------------------------------------------------------


def changes(before: Sheet, now: Sheet) -> Iterator[Change]:
    """The numbers of the last sheet beside those of this one, what both have; of the hours ahead only where both look
    to the same end."""
    then, here = before.department, now.department
    yield Change("present", then.present, here.present)
    yield from _both("waiting", then.waiting, here.waiting)
    yield from _both("boarders", then.boarders, here.boarders)
    old, new = before.all.free, now.all.free
    if old is not None and new is not None:
        yield Change("free", old.now, new.now)
        if before.until_at <= now.from_at + timedelta(hours=1):
            yield Change("foreseen", old.end_mean, new.now)
    if abs(before.until_at - now.until_at) < timedelta(hours=1):
        yield Change("peak", then.peak.median, here.peak.median)
        if old is not None and new is not None:
            yield Change("likely", old.end_likely, new.end_likely)
            yield Change("sure", old.end_sure, new.end_sure)
            yield Change("end", old.end_mean, new.end_mean)
    yield from _wards_changed(before, now)


def _both(what: ChangeKind, before: float | None, now: float | None) -> Iterator[Change]:
    if before is not None and now is not None:
        yield Change(what, before, now)


def _wards_changed(before: Sheet, now: Sheet) -> list[Change]:
    """The wards whose free beds changed most, by a whole bed at least."""
    old = {line.en: line.free for line in before.lines if line.kind == "ward"}
    found = [
        Change("ward_free", was.now, line.free.now, line.fr, line.en)
        for line in now.lines
        if line.kind == "ward" and line.free is not None and (was := old.get(line.en)) is not None
    ]
    return sorted((c for c in found if abs(c.by) >= 1), key=lambda c: -abs(c.by))[:WARDS_CHANGED]
