"""A state as bytes and back: what a house that starts again reads instead of folding months anew.

The bytes are data: Arrow tables of the events held, of the visits and of their stays. What follows from the events at
little cost is made again. A snapshot says by which code it was made; one made by other code is not read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from functools import cache
from operator import attrgetter
from pathlib import Path
from typing import Any, TypeVar, get_args, get_type_hints

import pyarrow as pa

from ingest.columns import TIME, from_table, listed, to_table
from ingest.events import Cancelled, Event, EventId, Merged, VisitEvent
from ingest.unswept import unswept
from twin import latest, renumbered
from twin import state as state_module
from twin import visit as visit_module
from twin.code import digest_of
from twin.state import State, fold, latest_of
from twin.visit import Stay, Visit

_TYPES: dict[Any, pa.DataType] = {datetime: TIME, bool: pa.bool_()}
_NUMBER = pa.field("row", pa.int64())
Key = TypeVar("Key")


def to_bytes(state: State) -> bytes:
    """The state as bytes; `from_bytes` gives an equal one."""
    tables = [to_table(list(state.events.values())), *_tables(list(state.visits.values()))]
    return _written(tables, {"made_by": made_by(), "digest": str(state.digest)})


def from_bytes(told: bytes) -> State | None:
    """The state; None where other code made the bytes, or where they cannot be read: then it is folded anew."""
    source = pa.BufferReader(told)
    try:
        events, visits, stays = (pa.ipc.open_stream(source).read_all() for _ in range(3))
    except pa.ArrowException:
        return None
    made = events.schema.metadata or {}
    if made.get(b"made_by") != made_by().encode():
        return None
    with unswept():
        return _state(from_table(events, checked=True), _visits(visits, stays), int(made[b"digest"]))


def visits_to_bytes(visits: Sequence[Visit], told: Mapping[str, str]) -> bytes:
    """Visits as bytes, with a few words about them; `visits_from_bytes` gives both back."""
    return _written(_tables(visits), told)


def visits_from_bytes(told: bytes) -> tuple[list[Visit], dict[str, str]]:
    """The visits, and what was told of them; raises pyarrow.ArrowException where the bytes cannot be read."""
    source = pa.BufferReader(told)
    visits, stays = (pa.ipc.open_stream(source).read_all() for _ in range(2))
    with unswept():
        found = _visits(visits, stays)
    return found, {k.decode(): v.decode() for k, v in (visits.schema.metadata or {}).items()}


def _tables(visits: Sequence[Visit]) -> list[pa.Table]:
    """Visits and their stays, each with the number of its visit."""
    stays = [stay for visit in visits for stay in visit.stays]
    numbers = [row for row, visit in enumerate(visits) for _ in visit.stays]
    return [
        _table(visits, _schema(Visit)),
        _table(stays, _schema(Stay)).append_column(_NUMBER, pa.array(numbers, pa.int64())),
    ]


def _written(tables: Iterable[pa.Table], told: Mapping[str, str]) -> bytes:
    sink = pa.BufferOutputStream()
    for table in tables:
        with pa.ipc.new_stream(sink, table.schema.with_metadata(dict(told)), options=_WRITTEN) as writer:
            writer.write_table(table)
    return bytes(sink.getvalue())


@cache
def made_by() -> str:
    """A digest of the code that a state comes from: any change of it makes old snapshots worthless."""
    sources = [Path(str(module.__file__)) for module in (state_module, latest, renumbered, visit_module)]
    return digest_of([*sources, Path(__file__)])


_WRITTEN = pa.ipc.IpcWriteOptions(compression="zstd")


def _schema(cls: type[Any]) -> pa.Schema:
    hints = get_type_hints(cls)
    named = {f.name: hints[f.name] for f in fields(cls) if f.init and f.name != "stays"}
    return pa.schema({name: _arrow_type(hint) for name, hint in named.items()})


def _arrow_type(hint: Any) -> pa.DataType:
    return next((_TYPES[part] for part in (hint, *get_args(hint)) if part in _TYPES), pa.string())


def _table(values: Sequence[Any], schema: pa.Schema) -> pa.Table:
    columns = [pa.array(map(attrgetter(name), values), schema.field(name).type) for name in schema.names]
    return pa.table(columns, schema=schema)


def _visits(visits: pa.Table, stays: pa.Table) -> list[Visit]:
    of_row: dict[int, list[Stay]] = defaultdict(list)
    *columns, numbers = (listed(column) for column in stays.columns)
    for number, *values in zip(numbers, *columns, strict=True):
        of_row[number].append(Stay(*values))
    columns = [listed(column) for column in visits.columns]
    rows = enumerate(zip(*columns, strict=True))
    return [Visit(*(*values, tuple(of_row[row]))) for row, values in rows]  # stays come last


def _state(events: Sequence[Event], visits: Iterable[Visit], digest: int) -> State:
    places = fold(State(), [e for e in events if not isinstance(e, VisitEvent)])
    return State(
        events={e.event_id: e for e in events},
        cancellations=_grouped((e.target, e.event_id) for e in events if isinstance(e, Cancelled)),
        by_visit=_grouped((e.visit, e.event_id) for e in events if isinstance(e, VisitEvent)),
        merges=_grouped((e.visit, e.event_id) for e in events if isinstance(e, Merged)),
        visits={visit.visit: visit for visit in visits},
        place_ids=places.place_ids,
        places=places.places,
        supply_ids=places.supply_ids,
        supplies=places.supplies,
        digest=digest,
        latest_at=latest_of(events),
    )


def _grouped(pairs: Iterable[tuple[Key, EventId]]) -> dict[Key, frozenset[EventId]]:
    groups: dict[Key, list[EventId]] = defaultdict(list)
    for key, event_id in pairs:
        groups[key].append(event_id)
    return {key: frozenset(ids) for key, ids in groups.items()}
