"""One patient erased: gone from the journal and the log made anew of it, the rest as it was; kills at every step."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from ingest import erasure, rewriting
from ingest.bookkeeping import Rejected
from ingest.erasure import Eraser, Known, holding, known_as
from ingest.errors import EdtwinError, RebuildError
from ingest.events import Arrived, EventId, Merged, PatientId, VisitId
from ingest.failpoints import watched
from ingest.formats import Place, Reading
from ingest.journal import Journal
from ingest.journal_batches import BATCH, batch_of
from ingest.journal_frames import ERASED, Record
from ingest.log import Intake, Position
from ingest.rewriting import complete, is_rewritten, rewrite
from tests import test_ingest_rebuild
from tests.fake_format import FakeFormat
from tests.journals import OF_AN_ERASURE, SmallHouse, entry, house, line, opened, taken_in, views
from tests.logs import AT
from tests.test_ingest_rebuild import lived

SEGMENT = 3_000
"""Bytes: a story has many segments."""


def erased_in(h: SmallHouse, name: str) -> tuple[Known, Eraser]:
    """Erase, as far as the house may stay open; open it again for the rest."""
    known = known_as(h.log._database, name)
    eraser = Eraser(known, lambda record: FakeFormat())
    rewrite(h.journal.folder, h.journal.segments(), eraser.change)
    return known, eraser


def without(table: pa.Table, name: str) -> pa.Table:
    """What is left of a view; ids have the visit in them."""
    mine = pc.equal(table["visit"], name)
    for column in ("event_id", "target"):
        mine = pc.or_kleene(mine, pc.match_substring(table[column], f"/{name}/"))
    return table.filter(pc.invert(pc.fill_null(mine, False)))


def decoded(journal: Journal) -> str:
    """Whatever the journal says, batches unpacked."""
    return "\n".join(
        f"{batch_of(r).table.to_pylist()} {batch_of(r).intake}" if r.format == BATCH else f"{r.payload!r} {r.again}"
        for r in journal.records()
    )


@pytest.fixture(autouse=True)
def named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Visits of extracts are `e0`, `e1` .., so that none is called like a number of a message."""
    monkeypatch.setattr(
        test_ingest_rebuild, "taken_in",
        lambda h, at, *visits, offset: taken_in(h, at, *(f"e{visit}" for visit in visits), offset=offset),
    )  # fmt: skip


def check_erased(folder: Path, seed: int, name: str) -> None:
    """A story, a patient of it erased, and the log made anew: all that is left is as it was at every instant."""
    with lived(folder, seed, 30) as (h, instants):
        instants = instants[::3]
        before, account = views(h.log, instants), {s: a.read for s, a in h.log.accounts().items()}
        numbers = [(r.number, r.stored_at, r.position) for r in h.journal.records()]
        known, _ = erased_in(h, name)
        assert known.visits == {name}
    with house(folder) as again:
        again.indexer.catch_up()
        after = views(again.log, instants)
        assert {source: told.read for source, told in again.log.accounts().items()} == account
        assert [(r.number, r.stored_at, r.position) for r in again.journal.records()] == numbers
        assert not erasure._named([name]).search(decoded(again.journal).encode())
        assert known_as(again.log._database, name).events == frozenset()
    for at, (table, _) in before.items():
        kept = without(table, name).drop_columns(["stored_at"])
        assert kept.equals(after[at][0].drop_columns(["stored_at"]))
    assert holding(folder, known.names) == []


@pytest.mark.parametrize(("seed", "name"), [(0, "v3"), (1, "e3")])
def test_a_patient_is_gone_and_the_rest_is_as_it_was(tmp_path: Path, seed: int, name: str) -> None:
    check_erased(tmp_path, seed, name)


MUTANTS: dict[str, tuple[str, Callable[[Eraser, Record], Record], str]] = {
    "batches are left": ("_batch", lambda self, record: record, "e3"),
    "messages are left": ("_message", lambda self, record: record, "v3"),
    "too much is erased": (
        "_message",
        lambda self, record: Record(
            number=record.number, stored_at=record.stored_at, format=ERASED, position=record.position, payload=b""
        ),
        "v3",
    ),
}


