"""What a back-test has done so far, kept beside the data: one that was ended goes on where it was.

A store belongs to one plan, one hospital, one code and one state of the log (`key_of`): whatever of these is another
has a store of its own, so nothing stale is ever taken. Issues are kept by chunk, those between two learnings:

1. The chunk's issues go into a file of their own, by another name until it is whole.
2. Then the measures of the past as they stand at its end, with the chunk's number.

What is read are the chunks up to that number: a chunk whose past is missing is done again. The latest `KEEP` stores
stay.
"""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from forecast.simulated import Simulated, issues_of, table_of
from forecast.values import Array

logger = logging.getLogger(__name__)

KEEP = 4
"""Stores of different plans, codes and logs that are kept beside one another."""
_PAST = "past.parquet"
_CHUNK = b"chunk"


def key_of(*parts: object) -> str:
    """A name for what a back-test depends on: another where one of the parts is told in another way."""
    return hashlib.sha256("\n".join(map(repr, parts)).encode()).hexdigest()[:16]


class BacktestStore:
    """The chunks of one back-test; makes its folder with the first of them."""

    def __init__(self, folder: Path, key: str) -> None:
        self._shelf, self._folder = folder, folder / key

    def load(self) -> tuple[list[list[Simulated]], dict[str, Array]]:
        """The chunks that are whole, in order, and the past at their end; nothing where nothing is there."""
        try:
            past = pq.read_table(self._folder / _PAST)
            number = int(past.schema.metadata[_CHUNK])
            chunks = [issues_of(pq.read_table(self._file(k))) for k in range(number + 1)]
        except FileNotFoundError:
            return [], {}
        except (OSError, ValueError, KeyError, TypeError, pa.ArrowException) as damaged:
            logger.warning("what a back-test had done is not readable and is done again: %s", damaged)
            return [], {}
        self._used()
        return chunks, {name: past[name].to_numpy() for name in past.column_names}

    def save(self, number: int, issues: Sequence[Simulated], past: Mapping[str, Array]) -> None:
        """Keep the next chunk, and the past as it is after it."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._write(self._file(number), table_of(issues))  # 1
        table = pa.table(dict(past)).replace_schema_metadata({_CHUNK: str(number).encode()})
        self._write(self._folder / _PAST, table)  # 2
        if number == 0:
            self._let_go_of_the_oldest()

    def _file(self, number: int) -> Path:
        return self._folder / f"{number:05d}.parquet"

    def _write(self, file: Path, table: pa.Table) -> None:
        """Whole or not at all."""
        beside = file.with_suffix(".part")
        pq.write_table(table, beside, compression="zstd", use_dictionary=True)
        with beside.open("rb") as written:
            os.fsync(written.fileno())
        beside.replace(file)

    def _used(self) -> None:
        os.utime(self._folder)

    def _let_go_of_the_oldest(self) -> None:
        stores = sorted((f for f in self._shelf.iterdir() if f.is_dir()), key=lambda f: f.stat().st_mtime)
        for old in stores[:-KEEP]:
            shutil.rmtree(old, ignore_errors=True)
