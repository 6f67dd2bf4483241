"""The log made anew from the journal: the same views and the same state; what the journal lacks is not lost by it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from ingest.clock import SimulatedClock
from ingest.database import Database
from ingest.errors import RebuildError
from ingest.journal import Entry, Journal
from ingest.log import EventLog, Position
from ingest.rebuild import read_again_later, rebuild, require_journalled
from tests.fake_format import FakeFormat
from tests.journals import SmallHouse, house, let_events_be_known, line, taken_in, views
from tests.logs import AT, departed, memory_log


def test_a_log_with_batches_from_before_the_journal_is_not_rebuilt(tmp_path: Path) -> None:
    log, _ = memory_log()
    log.append([departed("a")], Position(source="old", offset=1))
    assert log.unjournalled() == {"old": 1}
    with pytest.raises(RebuildError, match="not in the journal, and that would be lost: 1 of old"):
        require_journalled(log)


def story(seed: int, count: int) -> list[Entry]:
    """Messages of few visits: told again, told otherwise, cancelled, told again after that, ignored, rejected."""
    rng = np.random.default_rng(seed)
    kinds = rng.choice(["arrive", "move", "leave", "cancel", "bill"], count, p=[0.35, 0.25, 0.2, 0.15, 0.05])
    units = rng.choice(["er", "medicine", "surgery", "moon"], count, p=[0.5, 0.2, 0.2, 0.1])
    visits, minutes = rng.integers(0, 8, count), rng.integers(0, 3, count)
    return [
        line(n, str(kinds[n]), f"v{visits[n]}", int(minutes[n]), str(units[n])) for n in range(count)
    ]  # fmt: skip


@contextmanager
def lived(folder: Path, seed: int, count: int = 28) -> Iterator[tuple[SmallHouse, list[datetime]]]:
    """A house to which a story was told, with extracts in between, indexed in pieces of any size."""
    rng = np.random.default_rng(seed + 1000)
    clock = SimulatedClock(AT)
    with house(folder, clock) as h:
        instants = []
        left = story(seed, count)
        while left:
            clock.advance_to(clock.now() + timedelta(minutes=1))
            size = int(rng.integers(1, 9))
            instants.append(h.journal.append(left[:size])[-1].stored_at)
            left = left[size:]
            if rng.random() < 0.6:
                h.indexer.catch_up()
            if rng.random() < 0.2:
                taken_in(h, clock.now(), *map(str, rng.integers(0, 5, 3)), offset=int(1000 - len(left)))
                instants.append(h.journal.last_stored_at)
        h.indexer.catch_up()
        yield h, instants


def check_rebuild(folder: Path, seed: int) -> None:
    """The log of a story and the log made anew of its journal are the same at every instant."""
    with lived(folder, seed) as (h, instants):
        before = views(h.log, instants)
        accounts, rejected, remarks = h.log.accounts(), h.log.rejections(), h.log.remarks()
    with house(folder) as again:
        again.indexer.catch_up()
        after = views(again.log, instants)
        assert (again.log.accounts(), again.log.rejections(), again.log.remarks()) == (accounts, rejected, remarks)
    assert {at: digest for at, (_, digest) in before.items()} == {at: digest for at, (_, digest) in after.items()}
    for at, (table, _) in before.items():
        assert table.drop_columns(["stored_at"]).equals(after[at][0].drop_columns(["stored_at"]))


@pytest.mark.parametrize("seed", range(2))
def test_a_rebuild_gives_the_same_views_and_the_same_state(tmp_path: Path, seed: int) -> None:
    check_rebuild(tmp_path, seed)


def test_the_check_sees_a_rebuild_that_knows_when_it_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mutant lets events be known when they are indexed, as other live batches are."""
    let_events_be_known(monkeypatch, lambda told: told.journalled.stored_at)
    with pytest.raises(AssertionError):
        check_rebuild(tmp_path, 0)


def test_a_rebuild_fills_a_database_and_checks_every_record(tmp_path: Path) -> None:
    with lived(tmp_path, 9, 12) as (h, _):
        length, last = h.log.length(), h.journal.last

    def journal(log: EventLog) -> Journal:
        return Journal.open(tmp_path, log.instants, reserve_bytes=0)

    with Database.open(None, threads=1) as database:
        made = rebuild(database, SimulatedClock(AT), journal, lambda record: FakeFormat())
        assert (made.records, made.rows) == (last, length)
    with house(tmp_path) as h:
        assert read_again_later(h.journal) == {}
