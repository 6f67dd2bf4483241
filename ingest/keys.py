"""By what events are told apart: a number of what an event is about, and a number of what it says.

A key is the second half of an MD5, read from its low end, as DuckDB's `md5_number_lower` gives it: so a query may make
one too. Equal keys are looked at again by their text (`subject`), except for content, where 64 bits are enough: only
versions of one event are compared.
"""

from __future__ import annotations

import hashlib

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ingest.columns import SCHEMA
from ingest.events import CONTENT_FREE_FIELDS

_SEPARATOR = "\x1f"
_CONTENT = tuple(name for name in SCHEMA.names if name not in CONTENT_FREE_FIELDS)


def keys_of(table: pa.Table) -> dict[str, pa.Array]:
    """The columns `subject`, `subject_key` and `content_key` for a table of one event or more."""
    subject = pc.coalesce(table["target"], table["event_id"])
    return {"subject": subject, "subject_key": _key(subject), "content_key": _key(said(table))}


def said(table: pa.Table) -> pa.ChunkedArray:
    """What each event says, as text: names and values of what is not null, so that a new column changes no old key."""
    told = [name for name in _CONTENT if table[name].null_count < table.num_rows]
    parts = [pc.binary_join_element_wise(name, _text(table[name]), "=") for name in told]
    return pc.binary_join_element_wise(*parts, _SEPARATOR, null_handling="skip")


def _text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Instants as microseconds, whatever their zone."""
    whole = column.cast(pa.int64()) if pa.types.is_timestamp(column.type) else column
    return whole.cast(pa.string())


def _key(texts: pa.ChunkedArray) -> pa.Array:
    digests = [hashlib.md5(text, usedforsecurity=False).digest() for text in texts.cast(pa.binary()).to_pylist()]
    halves: NDArray[np.uint64] = np.frombuffer(b"".join(digests), dtype="<u8")[1::2]
    return pa.array(halves, pa.uint64())
