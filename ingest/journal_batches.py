"""Batches of events in the journal: what extracts and files tell, as Arrow, so that the log can be made of it anew."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ingest.bookkeeping import Extract, Intake, Position, Rejected
from ingest.journal_frames import Entry, Record

BATCH = "edtwin/batch"
FINISHED = "edtwin/finished"
"""The names of these records' formats."""
FINISHED_SOURCE = "edtwin/extracts"
_TOLD = b"edtwin"


@dataclass(frozen=True, slots=True)
class Told:
    """What was given to `EventLog.append_table`."""

    table: pa.Table
    position: Position
    extract: Extract | None = None
    complete_visits: bool = False
    intake: Intake | None = None


def batch_entry(told: Told) -> Entry:
    """A batch as it is journalled: a compressed Arrow stream, with the rest in its schema's metadata."""
    facts = {
        "extract": _extract_facts(told.extract),
        "complete_visits": told.complete_visits,
        "intake": None if told.intake is None else _intake_facts(told.intake),
    }
    table = told.table.replace_schema_metadata({_TOLD: json.dumps(facts, ensure_ascii=False)})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression="lz4")) as stream:
        stream.write_table(table)
    at = told.position
    payload = sink.getvalue().to_pybytes()
    return Entry(format=BATCH, source=at.source, offset=at.offset, detail=at.detail, payload=payload)


def batch_of(record: Record) -> Told:
    """The batch of a record."""
    with pa.ipc.open_stream(record.payload) as stream:
        table = stream.read_all()
    facts = json.loads(table.schema.metadata[_TOLD])
    return Told(
        table.replace_schema_metadata(None),
        record.position,
        _extract(facts["extract"]),
        facts["complete_visits"],
        _intake(facts["intake"]),
    )


def without(told: Told, gone: pa.ChunkedArray | pa.Array) -> Told:
    """The batch without the rows that a mask says; the account still balances: what nothing is left of is ignored."""
    stays = told.table.filter(pc.invert(gone))
    left_out = set(told.table["position"].filter(gone).to_pylist()) - set(stays["position"].to_pylist())
    intake = told.intake
    if intake is None and left_out:
        intake = Intake(read=pc.count_distinct(told.table["position"]).as_py())
    if intake is not None:
        intake = replace(intake, ignored=intake.ignored + len(left_out))
    return replace(told, table=stays, intake=intake)


def finished_entry(extract: Extract) -> Entry:
    """The end of an extract as it is journalled."""
    return Entry(format=FINISHED, source=FINISHED_SOURCE, payload=json.dumps(_extract_facts(extract)).encode())


def extract_of(record: Record) -> Extract:
    """The extract whose end a record tells."""
    extract = _extract(json.loads(record.payload))
    assert extract is not None
    return extract


def _extract_facts(extract: Extract | None) -> dict[str, Any] | None:
    if extract is None:
        return None
    first_at = extract.first_at.isoformat() if extract.first_at else None
    return asdict(extract) | {"extracted_at": extract.extracted_at.isoformat(), "first_at": first_at}


def _extract(facts: dict[str, Any] | None) -> Extract | None:
    if facts is None:
        return None
    instants = {name: facts[name] and datetime.fromisoformat(facts[name]) for name in ("extracted_at", "first_at")}
    return Extract(**facts | instants)


def _intake_facts(intake: Intake) -> dict[str, Any]:
    rejected = [[r.position, r.place, r.reason, r.text] for r in intake.rejected]
    return {"read": intake.read, "ignored": intake.ignored, "rejected": rejected}


def _intake(facts: dict[str, Any] | None) -> Intake | None:
    if facts is None:
        return None
    rejected = [Rejected(position=p, place=place, reason=r, text=t) for p, place, r, t in facts["rejected"]]
    return Intake(read=facts["read"], ignored=facts["ignored"], rejected=rejected)
