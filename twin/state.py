"""THE STATE AS OF t: a pure fold of events.

A `State` is a join: for every event it keeps the highest version that was told. Joins commute and repeat without
effect, so the state depends on the *set* of events known and not on their order; and it
grows by whatever became known since. What a visit is (a `Visit`) is derived from its events, sorted in the world's
time, and remembered until another event touches it.

Two corrections need more than one event to be understood, and are settled here, as functions of the set too. A
cancellation of "the last move" (`twin/latest.py`) strikes the last that stands. A merge that would close a circle is
refused: of the merges in the circle, the one told last.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import Any, TypeVar

from ingest.events import (
    BOARD,
    CONTENT_FREE_FIELDS,
    RANK,
    Cancelled,
    Event,
    EventId,
    Merged,
    SupplyEvent,
    VisitEvent,
    VisitId,
)
from ingest.hl7_ids import visit_of_target
from twin.boarding import Endings
from twin.latest import undone
from twin.renumbered import superseded
from twin.visit import Visit
from twin.visit_story import visit_of
from twin.visit_told import Told, all_told

Version = tuple[datetime, int, str]
"""When it was recorded (else known), the position in the source, and the content, which settles what is left."""
Key = TypeVar("Key")
_MODULUS = 1 << 256
_EVER = datetime.min.replace(tzinfo=UTC)
LATELY = timedelta(days=8)
"""For so long visits that are over are kept at hand."""
_SORTED_EVERY = timedelta(days=1)
_READ: dict[type[Event], Callable[[Event], tuple[Any, ...]]] = {}
"""How to read the content of each kind of event; made once a kind."""


@dataclass(frozen=True, eq=False)
class State:
    """What is known at an instant: the winning version of every event, and what visits and places it amounts to."""

    events: Mapping[EventId, Event] = field(default_factory=dict)
    cancellations: Mapping[EventId, frozenset[EventId]] = field(default_factory=dict)
    """Target to the ids of the events that cancel it, or did in an earlier version."""
    by_visit: Mapping[VisitId, frozenset[EventId]] = field(default_factory=dict)
    """Visit to the ids of its events, or of those that were its own in an earlier version."""
    merges: Mapping[VisitId, frozenset[EventId]] = field(default_factory=dict)
    """Visit to the ids of the events that merge it into another."""
    visits: Mapping[VisitId, Visit] = field(default_factory=dict)
    """Every visit with at least one event that stands, by the id that merges lead to."""
    place_ids: frozenset[EventId] = frozenset()
    places: tuple[Event, ...] = ()
    """Events of beds, staff and resources that stand, in the world's order."""
    supply_ids: frozenset[EventId] = frozenset()
    supplies: tuple[SupplyEvent, ...] = ()
    """Counts and deliveries of stocks that stand, in the world's order."""
    digest: int = 0
    """Sum of the hashes of what is held: equal for equal sets, whatever the order."""
    latest_at: datetime | None = None
    """When the last of the events held became known; None where that is said of none."""
    lately: Mapping[VisitId, Visit] = field(default_factory=dict)
    """Those of `visits` that were not over before `lately_since`, and perhaps more: what most questions are about."""
    lately_since: datetime | None = None
    """None where they have not been sorted out."""
    endings_kept: Endings | None = None
    """Of `visits`; None where they have not been added up."""

    @property
    def hash(self) -> str:
        """The state's content as 64 hex digits."""
        return f"{self.digest:064x}"

    @property
    def endings(self) -> Endings:
        """How boarding and stays in wards ended, by all visits."""
        return self.endings_kept or Endings.of(all_told(self.visits.values()))

    def touching(self, since: datetime) -> Collection[Visit]:
        """Every visit that was not over before an instant, and others; few of these where it is not long ago."""
        known = self.lately_since is not None and since >= self.lately_since
        return self.lately.values() if known else self.visits.values()

    def present(self, as_of: datetime, came_after: datetime = _EVER) -> list[Visit]:
        """Visits that have come to the department and have no exit by the instant, in order of arrival."""
        come = (v for v in self.touching(as_of) if v.arrived_at is not None and v.arrived_at > came_after)
        here = (v for v in come if _between(v.arrived_at, as_of, v.departed_at or v.left_ward_at))
        return sorted((v.as_of(as_of) for v in here), key=lambda v: (v.arrived_at, v.visit))

    def inpatients(self, as_of: datetime) -> list[Visit]:
        """Visits that are in a ward at the instant."""
        rows = (
            v for v in self.touching(as_of) if any(_between(s.from_at, as_of, s.until_at) for s in v.stays if s.ward)
        )
        return sorted((v.as_of(as_of) for v in rows), key=lambda v: v.visit)

    def counted(self, kind: type[Event], as_of: datetime, *, by_feeds: bool = False) -> dict[str, int]:
        """The latest count of each pool or unit (StaffOnDuty, ResourceCounted, BedsCounted) by the instant.

        `by_feeds`: without what people say on the house's pages, which passes.
        """
        out: dict[str, int] = {}
        for event in self.places:
            if isinstance(event, kind) and event.occurred_at <= as_of and not (by_feeds and event.source == BOARD):
                out[str(getattr(event, "pool", None) or getattr(event, "unit", ""))] = getattr(event, "count", 0)
        return out

    def bed_statuses(self, as_of: datetime) -> dict[tuple[str, str], str]:
        """The latest status of each named bed by the instant, by (unit, bed)."""
        named = (e for e in self.places if e.kind == "BedStatusChanged" and e.occurred_at <= as_of)
        return {(e.unit, e.bed): e.status for e in named}  # type: ignore[attr-defined]


