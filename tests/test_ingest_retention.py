"""The end of events: what is kept of what began before, in worlds of a few events; the journal without the rest."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from ingest.bookkeeping import Rejected
from ingest.clock import SimulatedClock
from ingest.errors import ReaderMissingError
from ingest.events import (
    ArrivalExpected,
    BedsCounted,
    Cancelled,
    Departed,
    Event,
    EventId,
    Merged,
    StockCounted,
    SupplyDelivered,
    UnitId,
    VisitId,
)
from ingest.journal_frames import ENDED
from ingest.log import EventLog, Intake, Position
from ingest.retention import Ender, Kept, kept_after, outlived
from ingest.rewriting import rewrite, why_rewritten
from tests.fake_format import FakeFormat
from tests.journals import entry, house, line
from tests.logs import AT, HOUR, cancelled, departed, memory_log, tell
from tests.test_ingest_erasure import Bundles, decoded

UNTIL = AT + 400 * 24 * HOUR
DAY = 24 * HOUR


def log_of(*events: Event) -> EventLog:
    log, _ = memory_log(UNTIL + 400 * DAY)
    tell(log, *events)
    return log


def kept_of(*events: Event, open_since: datetime = UNTIL - 150 * DAY) -> tuple[set[str], set[str]]:
    """The visits and the counts and cancellations that are kept."""
    found = kept_after(log_of(*events)._database, UNTIL, open_since)
    return set(found.visits), set(found.events)


def left(visit: str, days: float, to: str = "home", known: float | None = None) -> Departed:
    """Departed so many days before the limit (after it, if negative)."""
    at = UNTIL - days * DAY
    return departed(visit, to, occurred_at=at, known_at=at if known is None else UNTIL - known * DAY)  # type: ignore[arg-type]


def test_a_visit_that_goes_on_is_kept_whole_and_one_that_is_over_is_not() -> None:
    told = [left("over", 0.01), left("at the limit", 0), left("long ago", 300), left("later", -3)]
    crossing = [left("goes on", 9, "ward"), departed("goes on", occurred_at=UNTIL + DAY, source="t")]
    assert kept_of(*told, *crossing) == ({"goes on"}, set())


def test_what_is_told_within_a_month_is_part_of_the_visit_and_later_not() -> None:
    assert kept_of(left("a", 2, known=-1), left("b", 40, known=-1)) == ({"a"}, set())


def test_without_an_exit_a_visit_is_on_until_nothing_was_heard_of_it_for_long() -> None:
    told = [left("in a ward", 100, "ward"), left("silent", 151, "ward")]
    back = [left("undone", 100), cancelled(left("undone", 100))]
    assert kept_of(*told, *back)[0] == {"in a ward", "undone"}


def test_what_is_announced_for_later_and_what_is_struck_out_later_is_kept() -> None:
    soon = ArrivalExpected(event_id=EventId("x"), visit=VisitId("soon"), occurred_at=UNTIL - 200 * DAY,
                           known_at=UNTIL - 200 * DAY, expected_at=UNTIL + DAY, source="s")  # fmt: skip
    never = left("never", 5)
    strikes = Cancelled(event_id=EventId("y"), target=never.event_id, occurred_at=UNTIL + DAY, source="s")
    assert kept_of(soon, never, strikes)[0] == {"soon", "never"}


def test_visits_that_were_merged_are_kept_together_and_what_strikes_them_with_them() -> None:
    merged = Merged(event_id=EventId("m"), visit=VisitId("a"), into=VisitId("b"), occurred_at=UNTIL - 9 * DAY,
                    known_at=UNTIL - 9 * DAY, source="s")  # fmt: skip
    struck = cancelled(left("a", 20))
    told = [
        left("a", 20),
        struck,
        merged,
        left("b", 8, "ward"),
        left("b", -1),
        left("c", 200),
        cancelled(left("c", 200)),
    ]
    visits, events = kept_of(*told)
    assert (visits, events) == ({"a", "b"}, {struck.event_id})


def beds(days: float, source: str = "s", unit: str = "er") -> BedsCounted:
    at = UNTIL - days * DAY
    return BedsCounted(event_id=EventId(f"{source}/{unit}/{days}"), occurred_at=at, known_at=at, unit=UnitId(unit),
                       count=4, source=source)  # fmt: skip


def test_a_count_stands_until_one_that_nothing_can_undo() -> None:
    struck = beds(50, unit="b")
    told = [beds(90), beds(60), beds(30), beds(-1), beds(70, "board"), beds(100, unit="b"), struck, cancelled(struck)]
    assert kept_of(*told)[1] == {e.event_id for e in (beds(30), beds(70, "board"), beds(100, unit="b"), struck)} | {
        cancelled(struck).event_id
    }


def test_deliveries_since_the_last_count_of_a_stock_are_kept() -> None:
    def of(cls: type[StockCounted | SupplyDelivered], days: float) -> Event:
        at = UNTIL - days * DAY
        return cls(event_id=EventId(f"{days}"), occurred_at=at, known_at=at, pool="linen", count=1, source="s")

    told = [of(StockCounted, 40), of(SupplyDelivered, 30), of(StockCounted, 20), of(SupplyDelivered, 10)]
    assert kept_of(*told)[1] == {"20", "10"}


def test_how_many_are_not_kept_and_who_they_are() -> None:
    log = log_of(left("over", 9), left("goes on", 9, "ward"), beds(50), beds(40), left("new", -1))
    count, gone = outlived(log._database, kept_after(log._database, UNTIL, UNTIL))
    assert (count, set(gone.visits)) == (3, {"over", "goes on"})


# --------------------------------------------------------------------------------------------------- the journal

LIMIT = AT + timedelta(minutes=100)


def ender(*visits: str, form: FakeFormat | None = None) -> Ender:
    reads = form or FakeFormat()
    return Ender(Kept(LIMIT, frozenset(visits), frozenset()), lambda record: reads)


def test_messages_that_are_over_are_empty_and_what_was_rejected_then_with_them(tmp_path: Path) -> None:
    clock = SimulatedClock(AT)
    with house(tmp_path, clock) as h:
        h.journal.append(
            [line(1, "arrive", "v1", 1), line(2, "arrive", "v2", 2), line(3, unit="moon"), line(4, "bill")]
        )
        clock.advance_to(LIMIT + HOUR)
        h.journal.append(
            [line(5, unit="moon"), line(6, "bill"), line(7, "leave", "v3", 5), line(8, "leave", "v3", 200)]
        )
        h.indexer.catch_up()
        numbers = [(r.number, r.stored_at, r.position) for r in h.journal.records()]
        end = ender("v2")
        rewrite(h.journal.folder, h.journal.segments(), end.change, "ended")
        assert (end.emptied, why_rewritten(h.journal.folder)) == (4, "ended")
    with house(tmp_path) as again:
        again.indexer.catch_up()
        assert [(r.number, r.stored_at, r.position) for r in again.journal.records()] == numbers
        assert [r.number for r in again.journal.records() if r.format == ENDED] == [1, 3, 4, 7]
        assert again.log.remarks()[("adt", "ignored", "ended")] == 4
        assert not any(name in decoded(again.journal) for name in ("v1", "|5|"))


def test_a_message_that_tells_of_others_stays_until_all_of_it_is_over(tmp_path: Path) -> None:
    with house(tmp_path, form=Bundles()) as h:
        h.journal.append([entry(b"1|arrive|v1|0|er+2|arrive|v2|300|er"), entry(b"3|arrive|v1|0|er+4|arrive|v3|5|er")])
        end = ender(form=Bundles())
        changed = [end.change(record) for record in h.journal.records()]
        assert (end.mixed, end.emptied) == (1, 1)
        assert [record.payload == b"" for record in changed] == [False, True]


def test_batches_lose_rows_and_what_the_quarantine_kept_of_them(tmp_path: Path) -> None:
    with house(tmp_path) as h:
        told = [departed("v1", position=1), departed("v2", position=2, occurred_at=LIMIT)]
        odd = Rejected(position=3, place="f.csv:row 3", reason="malformed", text="v9 is odd")
        h.log.append(told, Position(source="er", offset=3), intake=Intake(read=3, rejected=[odd]))
        before = h.log.accounts()["er"]
        end = ender()
        rewrite(h.journal.folder, h.journal.segments(), end.change, "ended")
        assert end.rows == 1
    with house(tmp_path) as again:
        again.indexer.catch_up()
        after = again.log.accounts()["er"]
        assert (before.read, before.stored, before.ignored) == (3, 2, 0)
        assert (after.read, after.stored, after.ignored, after.rejected) == (3, 1, 1, 1)
        assert not any(name in decoded(again.journal) for name in ("v1", "v9"))
        assert again.log.position("er") == Position(source="er", offset=3)


def test_nothing_is_emptied_that_cannot_be_read(tmp_path: Path) -> None:
    with house(tmp_path) as h:
        h.journal.append([line(1)])
        unread = Ender(Kept(LIMIT, frozenset(), frozenset()), lambda record: None)
        with pytest.raises(ReaderMissingError):
            rewrite(h.journal.folder, h.journal.segments(), unread.change, "ended")
        assert not list(h.journal.folder.glob("*.fresh"))
