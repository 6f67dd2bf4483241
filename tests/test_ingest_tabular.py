"""Extracts into the log: the account balances, again is nothing new, growing files rewrite no earlier view."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ingest.batch import ExtractAccount
from ingest.clock import SimulatedClock
from ingest.database import Database
from ingest.errors import ConfigurationError, EdtwinError, UnreadableInputError
from ingest.events import CONTENT_FREE_FIELDS, Cancelled, Event
from ingest.log import EventLog, Extract
from ingest.mapping import find_mapping, load_mapping, parse_mapping
from ingest.tabular import ingest_extract, scan
from tests.extracts import LONG, LONG_HEADER, PSEUDONYMS, WIDE, WIDE_HEADER, march, written
from twin.fabricate import FabricatedHospital, fabricate

SEPSIS = Path(__file__).parent.parent.parent / "shared" / "data" / "sepsis-cases" / "sepsis.csv"
NOW = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture
def log() -> Iterator[EventLog]:
    with Database.open(None) as database:
        yield EventLog(database, SimulatedClock(NOW))


def ingest(path: Path, log: EventLog, mapping: str = WIDE, extracted_at: datetime | None = None) -> ExtractAccount:
    account = ingest_extract(path, parse_mapping(mapping), log, PSEUDONYMS, extracted_at=extracted_at, now=NOW)
    assert account.read == account.stored + account.duplicate + account.ignored + account.rejected
    assert account.rejected == sum(account.reasons.values())
    return account


def counts(account: ExtractAccount) -> tuple[int, int, int, int, int]:
    return account.read, account.stored, account.duplicate, account.ignored, account.rejected


def standing(events: list[Event]) -> list[Event]:
    """The events that no later cancellation strikes out."""
    struck: dict[str, list[Event]] = {}
    for event in events:
        if isinstance(event, Cancelled):
            struck.setdefault(event.target, []).append(event)
    return [
        event for event in events
        if not isinstance(event, Cancelled) and not any(told(c) >= told(event) for c in struck.get(event.event_id, []))
    ]  # fmt: skip


def told(event: Event) -> tuple[datetime, int]:
    assert event.known_at is not None
    return event.recorded_at or event.known_at, event.position


def content(events: list[Event]) -> list[tuple[str, str]]:
    """What standing events say, by their ids."""
    bare: dict[str, Any] = dict.fromkeys(CONTENT_FREE_FIELDS - {"event_id"})
    return sorted((e.event_id, repr(replace(e, **bare))) for e in standing(events))


def row(visit: str, came: str, left: str = "", to: str = "", acuity: str = "2") -> str:
    return f"{visit},p{visit},{came},,{left},50,{acuity},{to},"


# ------------------------------------------------------------------------------------------------------- the account


def test_the_account_counts_rows(tmp_path: Path, log: EventLog) -> None:
    rows = [row("1", "2026-03-02 10:00", "2026-03-02 12:00", "R"), row("2", "2026-03-02 10:00"), row("3", "2026-03-33")]
    path = written(tmp_path, WIDE_HEADER, *rows, rows[0])
    first = ingest(path, log)
    assert counts(first) == (4, 2, 1, 0, 1)
    assert first.reasons == {"impossible_date": 1}
    assert counts(ingest(path, log)) == (4, 0, 3, 0, 1)
    assert log.rejected_counts() == {"impossible_date": 1}, "rejected once, though read twice"


def test_a_row_with_one_new_event_is_stored(tmp_path: Path, log: EventLog) -> None:
    open_, closed = row("1", "2026-03-02 10:00"), row("1", "2026-03-02 10:00", "2026-03-02 12:00", "R")
    other = row("2", "2026-03-02 11:00")
    assert counts(ingest(written(tmp_path, WIDE_HEADER, open_, other), log, WIDE, march(3)))[1:3] == (2, 0)
    assert counts(ingest(written(tmp_path, WIDE_HEADER, closed, other), log, WIDE, march(4)))[1:3] == (1, 1)
    removed = ingest(written(tmp_path, WIDE_HEADER, open_, other), log, WIDE, march(5))
    assert counts(removed)[1:3] == (1, 1), "an exit that was taken back is news"
    assert "Departed" not in {e.kind for e in standing(log.read())}
    assert "Departed" in {e.kind for e in standing(log.read(known_at=march(4, "12:00")))}


def test_ignored_rows_are_counted_by_name(tmp_path: Path, log: EventLog) -> None:
    rows = ["7,1,Came,2026-03-02 10:00,80", "7,2,Coffee,2026-03-02 10:00,", "7,3,Dance,2026-03-02 10:00,"]
    account = ingest(written(tmp_path, LONG_HEADER, *rows), log, LONG)
    assert counts(account) == (3, 1, 0, 2, 0)
    assert account.ignored_by_name == {"(not in the mapping)": 1, "Coffee": 1}


def test_a_folder_is_read_in_the_order_of_its_names(tmp_path: Path, log: EventLog) -> None:
    folder = tmp_path / "extracts"
    folder.mkdir()
    written(folder, WIDE_HEADER, row("1", "2026-03-02 10:00", "2026-03-02 12:00", "R"), name="b.csv")
    written(folder, WIDE_HEADER, row("1", "2026-03-02 10:00"), name="a.csv")
    unstated = WIDE.replace("extracted_at = 2026-03-31T00:00:00Z\n", "")
    assert counts(ingest(folder, log, unstated)) == (2, 2, 0, 0, 0)
    assert counts(ingest(folder, log, unstated)) == (2, 0, 2, 0, 0)
    assert [e.kind for e in standing(log.read())] == ["Arrived", "Departed", "Changed"]


def test_an_empty_extract_is_no_fault(tmp_path: Path, log: EventLog) -> None:
    assert counts(ingest(written(tmp_path, WIDE_HEADER), log)) == (0, 0, 0, 0, 0)
    unstated = WIDE.replace("extracted_at = 2026-03-31T00:00:00Z\n", "")
    assert counts(ingest(written(tmp_path, WIDE_HEADER, row("", "x")), log, unstated)) == (1, 0, 0, 0, 1)


def test_an_extract_is_taken_at_its_newest_time_unless_it_is_stated(tmp_path: Path) -> None:
    path = written(
        tmp_path, WIDE_HEADER, row("1", "2026-03-02 10:00", "2026-03-02 12:00", "R"), row("2", "2206-03-02 10:00"),
        row("3", "1970-01-01 10:00", "2026-03-02 13:00"),
    )  # fmt: skip
    unstated = parse_mapping(WIDE.replace("extracted_at = 2026-03-31T00:00:00Z\n", ""))
    found = scan(path, unstated, PSEUDONYMS, extracted_at=None, now=NOW)
    assert (found.first_at, found.extracted_at) == (march(2, "09:00"), march(2, "11:00")), "senseless rows tell nothing"
    assert scan(path, parse_mapping(WIDE), PSEUDONYMS, extracted_at=None, now=NOW).extracted_at == march(31)
    assert scan(path, unstated, PSEUDONYMS, extracted_at=march(9), now=NOW).extracted_at == march(9)


@pytest.mark.skipif(not SEPSIS.exists(), reason="the Sepsis log is not at ../shared/data")
def test_the_sepsis_log_balances_and_twice_stores_nothing_new(log: EventLog) -> None:
    mapping = load_mapping(find_mapping("sepsis"))
    first = ingest_extract(SEPSIS, mapping, log, PSEUDONYMS, now=NOW)
    assert counts(first) == (15214, 12295, 0, 2919, 0)
    assert first.ignored_by_name == {
        "ER Sepsis Triage": 1049, "IV Antibiotics": 823, "IV Liquid": 753, "Return ER": 294,
    }  # fmt: skip
    kinds = Counter(e.kind for e in log.read())
    assert kinds == {
        "Arrived": 1050,
        "Triaged": 1053,
        "TestResulted": 8111,
        "Departed": 810,
        "Moved": 490,
        "LeftWard": 781,
    }
    again = ingest_extract(SEPSIS, mapping, log, PSEUDONYMS, now=NOW)
    assert counts(again) == (15214, 0, 12295, 2919, 0)
    assert log.length() == 12295


def test_every_row_of_the_fabricated_hospital_is_understood(tmp_path: Path, log: EventLog) -> None:
    made = fabricate(FabricatedHospital(kind="congested", size="small"), start=march(2), days=3, seed=7)
    made.write_wide_csv(tmp_path / "f.csv")
    account = ingest_extract(tmp_path / "f.csv", load_mapping(find_mapping("edtwin_wide")), log, PSEUDONYMS, now=NOW)
    assert (account.read, account.rejected) == (account.stored, 0)
    assert account.read > 200


# ------------------------------------------------------------------------------------------------ files that grow

DAYS = 30
WINDOW_DAYS = 7
START = march(1, "05:00")


@dataclass(frozen=True)
class Stay:
    """One visit as its record changed: (from when, what the row says)."""

    visit: str
    arrived_at: datetime
    rows: tuple[tuple[datetime, str], ...]

    def at(self, taken_at: datetime) -> str | None:
        if self.arrived_at > taken_at:
            return None
        return next(text for since, text in reversed(self.rows) if since <= taken_at)


def local(instant: datetime) -> str:
    return (instant + timedelta(hours=1)).strftime("%Y-%m-%d %H:%M")


def stays(seed: int) -> list[Stay]:
    """Visits whose exits come late, are changed, and are sometimes taken back, all within six days."""
    chance, made = np.random.default_rng(seed), []
    for number in range(90):
        came = START + timedelta(hours=chance.uniform(-20, 24 * (DAYS - 8)))
        left = came + timedelta(hours=chance.uniform(0.5, 30))
        entered = left + timedelta(hours=float(chance.choice([0, 0, 1, 20, 60])))
        mended = entered + timedelta(hours=chance.uniform(1, 30))
        other = came + (left - came) / 2
        versions = [(came, row(str(number), local(came), acuity="")), (came, row(str(number), local(came)))]
        versions.append((entered, row(str(number), local(came), local(left), chance.choice(list("RWF")))))
        if number % 3 == 0:
            versions.append((mended, row(str(number), local(came), local(other), chance.choice(list("RWF")))))
        if number % 7 == 0:
            versions.append((mended + timedelta(hours=9), row(str(number), local(came), acuity="4")))
        made.append(Stay(str(number), came, tuple(versions)))
    return made


def growing(folder: Path, made: list[Stay]) -> list[tuple[Path, datetime]]:
    """Daily files of the visits that arrived in the last seven days, as their records stood."""
    files = []
    for day in range(DAYS):
        taken = START + timedelta(days=day)
        since = taken - timedelta(days=WINDOW_DAYS)
        rows = [text for stay in made if stay.arrived_at >= since and (text := stay.at(taken)) is not None]
        files.append((written(folder, WIDE_HEADER, *rows, name=f"{day:02}.csv"), taken))
    return files


def history_stands(files: list[tuple[Path, datetime]], log: EventLog) -> bool:
    """Ingest the files one by one; whether every view made after a file is the same at the end."""
    seen = []
    for path, taken in files:
        ingest(path, log, WIDE, taken)
        seen.append((taken, content(log.read(known_at=taken))))
    return all(content(log.read(known_at=taken)) == view for taken, view in seen)


def test_daily_files_end_equal_to_the_final_extract_and_rewrite_no_view(tmp_path: Path, log: EventLog) -> None:
    made = stays(1)
    files = growing(tmp_path, made)
    assert history_stands(files, log)

    end = START + timedelta(days=DAYS)
    final = written(tmp_path, WIDE_HEADER, *(text for stay in made if (text := stay.at(end))), name="final.csv")
    with Database.open(None) as database:
        alone = EventLog(database, SimulatedClock(NOW))
        ingest(final, alone, WIDE, end)
        assert content(log.read()) == content(alone.read())
    before = log.length()
    assert sum(ingest(path, log, WIDE, taken).stored for path, taken in files[::7]) == 0, "any file again"
    assert log.length() == before


def test_a_log_that_took_silence_for_nothing_would_be_found_out(
    tmp_path: Path, log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mutant: extracts are never finished, so late exits slip into views that were made without them."""

    def forget(self: EventLog, extract: Extract) -> None:
        return

    monkeypatch.setattr(EventLog, "finish", forget)
    assert not history_stands(growing(tmp_path, stays(1))[:8], log)


