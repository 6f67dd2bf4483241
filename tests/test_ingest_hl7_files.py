"""Files of messages: batches, counts that differ, the samples of others, and the command."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from dashboard.__main__ import main
from ingest.clock import SimulatedClock
from ingest.database import Database, rows
from ingest.errors import UnreadableInputError
from ingest.hl7 import Hl7
from ingest.hl7_edge import Hl7Edge
from ingest.hl7_files import Envelope, frames, hl7_files, ingest_messages
from ingest.hl7_settings import load_settings
from ingest.hl7_text import MAX_FRAME_BYTES, Fault, split
from ingest.log import EventLog
from ingest.mapping import find_mapping
from ingest.pseudonyms import Pseudonyms
from tests.hl7_canaries import CANARIES, everywhere
from tests.hl7_messages import adt, hl7, zbe
from tests.worlds import at
from twin.state import State, fold

SAMPLES = Path(__file__).parents[2] / "shared" / "data" / "hl7-samples"
ONE, TWO = adt("A04", "08:00", unit="ED"), adt("A03", "09:00", unit="ED")


def framed(content: bytes) -> tuple[list[bytes], dict[str, int]]:
    envelope = Envelope()
    return list(frames(io.BytesIO(content), envelope)), dict(envelope.flags)


@pytest.mark.parametrize(
    ("content", "count", "flags"),
    [
        (ONE + TWO, 2, {}),
        (ONE.replace(b"\r", b"\r\n") + b"\r\n\r\n" + TWO.replace(b"\r", b"\n"), 2, {}),
        (b"\x0b" + ONE + b"\x1c\r\x0b" + TWO + b"\x1c\r", 2, {}),
        (b"FHS|^~\\&\rBHS|^~\\&\r" + ONE + TWO + b"BTS|2\rBHS|^~\\&\r" + ONE + b"BTS|1\rFTS|2\r", 3, {}),
        (b"BHS|^~\\&\r" + ONE + TWO + b"BTS|5\r", 2, {"batch_count_differs": 1}),
        (b"FHS|^~\\&\rBHS|^~\\&\r" + ONE + b"FTS|7\r", 1, {"batch_without_trailer": 1, "file_count_differs": 1}),
        (b"BHS|^~\\&\rEVN|A04\rPID|1\rBTS|1\r", 1, {}),
        (b"\r\n \r\n", 0, {}),
        (b"", 0, {}),
    ],
)
def test_every_msh_is_a_message_and_counts_that_differ_are_flagged(
    content: bytes, count: int, flags: dict[str, int]
) -> None:
    found, noted = framed(content)
    assert (len(found), noted) == (count, flags)


def test_frames_are_the_messages_themselves() -> None:
    assert [frame.rstrip() for frame in framed(ONE + b"\n\n" + TWO)[0]] == [ONE.rstrip(), TWO.rstrip()]


def test_a_line_that_never_ends_is_cut_refused_and_does_not_hide_what_follows() -> None:
    found, _ = framed(ONE + b"MSH|" + b"x" * (5 * MAX_FRAME_BYTES) + b"\r" + TWO)
    assert [isinstance(split(frame), Fault) for frame in found] == [False, True, False]
    assert max(map(len, found)) <= 3 * MAX_FRAME_BYTES


def test_a_folder_without_messages_is_told(tmp_path: Path) -> None:
    with pytest.raises(UnreadableInputError, match="must hold files that end with"):
        hl7_files(tmp_path)


def test_a_file_in_the_log_is_the_fold_of_its_messages_and_a_second_time_nothing_is_new(tmp_path: Path) -> None:
    story = [
        adt("A04", "08:00", zbe("1", "08:00"), unit="ED", group="E"),
        adt("A02", "09:00", zbe("2", "09:00"), unit="SAUV", group="E"),
        adt("A12", "09:30", zbe("2", "09:00", "CANCEL"), unit="ED", group="E"),
        adt("A54", "09:40"),
        adt("A02", "09:50", group="E"),
    ]
    (tmp_path / "a.hl7").write_bytes(b"\n".join(story))
    with Database.open(tmp_path / "log.duckdb") as database:
        log = EventLog(database, SimulatedClock(at("12:00")))
        first = ingest_messages(tmp_path, "adt", hl7(), log, now=at("12:00"))
        again = ingest_messages(tmp_path, "adt", hl7(), log, now=at("13:00"))
        [visit] = fold(State(), log.read()).visits.values()
    assert (first.read, first.stored, first.ignored, first.rejected) == (5, 3, 1, 1)
    assert (again.read, again.stored, again.duplicate) == (5, 0, 3)
    assert (first.reasons, first.ignored_by_name) == ({"missing_unit": 1}, {"no_movement": 1})
    assert [stay.unit for stay in visit.stays] == ["boxes"]


_EVENTS, _REJECTED, _BATCHES = "FROM event", "FROM rejected", "FROM batch"


def traces(folder: Path, capsys: pytest.CaptureFixture[str], canaries: list[str]) -> list[str]:
    """Canaries that are in the database, whose file is compressed, or on the screen after they were loaded."""
    inbox, data = folder / "in.hl7", folder / "data"
    inbox.write_bytes(b"\n".join(frame for n, canary in enumerate(canaries) for frame in everywhere(canary, n)))
    options = "--format hl7 --mapping hl7_default --json --data"
    assert main(["ingest", str(inbox), *options.split(), str(data)]) == 0
    screen = capsys.readouterr()
    with Database.open(next(data.glob("*.duckdb"))) as database:
        held = repr([rows(database.cursor(), statement) for statement in (_EVENTS, _REJECTED, _BATCHES)])
    assert len(held) > 10_000
    return [canary for canary in canaries if canary in held + screen.out + screen.err]


def test_no_canary_reaches_the_database_or_the_screen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert traces(tmp_path, capsys, CANARIES[::20]) == []


def test_a_code_that_reaches_the_database_as_it_is_is_caught(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Hl7Edge, "code", lambda self, text, known: text)
    assert traces(tmp_path, capsys, CANARIES[::20]) != []


def sample_form() -> Hl7:
    return Hl7(load_settings(find_mapping("hl7_default")), Pseudonyms(b"s" * 32, "hospital"))


@pytest.mark.skipif(not SAMPLES.exists(), reason="the HL7 samples are not beside the checkout")
@pytest.mark.parametrize(
    ("folder", "read", "applied", "ignored", "reasons"),
    [
        ("microsoft-fhir-converter", 57, 38, 19, {}),
        ("python-hl7", 29, 2, 0, {"missing_visit": 21, "no_msh": 6}),
        ("simhospital", 1013, 792, 3, {"missing_visit": 218}),
    ],
)
def test_every_sample_of_others_is_accounted_for(
    folder: str, read: int, applied: int, ignored: int, reasons: dict[str, int], tmp_path: Path
) -> None:
    with Database.open(tmp_path / "log.duckdb") as database:
        log = EventLog(database, SimulatedClock(at("12:00")))
        account = ingest_messages(SAMPLES / folder, "adt", sample_form(), log, now=at("12:00"))
    assert (account.read, account.stored + account.duplicate, account.ignored) == (read, applied, ignored)
    assert account.reasons == reasons
    assert account.read == account.stored + account.duplicate + account.ignored + account.rejected


def test_the_command_takes_a_folder_of_messages(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.hl7").write_bytes(ONE + TWO)
    arguments = [
        "ingest",
        str(tmp_path / "in"),
        "--format",
        "hl7",
        "--mapping",
        "hl7_default",
        "--data",
        str(tmp_path / "data"),
    ]
    assert main([*arguments, "--json"]) == 0
    account = json.loads(capsys.readouterr().out)
    expected = {"read": 2, "stored": 2, "duplicate": 0, "ignored": 0, "rejected": 0, "reasons": {}}
    assert {name: account[name] for name in expected} == expected
    assert main(arguments) == 0
    assert "2 messages read = 0 stored + 2 duplicate" in capsys.readouterr().out