def fold(state: State, events: Iterable[Event]) -> State:
    """The state with the events taken in; any order, any repetition, any split into parts gives the same.

    1. Keep the highest version of each event.
    2. Keep the highest cancellation of each target, and the merges.
    3. Derive anew the visits that were touched, and the places if one was.
    """
    held = dict(state.events)
    taken = _take(held, events)
    if not taken:
        return state
    told = [event for pair in taken for event in pair if event is not None]
    grown = replace(
        state,
        events=held,
        cancellations=_indexed(state.cancellations, [(e.target, e) for e in told if isinstance(e, Cancelled)]),
        by_visit=_indexed(state.by_visit, [(e.visit, e) for e in told if isinstance(e, VisitEvent)]),
        merges=_indexed(state.merges, [(e.visit, e) for e in told if isinstance(e, Merged)]),
        place_ids=state.place_ids | {e.event_id for e in told if _of_a_place(e)},
        supply_ids=state.supply_ids | {e.event_id for e in told if isinstance(e, SupplyEvent)},
        digest=(state.digest + sum(_hash(new) - (_hash(old) if old else 0) for old, new in taken)) % _MODULUS,
        latest_at=_latest_at(state.latest_at, held, taken),
    )
    return _derived(state, grown, [*told, *(struck for event in told for struck in _struck(held, event))])


def _take(held: dict[EventId, Event], events: Iterable[Event]) -> list[tuple[Event | None, Event]]:
    """Puts the events that win into `held`; gives (the version before or None, the version now) for each."""
    before: dict[EventId, Event | None] = {}
    for event in events:
        known = held.get(event.event_id)
        if known is None or _beats(event, known):
            before.setdefault(event.event_id, known)
            held[event.event_id] = event
    return [(old, held[event_id]) for event_id, old in before.items()]


def _latest_at(
    before: datetime | None, held: Mapping[EventId, Event], taken: Sequence[tuple[Event | None, Event]]
) -> datetime | None:
    """When the last became known: of those taken and the last before, unless that one is no longer held."""
    if any(old is not None and old.known_at == before for old, _ in taken):
        return latest_of(held.values())
    later = latest_of(new for _, new in taken)
    return max(filter(None, (before, later)), default=None)


def latest_of(events: Iterable[Event]) -> datetime | None:
    """When the last of some events became known; what people say on the pages does not mean that a feed is heard."""
    return max(filter(None, (event.known_at for event in events if event.source != BOARD)), default=None)


