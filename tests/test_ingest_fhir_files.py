"""Files of FHIR into the log: the account balances, again is nothing new, a fault of a file is told before all."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ingest.batch import ExtractAccount
from ingest.clock import SimulatedClock
from ingest.database import Database
from ingest.errors import ConfigurationError, UnreadableInputError
from ingest.fhir_files import ingest_fhir
from ingest.fhir_json import LARGEST_BYTES
from ingest.fhir_mapping import load_fhir_mapping
from ingest.log import EventLog
from ingest.mapping import find_mapping
from tests.fhirs import MAPPING, PSEUDONYMS, SEEN, at, been, bundle, encounter

NOW = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture
def log() -> Iterator[EventLog]:
    with Database.open(None) as database:
        yield EventLog(database, SimulatedClock(NOW))


def ingest(path: Path, log: EventLog) -> ExtractAccount:
    account = ingest_fhir(path, MAPPING, log, PSEUDONYMS, now=NOW)
    assert account.read == account.stored + account.duplicate + account.ignored + account.rejected
    return account


def counts(account: ExtractAccount) -> tuple[int, int, int, int, int]:
    return account.read, account.stored, account.duplicate, account.ignored, account.rejected


def visit(number: int, **fields: Any) -> dict[str, Any]:
    return encounter(period={"start": at("10:00")}, **fields) | {"id": f"v{number}"}


def lines(path: Path, *messages: object) -> Path:
    texts = [message if isinstance(message, bytes) else json.dumps(message).encode() for message in messages]
    path.write_bytes(b"\n".join(texts))
    return path


def test_lines_are_accounted_for_and_twice_is_nothing_new(tmp_path: Path, log: EventLog) -> None:
    bad = [b"{", encounter("gone"), b'{"a": "' + b"x" * LARGEST_BYTES + b'"}']
    file = lines(tmp_path / "a.ndjson", visit(1), *bad, {"resourceType": "Patient"}, b"", visit(2), visit(2))
    first = ingest(file, log)
    assert counts(first) == (7, 2, 1, 1, 3)
    assert first.reasons == {"not_json": 1, "too_large": 1, "unknown_code": 1}
    assert first.ignored_by_name == {"no Encounter or Location": 1}
    assert counts(ingest(file, log)) == (7, 0, 3, 1, 3)
    assert log.rejected_counts() == first.reasons, "rejected once, though read twice"


def test_a_bundle_is_accounted_for_by_its_entries(tmp_path: Path, log: EventLog) -> None:
    file = tmp_path / "b.json"
    file.write_text(json.dumps(bundle("searchset", visit(1), visit(2), encounter("gone"), {"resourceType": "Patient"})))
    assert counts(ingest(file, log)) == (3, 2, 0, 0, 1)
    whole = lines(tmp_path / "c.json", bundle("transaction", visit(3), encounter("gone")))
    assert counts(ingest(whole, log)) == (1, 0, 0, 0, 1), "a transaction stands or falls as a whole"


def test_versions_of_a_history_stand_in_their_order_whatever_the_order_of_the_file(
    tmp_path: Path, log: EventLog
) -> None:
    early = visit(1, told="10:20", statusHistory=[been("arrived", "09:55", "10:10")])
    late = visit(1, status="in-progress", told="11:00", statusHistory=SEEN)
    file = lines(tmp_path / "h.json", bundle("history", late, early))
    ingest(file, log)
    assert [(e.kind, f"{e.occurred_at:%H:%M}") for e in log.read()] == [
        ("Arrived", "10:00"), ("Triaged", "10:10"), ("SeenByProvider", "10:40"),
    ]  # fmt: skip
    known_then = log.read(known_at=datetime(2026, 3, 2, 10, 30, tzinfo=UTC))
    assert [(e.kind, f"{e.occurred_at:%H:%M}") for e in known_then] == [("Arrived", "09:55")]
    assert counts(ingest(file, log))[1:3] == (0, 2)


def test_a_folder_is_read_in_the_order_of_its_names_and_other_files_are_left_alone(
    tmp_path: Path, log: EventLog
) -> None:
    lines(tmp_path / "1.json", visit(1))
    lines(tmp_path / "2.jsonl", visit(1), visit(2))
    (tmp_path / "readme.txt").write_text("not FHIR")
    assert counts(ingest(tmp_path, log)) == (3, 2, 1, 0, 0)


def test_a_fault_of_a_file_is_told_before_anything_is_stored(tmp_path: Path, log: EventLog) -> None:
    lines(tmp_path / "1.json", visit(1))
    lines(tmp_path / "2.json", b'{"resourceType": "Encounter", "name": "Dupont"')
    with pytest.raises(UnreadableInputError, match=r"2\.json: the message is not JSON from character 46 on$"):
        ingest(tmp_path, log)
    assert log.length() == 0
    with pytest.raises(UnreadableInputError, match="cannot be read: No such file"):
        ingest(tmp_path / "3.json", log)
    (tmp_path / "empty").mkdir()
    with pytest.raises(UnreadableInputError, match="folder without files"):
        ingest(tmp_path / "empty", log)


def test_every_fault_of_a_mapping_is_told_at_once_with_its_line(tmp_path: Path) -> None:
    text = find_mapping("fhir").read_text()
    wrong = text.replace('EM = "1"', 'EM = "9"').replace('zone = "Europe/Paris"', 'zone = "Paris"')
    file = tmp_path / "m.toml"
    file.write_text(wrong.replace('waiting-room = "waiting_room"', 'waiting-room = { ward = true, beds = "3" }'))
    with pytest.raises(ConfigurationError) as told:
        load_fhir_mapping(file)
    assert "m.toml:7: source.zone: must be an IANA zone such as Europe/Paris, but is 'Paris'" in told.value.faults[0]
    assert any("locations.waiting-room.beds: unknown key" in fault for fault in told.value.faults)
    file.write_text(text.replace('EM = "1"', 'EM = "9"').replace('emd = "own_means"', 'emd = "taxi"'))
    with pytest.raises(ConfigurationError) as told:
        load_fhir_mapping(file)
    assert [fault.split(": ", 1)[1].split(",")[0] for fault in told.value.faults] == [
        "acuity.EM: must be one of 1", "mode.emd: must be one of own_means",
    ]  # fmt: skip