@pytest.mark.parametrize("mutant", MUTANTS)
def test_the_check_sees_an_erasure_that_is_none_or_too_much(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mutant: str
) -> None:
    method, wrong, name = MUTANTS[mutant]
    monkeypatch.setattr(Eraser, method, wrong)
    with pytest.raises(AssertionError):
        check_erased(tmp_path, int(name == "e3"), name)


def test_visits_of_a_patient_and_those_merged_with_them_are_one(tmp_path: Path) -> None:
    def arrived(visit: str, patient: str) -> Arrived:
        return Arrived(
            event_id=EventId(f"er/{visit}"),
            visit=VisitId(visit),
            patient=PatientId(patient),
            occurred_at=AT,
            source="er",
        )

    merged = Merged(event_id=EventId("er/m"), visit=VisitId("x"), into=VisitId("a"), occurred_at=AT, source="er")
    with house(tmp_path) as h:
        events = [arrived("a", "p"), arrived("b", "p"), arrived("c", "q"), arrived("x", "r"), merged]
        h.log.append(events, Position(source="er", offset=1))
        assert known_as(h.log._database, "p").visits == {"a", "b", "x"}
        assert known_as(h.log._database, "b").visits == {"b"}
        assert known_as(h.log._database, "nobody").events == frozenset()


def test_what_the_quarantine_keeps_is_erased_too_and_the_account_balances(tmp_path: Path) -> None:
    with house(tmp_path) as h:
        h.journal.append([line(1, "arrive", "v1"), line(2, "arrive", "v2", unit="moon"), line(3, unit="moon")])
        h.indexer.catch_up()
        text = Rejected(position=9, place="f.csv:row 9", reason="malformed", text="visit v2 is odd")
        intake = Intake(read=1, rejected=[text])
        h.log.append([], Position(source="er", offset=9), intake=intake)
        _, eraser = erased_in(h, "v2")
        assert eraser.emptied == 1
    with house(tmp_path) as again:
        again.indexer.catch_up()
        assert [r.rejected.text for r in again.log.rejections() if r.source == "er"] == [""]
        told = again.log.accounts()["adt"]
        assert (told.read, told.stored, told.ignored, told.rejected) == (3, 1, 1, 1)
        assert "v2" not in decoded(again.journal)


class Bundles(FakeFormat):
    """Several lines in one message."""

    def read(self, payload: bytes, place: Place) -> Reading:
        readings = [FakeFormat.read(self, part, place) for part in payload.split(b"+")]
        return Reading(events=tuple(event for reading in readings for event in reading.events))


def test_a_message_that_tells_of_others_keeps_them_and_its_numbers_lead_to_nobody(tmp_path: Path) -> None:
    both = entry(b"1|arrive|v1|0|er+2|arrive|v12|0|er")
    with house(tmp_path, form=Bundles()) as h:
        h.journal.append([both, both])
        h.indexer.catch_up()
        eraser = Eraser(known_as(h.log._database, "v1"), lambda record: Bundles())
        rewrite(h.journal.folder, h.journal.segments(), eraser.change)
        assert (eraser.emptied, eraser.blurred) == (0, 2)
    with house(tmp_path, form=Bundles()) as again:
        again.indexer.catch_up()
        payloads = [record.payload.split(b"+") for record in again.journal.records()]
    assert {after for _, after in payloads} == {b"2|arrive|v12|0|er"}
    assert not any(b"|v1|" in before for before, _ in payloads)
    assert len({before for before, _ in payloads}) == 2  # other numbers in every message: nothing is linked


def test_a_name_is_found_across_blocks_and_not_within_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erasure, "_BLOCK", 8)
    (tmp_path / "within").write_bytes(b"xxv123xx v1234 av123")
    (tmp_path / "across").write_bytes(b"1234567 v123 ")
    (tmp_path / "v123.csv").write_bytes(b"")
    assert {path.name for path in holding(tmp_path, {"v123"})} == {"across", "v123.csv"}


