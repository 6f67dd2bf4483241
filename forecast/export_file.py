"""A table written to a file: slice by slice, whole or not at all, with the meaning of its columns beside it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq

from forecast.export import Source, Table, slices

Form = Literal["parquet", "csv"]
FORMS: tuple[Form, ...] = ("parquet", "csv")
Report = Callable[[int, int], None]


@dataclass(frozen=True)
class Written:
    """What was written where."""

    file: Path
    columns_file: Path
    rows: int


def columns_file(file: Path) -> Path:
    """Where the meaning of the columns stands: `visits.columns.json` beside `visits.parquet`."""
    return file.with_suffix(".columns.json")


def write(
    table: Table, source: Source, since: datetime, until: datetime, file: Path, form: Form, *, pseudonyms: bool,
    report: Report = lambda done, of: None,
) -> Written:  # fmt: skip
    """Write the rows of [since, until).

    1. Write to a file beside, slice by slice; one that is not finished is removed.
    2. Bring it to the disk.
    3. Put it in the place of the one that was there, and the meaning of its columns beside it.

    Raises OSError where it cannot be written.
    """
    parts, rows = slices(since, until, table.every), 0
    with _in_place_of(file) as draft:
        with _writer(draft, table.schema(pseudonyms=pseudonyms), form) as writer:
            for done, (first, last) in enumerate(parts):
                report(done, len(parts))
                part = table.part(source, first, last, pseudonyms=pseudonyms)
                rows += part.num_rows
                writer.write_table(part)
        report(len(parts), len(parts))
    told = table.described(pseudonyms=pseudonyms) | {"from": since.isoformat(), "to": until.isoformat(), "rows": rows}
    with _in_place_of(columns_file(file)) as draft:
        draft.write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return Written(file, columns_file(file), rows)


def _writer(file: Path, schema: pa.Schema, form: Form) -> Any:
    if form == "csv":
        return pc.CSVWriter(file, schema)
    return pq.ParquetWriter(file, schema, compression="zstd")


@contextmanager
def _in_place_of(file: Path) -> Iterator[Path]:
    """A draft beside the file, which takes its place when the block has ended well; else nothing is left of it."""
    draft = file.with_name(f".{file.name}.{os.getpid()}.draft")
    try:
        yield draft
        with draft.open("rb") as written:
            os.fsync(written.fileno())
        os.replace(draft, file)
    finally:
        with suppress(FileNotFoundError):
            draft.unlink()