def _indexed(
    known: Mapping[Key, frozenset[EventId]], told: Iterable[tuple[Key, Event]]
) -> Mapping[Key, frozenset[EventId]]:
    out = dict(known)
    for key, event in told:
        out[key] = out.get(key, frozenset()) | {event.event_id}
    return out


def _struck(held: Mapping[EventId, Event], event: Event) -> Iterator[Event]:
    """What a cancellation strikes: its target, and where that is a cancellation too, what it had struck."""
    met: set[EventId] = set()
    while isinstance(event, Cancelled) and event.event_id not in met:
        met.add(event.event_id)
        target = held.get(event.target)
        if target is None:
            return
        yield target
        event = target


def _between(start: datetime | None, instant: datetime, end: datetime | None) -> bool:
    return start is not None and start <= instant and (end is None or instant < end)


def version(event: Event) -> Version:
    """What decides between two versions of one event; the highest wins."""
    return (*_said(event), _content(event))


def _beats(event: Event, known: Event) -> bool:
    told, before = _said(event), _said(known)
    return told > before or (told == before and _content(event) > _content(known))


def _said(event: Event) -> tuple[datetime, int]:
    return event.recorded_at or event.known_at or event.occurred_at, event.position


def stands(state: State, event: Event, _path: tuple[EventId, ...] = ()) -> bool:
    """False for an event that a standing cancellation, told no earlier than the event's version, strikes out."""
    path = (*_path, event.event_id)
    for event_id in state.cancellations.get(event.event_id, ()):
        strikes = state.events[event_id]
        current = isinstance(strikes, Cancelled) and strikes.target == event.event_id
        if current and event_id not in path and _said(strikes) >= _said(event) and stands(state, strikes, path):
            return False
    return True


def standing(state: State) -> list[Event]:
    """Every event that no cancellation strikes, cancellations left out, in the world's order."""
    roots = {_root(state, visit) for visit in state.by_visit}
    told = [event for root in roots for event in _events_of(state, root)]
    return sorted([*told, *state.places, *state.supplies], key=_in_the_world)


def _of_a_place(event: Event) -> bool:
    return not isinstance(event, VisitEvent | SupplyEvent | Cancelled)


def _derived(before: State, state: State, told: Iterable[Event]) -> State:
    """The state with the rows of the visits, and the places, that these events touch made anew.

    A merge that leads elsewhere now also touches where it led before.
    """
    rows = dict(state.visits)
    named = {v for e in told for v in _touched(e)}
    touched = named | {_root(before, visit) for visit in named}
    roots = {_root(state, visit) for visit in touched}
    for visit in touched | roots:
        rows.pop(visit, None)
    for root in roots:
        row = visit_of(root, sorted(_events_of(state, root), key=_in_the_world))
        if row is not None:
            rows[root] = row
    places = _places(state) if any(_of_a_place(e) for e in told) else state.places
    supplies = _supplies(state) if any(isinstance(e, SupplyEvent) for e in told) else state.supplies
    lately, since = _lately(state, rows, touched | roots)
    endings = before.endings.changed(_told_by(before.visits, touched | roots), _told_by(rows, touched | roots))
    return replace(
        state, visits=rows, places=places, supplies=supplies, lately=lately, lately_since=since, endings_kept=endings
    )


def _told_by(rows: Mapping[VisitId, Visit], visits: Iterable[VisitId]) -> list[Told]:
    return all_told(rows[visit] for visit in visits if visit in rows)


def _lately(
    state: State, rows: Mapping[VisitId, Visit], touched: Collection[VisitId]
) -> tuple[Mapping[VisitId, Visit], datetime | None]:
    """The rows that were not over `LATELY` ago, and since when that is; those long over are sorted out once a day."""
    since, now = state.lately_since, state.latest_at
    if since is None:
        return (rows, None) if now is None else _not_over(rows, now - LATELY)
    lately = dict(state.lately)
    for visit in touched:
        lately.pop(visit, None)
    lately |= {visit: rows[visit] for visit in touched if visit in rows}
    if now is not None and now - since > LATELY + _SORTED_EVERY:
        return _not_over(lately, now - LATELY)
    return lately, since


