"""Where the log holds what was told of an event: which rows have which key, in memory, 12 bytes a row.

The index is made of the log's rows and never stored. It says how many rows it covers, so that whoever uses it can see
that it is behind, and catch up; and it is a value: a batch that fails leaves the one before it as it was.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.database import arrow

Keys = NDArray[np.uint64]
Rows = NDArray[np.int64]
_ROW = np.dtype(np.uint32)  # rows beyond its reach would need 50 GB of memory here
_PIECE_ROWS = 1_000_000

_INDEXED = """
SELECT subject_key, sequence FROM event WHERE sequence > $after AND sequence <= $until
"""


@dataclass(frozen=True, slots=True, eq=False)
class _Block:
    """Some rows by their key; keys ascend, shape (n,)."""

    keys: Keys
    rows: NDArray[np.uint32]

    @classmethod
    def of(cls, keys: Keys, rows: NDArray[np.uint32]) -> _Block:
        order = np.argsort(keys, kind="stable")
        return cls(keys[order], rows[order])

    def with_block(self, other: _Block) -> _Block:
        return _Block.of(np.concatenate([self.keys, other.keys]), np.concatenate([self.rows, other.rows]))

    def find(self, keys: Keys) -> Rows:
        first = np.searchsorted(self.keys, keys)
        held = self.keys.take(first, mode="clip") == keys  # most keys are new
        first = first[held]
        count = np.searchsorted(self.keys, keys[held], "right") - first
        ends = np.cumsum(count)
        places = np.repeat(first - ends + count, count) + np.arange(count.sum())
        rows: Rows = self.rows[places].astype(np.int64)
        return rows


@dataclass(frozen=True, slots=True, eq=False)
class LineIndex:
    """The rows of the log up to number `length`, by their `subject_key`.

    Each block is more than twice as long as the next: so there are few to look through, and a row is moved few times.
    """

    length: int = 0
    blocks: tuple[_Block, ...] = ()

    def find(self, keys: Keys) -> Rows:
        """The numbers of the rows with one of these keys, ascending."""
        wanted = np.unique(keys)
        found = [block.find(wanted) for block in self.blocks]
        return np.sort(np.concatenate([np.empty(0, np.int64), *found]))

    def with_rows(self, keys: Keys, rows: Rows, length: int) -> LineIndex:
        """The index when rows after these it covers are added, up to number `length`."""
        if not len(keys):
            return LineIndex(length, self.blocks)
        blocks, block = list(self.blocks), _Block.of(keys, rows.astype(_ROW))
        while blocks and len(blocks[-1].keys) <= 2 * len(block.keys):
            block = blocks.pop().with_block(block)
        return LineIndex(length, (*blocks, block))


def caught_up(cursor: Any, index: LineIndex, length: int) -> LineIndex:
    """The index over a log of `length` rows, of which it may have covered some; ten million take some two seconds."""
    for after, until in _pieces(index.length, length):
        told = arrow(cursor, _INDEXED, after=after, until=until)
        index = index.with_rows(told["subject_key"].to_numpy(), told["sequence"].to_numpy(), until)
    return index


def _pieces(after: int, length: int) -> Iterator[tuple[int, int]]:
    for start in range(after, length, _PIECE_ROWS):
        yield start, min(start + _PIECE_ROWS, length)