def test_a_change_of_what_was_known_later_changes_no_earlier_view(tmp_path: Path) -> None:
    """Two hospitals that differ only in visits after day 5 look alike until then."""
    views = []
    for extra in ("", "5"):
        folder = tmp_path / f"x{extra}"
        folder.mkdir()
        made = [
            Stay(s.visit, s.arrived_at, tuple((a, t.replace(",50,2,", f",50,{extra or 2},")) for a, t in s.rows))
            if s.arrived_at > march(5) else s
            for s in stays(3)
        ]  # fmt: skip
        with Database.open(None) as database:
            log = EventLog(database, SimulatedClock(NOW))
            for path, taken in growing(folder, made)[:9]:
                ingest(path, log, WIDE, taken)
            views.append([content(log.read(known_at=march(day))) for day in (5, 9)])
    assert views[0][0] == views[1][0]
    assert views[0][1] != views[1][1]


# ----------------------------------------------------------------------------------------------------- bad input


def test_a_fault_of_any_file_is_told_before_a_row_is_stored(tmp_path: Path, log: EventLog) -> None:
    folder = tmp_path / "extracts"
    folder.mkdir()
    written(folder, WIDE_HEADER, row("1", "2026-03-02 10:00"), name="a.csv")
    written(folder, WIDE_HEADER.replace("acuity", "urgency"), name="b.csv")
    with pytest.raises(ConfigurationError, match="'acuity'"):
        ingest(folder, log)
    assert log.length() == 0
    assert log.positions() == {}