def _not_over(rows: Mapping[VisitId, Visit], since: datetime) -> tuple[Mapping[VisitId, Visit], datetime]:
    return {visit: row for visit, row in rows.items() if not row.over_before(since)}, since


def _touched(event: Event) -> tuple[VisitId, ...]:
    """The visits whose rows an event may change."""
    if isinstance(event, Merged):
        return (event.visit, event.into)
    if isinstance(event, Cancelled):
        visit = visit_of_target(event.target)
        return (visit,) if visit is not None else ()
    return (event.visit,) if isinstance(event, VisitEvent) else ()


def _events_of(state: State, root: VisitId) -> Iterator[Event]:
    """The events that stand of a visit and of those that were merged into it."""
    members = [root, *(v for v in state.merges if v != root and _root(state, v) == root)]
    gone: set[EventId] = set()
    told: list[VisitEvent] = []
    for member in members:
        own = [state.events[event_id] for event_id in state.by_visit.get(member, ())]
        events = [e for e in own if isinstance(e, VisitEvent) and e.visit == member]
        gone |= undone(events, lambda target: _strikes(state, target))
        told += events
    if len(members) > 1:
        since = {v: said for v in members if (said := _merged_since(state, v)) is not None}
        gone |= superseded(told, members, since, lambda target: _strikes(state, target), _said)
    yield from (event for event in told if event.event_id not in gone and stands(state, event))


def _merged_since(state: State, visit: VisitId) -> tuple[datetime, int] | None:
    return max(map(_said, _merges_of(state, visit)), default=None)


def _strikes(state: State, target: EventId) -> Iterator[Cancelled]:
    """The standing cancellations of an event, or of the latest of a kind of record, whichever it is."""
    for event_id in state.cancellations.get(target, ()):
        event = state.events[event_id]
        if isinstance(event, Cancelled) and event.target == target and stands(state, event):
            yield event


def _root(state: State, visit: VisitId) -> VisitId:
    """Where merges lead; in a circle the merge that was told last is refused."""
    seen: list[VisitId] = []
    while (into := _merged_into(state, visit)) is not None:
        if visit in seen:
            return max(seen[seen.index(visit) :], key=lambda member: _last_merge(state, member))
        seen.append(visit)
        visit = into
    return visit


def _merged_into(state: State, visit: VisitId) -> VisitId | None:
    valid = _merges_of(state, visit)
    return max(valid, key=version).into if valid else None


def _merges_of(state: State, visit: VisitId) -> list[Merged]:
    told = (state.events[event_id] for event_id in state.merges.get(visit, ()))
    return [e for e in told if isinstance(e, Merged) and e.visit == visit != e.into and stands(state, e)]


def _last_merge(state: State, visit: VisitId) -> tuple[Version, VisitId]:
    return max(version(event) for event in _merges_of(state, visit)), visit


def _places(state: State) -> tuple[Event, ...]:
    found = (state.events[event_id] for event_id in state.place_ids)
    return tuple(sorted((e for e in found if _of_a_place(e) and stands(state, e)), key=_in_the_world))


def _supplies(state: State) -> tuple[SupplyEvent, ...]:
    found = (state.events[event_id] for event_id in state.supply_ids)
    return tuple(sorted((e for e in found if isinstance(e, SupplyEvent) and stands(state, e)), key=_in_the_world))


def _in_the_world(event: Event) -> tuple[datetime, int, str]:
    return event.occurred_at, RANK[event.kind], event.event_id


def _content(event: Event) -> str:
    """All that counts when two versions of an event are compared, as text."""
    cls = type(event)
    if cls not in _READ:
        _READ[cls] = attrgetter(*(f.name for f in fields(cls) if f.name not in CONTENT_FREE_FIELDS), "kind")
    return repr(_READ[cls](event))


def _hash(event: Event) -> int:
    said_at, position = _said(event)
    told = f"{event.event_id}|{said_at.timestamp()}|{position}|{_content(event)}"
    return int.from_bytes(hashlib.sha256(told.encode()).digest(), "big")
