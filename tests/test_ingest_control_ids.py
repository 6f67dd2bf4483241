"""A message that bears the number of another one and says something else: kept, counted, and found again."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from ingest import control_ids
from ingest.clock import SimulatedClock
from ingest.control_ids import REUSED, ControlIds
from ingest.database import Database
from ingest.indexer import Indexer, JournalledLog
from ingest.journal import Entry, Journal
from ingest.journal_frames import Again
from tests.fake_format import FakeFormat
from tests.hl7_messages import hl7
from tests.journals import house, line
from tests.logs import AT

FLAG = ("adt", "flag", REUSED)
HOUR = timedelta(hours=1)


def numbered(control_id: str, number: int, **said: object) -> Entry:
    """A message of HL7 with a number of its own, and another that it may bear."""
    return replace(line(number), **{"format": "hl7", "control_id": control_id, **said})  # type: ignore[arg-type]


def flagged(folder: Path, *entries: Entry, clock: SimulatedClock | None = None) -> int:
    """How many of the messages, each indexed alone, are counted as doubtful."""
    with house(folder, clock) as h:
        for entry in entries:
            h.journal.append([entry])
            h.indexer.catch_up()
        assert h.log.length() == len({entry.payload for entry in entries}), "all of them are kept"
        return h.log.remarks().get(FLAG, 0)


def test_the_same_number_with_other_content_is_kept_twice_and_counted(tmp_path: Path) -> None:
    assert flagged(tmp_path, numbered("a", 1), numbered("b", 2), numbered("a", 3)) == 1


@pytest.mark.parametrize(
    "second",
    [
        numbered("a", 1),  # the same message again
        numbered("c", 2), numbered("", 2), numbered("a", 2, source="lab"),
        numbered("a", 2, format="event_json"),  # what is told anew bears the number of the event
    ],
)  # fmt: skip
def test_a_repetition_another_number_another_source_and_no_number_are_no_such_thing(
    tmp_path: Path, second: Entry
) -> None:
    assert flagged(tmp_path, numbered("a", 1), numbered("", 3), second) == 0


def test_who_counts_anew_every_day_is_left_alone(tmp_path: Path) -> None:
    clock = SimulatedClock(AT)
    with house(tmp_path, clock) as h:
        for day, hours in enumerate((0, 13, 24)):
            clock.advance_to(AT + hours * HOUR)
            h.journal.append([numbered("1", day)])
        h.indexer.catch_up()
        assert h.log.remarks().get(FLAG, 0) == 1, "13 hours are too long, 11 are not"


def test_what_is_read_again_is_no_second_message(tmp_path: Path) -> None:
    entry = numbered("a", 1)
    again = replace(entry, again=Again(number=1, reason="unknown_value", text=""), payload=line(2).payload)
    with house(tmp_path) as h:
        assert ControlIds().reused(h.journal.append([entry, again])) == frozenset()


def test_a_restart_forgets_no_number_and_a_rebuild_counts_the_same(tmp_path: Path) -> None:
    entries = [numbered("a", 1), numbered("b", 2), numbered("a", 3)]
    for entry in entries:  # each in a house of its own, on one database
        with Database.open(tmp_path / "db", threads=1) as held:
            log = JournalledLog(held, SimulatedClock(AT))
            with Journal.open(tmp_path / "journal", log.instants, reserve_bytes=0) as journal:
                indexer = Indexer(journal, log, lambda record: FakeFormat())
                log.follow(journal, indexer)
                journal.append([entry])
                indexer.catch_up()
                indexer.close()
                found = log.remarks()
    assert found[FLAG] == 1
    with house(tmp_path / "journal") as h:
        h.indexer.catch_up()
        assert h.log.remarks() == found


def test_numbers_that_a_restart_forgets_would_be_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mutant: a follower that does not look back."""
    monkeypatch.setattr(Indexer, "_look_back", lambda self: setattr(self, "_control_ids", ControlIds()))
    monkeypatch.setattr("ingest.indexer.LOOK_BACK_RECORDS", 0)
    with pytest.raises((AssertionError, KeyError)):
        test_a_restart_forgets_no_number_and_a_rebuild_counts_the_same(tmp_path)


def test_only_so_many_numbers_are_held(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(control_ids, "LOOK_BACK_RECORDS", 3)
    many = [numbered(str(n), n) for n in range(9)]
    with house(tmp_path) as h:
        ids = ControlIds()
        assert ids.reused(h.journal.append([*many, numbered("0", 90), numbered("8", 91)])) == {11}
        assert len(ids._seen) == 3


def test_senders_that_number_alike_are_apart() -> None:
    """MSH-10 is a sender's own; which sender it is, is not kept otherwise."""
    form = hl7()
    said = "MSH|^~\\&|{}|CHU|||20260302||ADT^A04|17|P|2.5\rEVN|A04|20260302\rPV1|1|E"
    lab, gam, again = (form.kept(said.format(who).encode()).control_id for who in ("LAB", "GAM", "GAM"))
    assert lab != gam == again
    assert not form.kept(said.replace("|17|", "||").format("GAM").encode()).control_id
