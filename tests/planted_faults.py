"""Faults planted in a simulated house, by name: what its checks must find."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from forecast.loop import Loop
from ingest.indexer import Indexer
from ingest.journal import Entry, Journal
from ingest.log import Position
from ingest.pipeline import Answer, Pipeline, Receipt, Waiting
from tests.simulated_machine import SimulatedDisk


def _told_before_it_is_written() -> AbstractContextManager[Any]:
    """Receipts come before the messages are on the disk."""
    write = Pipeline._write

    def early(self: Pipeline, group: list[Waiting]) -> None:
        for waiting in group:
            told = [Receipt(answer=Answer.ACCEPTED, number=0) for _ in waiting.entries]
            waiting.receipts.set_result(told)
            write(self, [replace(waiting, receipts=Future())])

    return patch.object(Pipeline, "_write", early)


def _never_synced() -> AbstractContextManager[Any]:
    """The journal does not wait for the disk."""
    return patch.object(SimulatedDisk, "sync", lambda *_: None)


def _taken_twice() -> AbstractContextManager[Any]:
    """What comes again is journalled again."""

    def placed(self: Journal, entries: Sequence[Entry]) -> list[tuple[Entry, Position]]:
        return [(entry, Position(source=entry.source, offset=entry.offset or 1)) for entry in entries]

    return patch.object(Journal, "_placed", placed)


def _forgets_what_waits() -> AbstractContextManager[Any]:
    """What was journalled and not stored when the process died is never stored."""
    resume = Indexer._resume

    def at_the_end(self: Indexer) -> int:
        resume(self)
        return self._journal.last

    return patch.object(Indexer, "_resume", at_the_end)


def _always_live() -> AbstractContextManager[Any]:
    """The board never says that it hears nothing."""
    feed = Loop._feed
    return patch.object(Loop, "_feed", lambda self, now: replace(feed(self, now), state="live"))


BUGS: dict[str, Callable[[], AbstractContextManager[Any]]] = {
    "told before it is written": _told_before_it_is_written,
    "never synced": _never_synced,
    "taken twice": _taken_twice,
    "forgets what waits": _forgets_what_waits,
    "always live": _always_live,
}
"""Planted faults of the house, by name."""


def planted(bug: str) -> AbstractContextManager[Any]:
    return BUGS[bug]() if bug else nullcontext()