def test_a_file_that_breaks_off_stores_nothing(tmp_path: Path, log: EventLog) -> None:
    path = written(tmp_path, WIDE_HEADER, row("1", "2026-03-02 10:00"))
    path.write_bytes(path.read_bytes() + "2,Andr\u00e9,2026-03-02 10:00,,,,,,\n".encode("latin-1"))
    with pytest.raises(UnreadableInputError, match="is not utf-8 text"):
        ingest(path, log)
    assert log.length() == 0
    assert counts(ingest(path, log, WIDE.replace("[keys]", 'encoding = "iso-8859-15"\n[keys]'))) == (2, 2, 0, 0, 0)


# --------------------------------------------------------------------------------------------------- no name on disk

NAMES = [f"{name}{n}" for n in range(10) for name in ("Durand", "Lefebvre", "1850712345", "0612345", "rue-Monge-")]


def canaries(path: Path) -> None:
    """Names and numbers in every column, in rows good and bad, some rows with too many cells."""
    places = WIDE_HEADER.split(",")
    rows = []
    for n, name in enumerate(NAMES):
        cells = ["v", "p", "2026-03-02 10:00", "", "", "50", "2", "R", "MED"]
        cells[n % len(places)] = name
        cells[0], cells[1] = f"{name}-visit", f"{name}-patient"
        rows.append(",".join(cells + [name] * (n % 11 == 0)))
    path.write_text("\n".join([WIDE_HEADER, *rows, '"unclosed'][: len(rows) + 1]) + "\n")