# --------------------------------------------------------------------------------------------------------------- kills


class Killed(BaseException):
    """The process ended: nothing is tidied up."""


def killed_at(number: int) -> tuple[Callable[[str], None], list[str]]:
    """Ends the process at the failpoint of a number, of those of an erasure."""
    steps: list[str] = []

    def step(name: str) -> None:
        what, _, instant = name.partition(": ")
        if what not in OF_AN_ERASURE:
            return
        steps.append(instant)
        if len(steps) == number:
            raise Killed

    return step, steps


def told(folder: Path) -> Journal:
    """A journal of many segments."""
    journal = opened(folder, segment_bytes=SEGMENT)
    for n in range(10):
        journal.append([line(10 * n + m, "arrive", f"v{m}") for m in range(10)])
    return journal


def read(folder: Path) -> list[tuple[int, datetime, bytes]]:
    with opened(folder) as journal:
        return [(r.number, r.stored_at, r.payload) for r in journal.records()]


def emptied(record: Record) -> Record:
    return Eraser(Known("v3", frozenset({"v3"}), frozenset()), lambda _: FakeFormat()).change(record)


def check_kills(folder: Path) -> int:
    """Killed at each step in turn, the journal is the old one or the new one, whole; how many kills that were."""
    with told(folder / "whole") as journal:
        old = [(r.number, r.stored_at, r.payload) for r in journal.records()]
        rewrite(journal.folder, journal.segments(), emptied)
    new = read(folder / "whole")
    assert [payload for _, _, payload in new].count(b"") == 10
    for number in range(1, 1000):
        step, steps = killed_at(number)
        place = folder / f"kill-{number}"
        try:
            with watched(step):
                with told(place) as journal:
                    rewrite(journal.folder, journal.segments(), emptied)
                complete(place)
        except Killed:
            assert read(place) == (new if "marked" in steps else old), steps[-1]
            assert not list(place.glob("*.fresh"))
        else:
            assert read(place) == new
            return number
    raise AssertionError("it never came to its end")


def test_a_kill_at_any_step_leaves_the_old_journal_or_the_new_one(tmp_path: Path) -> None:
    assert check_kills(tmp_path) > 12


def test_the_check_sees_a_rewriting_without_a_mark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mutant puts every new segment in its place as soon as it finds it, marked or not."""
    monkeypatch.setattr(rewriting, "is_rewritten", lambda folder: any(folder.glob("*.fresh")))
    with pytest.raises((AssertionError, EdtwinError)):
        check_kills(tmp_path)


def test_a_second_rewriting_waits_for_the_database_of_the_first(tmp_path: Path) -> None:
    with told(tmp_path) as journal:
        rewrite(tmp_path, journal.segments(), emptied)
        with pytest.raises(RebuildError, match="its database must be made anew first"):
            rewrite(tmp_path, journal.segments(), emptied)
    assert is_rewritten(tmp_path)
    with told(tmp_path) as journal:  # it goes on
        assert journal.last == 200
    rewriting.done(tmp_path)
    assert not is_rewritten(tmp_path)


def test_a_fault_while_it_is_written_leaves_nothing(tmp_path: Path) -> None:
    def broken(record: Record) -> Record:
        if record.number == 80:
            raise EdtwinError("no mapping")
        return record

    with told(tmp_path) as journal:
        before = sorted(path.name for path in tmp_path.iterdir())
        with pytest.raises(EdtwinError):
            rewrite(tmp_path, journal.segments(), broken)
        assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_an_unchanged_journal_is_the_same_to_the_byte(tmp_path: Path) -> None:
    with told(tmp_path) as journal:
        before = {path.name: path.read_bytes() for path in tmp_path.glob("*.journal")}
        assert rewrite(tmp_path, journal.segments(), lambda record: record).changed == 0
    complete(tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.glob("*.journal")} == before
