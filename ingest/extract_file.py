"""CSV and Parquet files as chunks of columns; what is wrong with a file as a whole is told once, and before any use.

No error repeats what a file says: its rows are patients. A row is named by its number, as a spreadsheet numbers it:
the header is row 1.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from ingest.errors import ConfigurationError, UnreadableInputError
from ingest.mapping_parts import ExtractMapping

_BLOCK_BYTES = 8 << 20
_PARQUET_ROWS = 65_536
_PARQUET_MAGIC = b"PAR1"


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some rows: their columns, their numbers in the file, and the numbers of rows that had too many or few cells."""

    columns: pa.RecordBatch
    rows: npt.NDArray[np.int64]
    malformed: tuple[int, ...] = ()

    def column(self, name: str) -> pa.Array:
        return self.columns.column(name)


def extract_files(path: Path) -> list[Path]:
    """The file, or the files of a folder in the order of their names (hidden ones left out).

    Raises UnreadableInputError where there is none.
    """
    if not path.is_dir():
        return [path]
    files = sorted(p for p in path.iterdir() if p.is_file() and not p.name.startswith("."))
    if not files:
        raise UnreadableInputError(f"{path} is a folder without files")
    return files


def chunks(path: Path, mapping: ExtractMapping) -> Iterator[Chunk]:
    """The mapped columns of a file, some rows at a time, so that memory stays bounded.

    Raises ConfigurationError for mapped columns that the file has not, UnreadableInputError for a file that cannot be
    opened, is not of the stated encoding or delimiter, or breaks off.
    """
    with _told_plainly(path, mapping):
        parquet = _is_parquet(path)
        header = _parquet_header(path) if parquet else _csv_header(path, mapping)
        _check_header(path, header, mapping)
        yield from _parquet_chunks(path, mapping) if parquet else _csv_chunks(path, mapping)


def digest(path: Path) -> str:
    """SHA-256 of the file's bytes, hexadecimal."""
    with opened(path), path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def opened(path: Path) -> Iterator[None]:
    """What hinders the reading of a file inside the block comes as one sentence."""
    try:
        yield
    except OSError as error:
        raise UnreadableInputError(f"{path} cannot be read: {error.strerror or type(error).__name__}") from None


@contextmanager
def _told_plainly(path: Path, mapping: ExtractMapping) -> Iterator[None]:
    """Arrow's own words quote the row at fault; ours do not."""
    encoding = mapping.source.encoding
    try:
        with opened(path):
            yield
    except UnicodeError:
        raise UnreadableInputError(f"{path} is not {encoding} text; name its encoding under [source]") from None
    except pa.ArrowInvalid as error:
        if "UTF8" in str(error):
            raise UnreadableInputError(f"{path} is not {encoding} text; name its encoding under [source]") from None
        raise UnreadableInputError(
            f"{path} cannot be read as a table: it breaks off or a quote is not closed"
        ) from None
    except (pa.ArrowException, csv.Error) as error:
        raise UnreadableInputError(f"{path} cannot be read as a table ({type(error).__name__})") from None


def _is_parquet(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(_PARQUET_MAGIC)) == _PARQUET_MAGIC


def _parquet_header(path: Path) -> list[str]:
    return list(pq.read_schema(path).names)


def _csv_header(path: Path, mapping: ExtractMapping) -> list[str]:
    encoding = "utf-8-sig" if mapping.source.encoding.lower() in ("utf-8", "utf8") else mapping.source.encoding
    with path.open(encoding=encoding, newline="") as file:
        header = next(csv.reader(file, delimiter=mapping.source.delimiter), [])
    if not header:
        raise UnreadableInputError(f"{path} is empty: it has no header")
    if len(header) == 1 and len(mapping.columns()) > 1:
        raise UnreadableInputError(
            f"{path} has a single column when cut at {mapping.source.delimiter!r}; name its delimiter under [source]"
        )
    return header


def _check_header(path: Path, header: Sequence[str], mapping: ExtractMapping) -> None:
    """Every mapped column must stand in the header once. The header is not repeated: it may be a row of data."""
    faults = []
    for column in mapping.columns():
        if column not in header:
            near = get_close_matches(column, header, n=1, cutoff=0.8)
            likely = f"; the nearest is {near[0]!r}" if near else ""
            faults.append(
                f"{mapping.where(column)}: {path.name} has {len(header)} columns, but none is {column!r}{likely}"
            )
        elif header.count(column) > 1:
            faults.append(f"{mapping.where(column)}: {path.name} has more than one column {column!r}")
    if faults:
        raise ConfigurationError(faults)


def _parquet_chunks(path: Path, mapping: ExtractMapping) -> Iterator[Chunk]:
    first = 2
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(batch_size=_PARQUET_ROWS, columns=list(mapping.columns())):
            yield Chunk(batch, np.arange(first, first + batch.num_rows))
            first += batch.num_rows


def _csv_chunks(path: Path, mapping: ExtractMapping) -> Iterator[Chunk]:
    numbering = _Numbering()
    with pa_csv.open_csv(
        path,
        # without threads Arrow tells the number of a malformed row
        read_options=pa_csv.ReadOptions(encoding=mapping.source.encoding, block_size=_BLOCK_BYTES, use_threads=False),
        parse_options=pa_csv.ParseOptions(
            delimiter=mapping.source.delimiter, newlines_in_values=True, invalid_row_handler=numbering.skip
        ),
        convert_options=pa_csv.ConvertOptions(
            include_columns=list(mapping.columns()),
            column_types=dict.fromkeys(mapping.columns(), pa.string()),
            strings_can_be_null=False,
        ),
    ) as reader:
        for batch in reader:
            yield numbering.chunk(batch)
        if rest := numbering.rest():
            yield Chunk(pa.RecordBatch.from_pylist([], schema=reader.schema), np.empty(0, dtype=np.int64), rest)


class _Numbering:
    """Gives rows their numbers: Arrow numbers only the malformed ones, which it tells ahead of the rows around them."""

    def __init__(self) -> None:
        self._next = 2
        self._malformed: list[int] = []

    def skip(self, row: pa_csv.InvalidRow) -> str:
        self._malformed.append(row.number)
        return "skip"

    def chunk(self, batch: pa.RecordBatch) -> Chunk:
        wanted = np.arange(self._next, self._next + batch.num_rows + len(self._malformed))
        rows = wanted[~np.isin(wanted, self._malformed)][: batch.num_rows]
        self._next = int(rows[-1]) + 1 if len(rows) else self._next
        passed = tuple(number for number in self._malformed if number < self._next)
        self._malformed = self._malformed[len(passed) :]
        return Chunk(batch, rows, passed)

    def rest(self) -> tuple[int, ...]:
        return tuple(self._malformed)