def leaks(folder: Path, told: str) -> list[str]:
    """The names that stand in clear in any file of the folder, or in what was told."""
    held = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    return [name for name in NAMES if name.encode() in held or name in told]


def test_no_name_reaches_the_disk_or_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    source, data = tmp_path / "source.csv", tmp_path / "data"
    data.mkdir()
    canaries(source)
    with Database.open(data / "log.duckdb") as database:
        log = EventLog(database, SimulatedClock(NOW))
        account = ingest(source, log)
        assert account.rejected > 20
        said = [str(account)]
        for broken in ("no header", "torn", "latin"):
            bad = shutil.copy(source, tmp_path / f"{broken}.csv")
            spoil(Path(bad), broken)
            with pytest.raises(EdtwinError) as caught:
                ingest(Path(bad), log)
            said.append(f"{caught.value} {caught.value.__context__ if not caught.value.__suppress_context__ else ''}")
        leaked = leaks(data, " ".join((*said, capsys.readouterr().out, caplog.text)))
    assert leaked == []
    assert leaks(data, "") == []
    assert leaks(tmp_path, "") == NAMES, "the search finds what is there"


def spoil(path: Path, how: str) -> None:
    lines = path.read_text().splitlines()
    if how == "no header":
        path.write_text("\n".join(lines[1:]))
    elif how == "torn":
        path.write_text("\n".join(line.replace(",", ";") for line in lines))
    else:
        path.write_bytes("\n".join([*lines, lines[-1] + "\u00e9"]).encode("latin-1"))


def test_a_reader_that_kept_the_row_would_be_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Mutant: pseudonyms that are the numbers themselves."""
    source, data = tmp_path / "source.csv", tmp_path / "data"
    data.mkdir()
    canaries(source)
    monkeypatch.setattr("ingest.pseudonyms.Pseudonyms.array", lambda self, kind, numbers: numbers)
    with Database.open(data / "log.duckdb") as database:
        ingest(source, EventLog(database, SimulatedClock(NOW)))
    assert leaks(data, "") != []
