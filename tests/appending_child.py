"""A process that appends batches until it is killed: `python -m tests.appending_child FILE [MUTANT]`.

Prints "ready", then the position after each batch.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

from ingest import bookkeeping
from ingest.clock import WallClock
from ingest.database import Database
from ingest.log import EventLog, Position
from tests.logs import departed, next_position

BATCH = 50
DIES_AT = 3


def position_in_a_second_transaction() -> None:
    """A log that commits the events, and dies before it commits the position."""
    stored = bookkeeping.store_batch

    def later(cursor: Any, position: Position, *others: Any) -> None:
        cursor.commit()
        if position.offset == DIES_AT:
            os.kill(os.getpid(), signal.SIGKILL)
        cursor.begin()
        stored(cursor, position, *others)

    bookkeeping.store_batch = later  # type: ignore[assignment]


def main(path: Path, *mutants: str) -> None:
    for mutant in mutants:
        globals()[mutant]()
    log = EventLog(Database.open(path), WallClock())
    print("ready", flush=True)
    while True:
        position = next_position(log, "s")
        log.append([departed(f"{position.offset}/{n}") for n in range(BATCH)], position)
        print(position.offset, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
