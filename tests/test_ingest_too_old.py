"""What comes again though its time is over: left out and counted, however it comes together, also after a rebuild."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from ingest import log as log_module
from ingest.days import SCHEMA, Days, last_ended, span_of_days
from ingest.events import BedsCounted, CensusObserved, EventId, UnitId
from ingest.log import EventLog, Intake, Position
from tests.journals import SmallHouse, house, line
from tests.logs import AT, HOUR, cancelled, departed

UNTIL = AT + timedelta(minutes=100)
"""Messages of minutes before 100 are too old."""


def ended(h: SmallHouse) -> None:
    """Nothing of before is kept from here on; `v1` is known, and went on."""
    h.journal.append([line(1, "arrive", "v1", 10), line(2, "move", "v1", 200)])
    h.indexer.catch_up()
    h.log.keep_days(Days(UNTIL, SCHEMA.empty_table()))


LATER = [
    line(3, "arrive", "v2", 20),  # too old
    line(4, "leave", "v2", 30),  # too old
    line(5, "leave", "v1", 40),  # of a visit that went on
    line(6, "arrive", "v3", 50),  # too old when it comes: nothing of v3 is known yet
    line(7, "leave", "v3", 150),
    line(8, "move", "v3", 60),  # v3 is known now
    line(9, "cancel", "v2", 70),  # strikes what is not there
    line(10, "arrive", "v4", 100),
]
STORED = {("v1", 10), ("v1", 200), ("v1", 40), ("v3", 150), ("v3", 60), ("v4", 100)}


def stored(h: SmallHouse) -> set[tuple[str, int]]:
    told = [(getattr(event, "visit", ""), (event.occurred_at - AT) / timedelta(minutes=1)) for event in h.log.read()]
    return {(visit, int(minute)) for visit, minute in told}


def check(folder: Path) -> None:
    """However the messages come together the same are left out, and a log made anew has the same."""
    for size in (1, 3, len(LATER)):
        with house(folder / f"{size}") as h:
            ended(h)
            for first in range(0, len(LATER), size):
                h.journal.append(LATER[first : first + size])
                h.indexer.catch_up()
            assert stored(h) == STORED
            account = h.log.accounts()["adt"]
            assert (account.read, account.stored, account.ignored, account.duplicate) == (10, 6, 4, 0)
            assert h.log.remarks()[("adt", "ignored", "too_old")] == 4
        with house(folder / f"{size}") as again:
            again.indexer.catch_up()
            assert stored(again) == STORED
            assert again.log.accounts()["adt"] == account
            assert again.log.kept_from == UNTIL


def test_messages_that_are_too_old_are_ignored_by_that_name(tmp_path: Path) -> None:
    check(tmp_path)


def test_the_check_sees_who_takes_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_module, "fresh_messages", lambda messages, *_: messages)
    with pytest.raises(AssertionError):
        check(tmp_path)


def test_the_check_sees_who_judges_them_all_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mutant takes all messages that come together for one."""
    monkeypatch.setattr("ingest.too_old._by_record", lambda numbers: [list(range(len(numbers)))])
    with pytest.raises(AssertionError):
        check(tmp_path)


def test_rows_of_an_extract_that_are_too_old_reach_no_disk(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with house(tmp_path) as h:
        ended(h)
        old, new = departed("v8", occurred_at=AT), departed("v9", occurred_at=UNTIL)
        both = [departed("v7", occurred_at=AT), departed("v7", "ward", occurred_at=UNTIL, source="other")]
        events = [old, new, *both, cancelled(old), cancelled(both[0]), departed("v1", occurred_at=AT)]
        beds = BedsCounted(event_id=EventId("b"), occurred_at=AT - HOUR, unit=UnitId("er"), count=4, source="s")
        census = CensusObserved(event_id=EventId("c"), occurred_at=AT, measure="ed_census", count=4, source="s")
        given = [*events, beds, census]
        numbered = [type(e)(**{n: getattr(e, n) for n in e.__dataclass_fields__} | {"position": k})
                    for k, e in enumerate(given)]  # fmt: skip
        appended = h.log.append(numbered, Position(source="s", offset=9), intake=Intake(read=9))
        assert (appended.account.read, appended.account.stored, appended.account.ignored) == (9, 6, 3)
        kept = {(e.kind, getattr(e, "visit", None)) for e in h.log.read() if e.source in ("s", "other")}
        assert kept == {("Departed", "v9"), ("Departed", "v7"), ("Cancelled", None), ("Departed", "v1"),
                        ("BedsCounted", None)}  # fmt: skip
        assert b"v8" not in b"".join(record.payload for record in h.journal.records())
    assert "3 events of s are left out: they happened before 2026-03-02 09:40 UTC" in caplog.text


def test_an_end_is_of_the_log_that_was_told_of_it(tmp_path: Path) -> None:
    with house(tmp_path) as h:
        cursor = h.log._database.cursor()
        assert (h.log.kept_from, last_ended(cursor), span_of_days(cursor)) == (None, None, None)
        EventLog.keep_days(h.log, Days(UNTIL, SCHEMA.empty_table()))
        found = h.log.ended()
        assert found is not None
        assert (found.until, found.is_done, h.log.kept_from) == (UNTIL, False, UNTIL)
