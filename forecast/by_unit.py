"""The forecast by unit: from the members of what is published, so that sums have honest intervals.

Of several wards together the members are added up one by one before anything is told of them: means then add up through
ward, specialty and hospital, and the interval of a sum is that of the sum, not the sum of intervals. A ward that is
over full has 0 free beds, not fewer: its patients cannot lie in another ward's free beds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Literal
from urllib.parse import parse_qs

import numpy as np

from forecast.by_unit_view import QUANTILES, ByUnitView, Counted, Likely, RowKind, UnitRow
from forecast.huddle import at_least, next_morning
from forecast.sheet import LIKELY, SURE
from forecast.values import Array, Forecast, Members
from twin.hospital import Hospital, Unit

MORNING = "morning"
"""What the address says for the next 8 am."""
FIRST_H = 4.0
"""Shown first: so many hours ahead."""
DEPARTMENT: tuple[tuple[Counted, str, str], ...] = (
    ("ed_census", "Présents aux urgences", "Present in the department"),
    ("ed_waiting", "En attente d'un médecin", "Waiting for a practitioner"),
    ("ed_boarders", "En attente d'un lit", "Waiting for a bed"),
)
_HOUR_MIN = 60.0


def by_unit(forecast: Forecast, hospital: Hospital, made_at: datetime, mode: str, query: str = "") -> ByUnitView:
    """The page as its address asks for it: `at=morning` is the next 8 am, `at=6` six hours ahead; `form=quantiles`.

    What the address asks for and the forecast does not reach is the nearest hour that it reaches.
    """
    asked = {name: values[-1] for name, values in parse_qs(query.removeprefix("?")).items()}
    members = next(iter(forecast.members.values()))
    whole = [float(lead) for lead in members.lead_min if lead >= _HOUR_MIN and lead % _HOUR_MIN == 0]
    morning = _morning_lead(forecast, made_at, hospital.zone, members)
    lead = _chosen(asked.get("at", ""), whole or [float(members.lead_min[-1])], morning)
    form: Literal["words", "quantiles"] = "quantiles" if asked.get("form") == "quantiles" else "words"
    hours = {round(one / _HOUR_MIN): _at(forecast, one) for one in whole}
    return ByUnitView(
        made_at, hospital.zone, hospital.name, mode, forecast.issued_at, _at(forecast, lead), hours,
        None if morning is None else _at(forecast, morning),
        members.count, tuple(_rows(members, hospital, lead)), form,
    )  # fmt: skip


def likely(values: Array) -> Likely:
    """What members `(member,)` say."""
    levels = np.quantile(values, QUANTILES)
    found = dict(zip(QUANTILES, levels.tolist(), strict=True))
    return Likely(float(values.mean()), found, at_least(values, SURE), at_least(values, LIKELY))


def _at(forecast: Forecast, lead_min: float) -> datetime:
    return forecast.as_of + timedelta(minutes=lead_min)


def _morning_lead(forecast: Forecast, made_at: datetime, zone: str, members: Members) -> float | None:
    """The step nearest to the next 8 am; None where the forecast ends before it."""
    lead = (next_morning(made_at, zone) - forecast.as_of) / timedelta(minutes=1)
    if lead > members.lead_min[-1]:
        return None
    return float(members.lead_min[int(np.abs(members.lead_min - lead).argmin())])


def _chosen(asked: str, leads: Sequence[float], morning: float | None) -> float:
    """The lead that the address asks for, or the nearest one."""
    if asked == MORNING and morning is not None:
        return morning
    hours = float(asked) if asked.isdecimal() and len(asked) <= 3 else FIRST_H
    return min(leads, key=lambda lead: abs(lead - hours * _HOUR_MIN))


def _rows(members: Members, hospital: Hospital, lead: float) -> Iterator[UnitRow]:
    place = int(np.abs(members.lead_min - lead).argmin())
    for counted, fr, en in DEPARTMENT:
        if (values := members.measures.get(counted)) is not None:
            yield UnitRow("department", counted, fr, en, None, likely(values[place]))
    for counted in ("free", "patients"):
        yield from _of_wards(members, hospital.wards, place, counted)


def _of_wards(members: Members, wards: Sequence[Unit], place: int, counted: Counted) -> Iterator[UnitRow]:
    """Each ward that the members know, each specialty of two wards or more, all together."""
    prefix = "beds_free:" if counted == "free" else "census:"
    known = [ward for ward in wards if f"{prefix}{ward.name}" in members.measures]
    groups: dict[tuple[str, str], list[Unit]] = {}
    for ward in known:
        groups.setdefault(ward.group or ("", ""), []).append(ward)

    def row(kind: RowKind, fr: str, en: str, some: Sequence[Unit]) -> UnitRow:
        each = [members.measures[f"{prefix}{ward.name}"][: place + 1] for ward in some]
        total = sum((np.maximum(values, 0.0) for values in each), np.zeros(1))
        through = likely(total.min(axis=0)) if counted == "free" else None
        beds = sum(ward.places for ward in some) if counted == "free" else None
        return UnitRow(kind, counted, fr, en, beds, likely(total[-1]), through)

    yield from (row("ward", ward.fr, ward.en, [ward]) for ward in known)
    for (fr, en), some in groups.items():
        if fr and len(some) > 1:
            yield row("group", fr, en, some)
    if len(known) > 1:
        yield row("all", "Tous les services", "All wards", known)
