"""`/fhir`: who may send, what is answered, and that nothing is answered before it is kept."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from dashboard.app import WallSettings, build_app
from dashboard.fhir_endpoint import Receipt, Receive, answer_fhir, read_token
from dashboard.intake import FhirDoor
from ingest import pipeline
from ingest.clock import SimulatedClock
from ingest.errors import JournalWriteError, SecretError
from ingest.fhir import FhirFormat
from ingest.fhir_json import LARGEST_BYTES
from ingest.log import EventLog
from ingest.pipeline import Pipeline
from tests.boards import ordinary
from tests.fhirs import MAPPING, PSEUDONYMS, at, bundle, encounter
from tests.journals import SmallHouse, house

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
TOKEN = b"a-token-of-no-less-than-32-letters"
FORMAT = FhirFormat(MAPPING, PSEUDONYMS)
GOOD = encounter(period={"start": at("10:00")})


@pytest.fixture
def small(tmp_path: Path) -> Iterator[SmallHouse]:
    with house(tmp_path / "journal", SimulatedClock(NOW), form=FormatOfTheJournal()) as opened:
        yield opened


@pytest.fixture
def log(small: SmallHouse) -> EventLog:
    return small.log


class FormatOfTheJournal(FhirFormat):
    """As a house reads its journal: without the secret."""

    def __init__(self) -> None:
        super().__init__(MAPPING, None)


def client(receive: Receive) -> FlaskClient:
    server: Flask = build_app(ordinary, WallSettings()).server
    answer_fhir(server, FORMAT, receive, TOKEN, SimulatedClock(NOW))
    return server.test_client()


@pytest.fixture
def send(small: SmallHouse) -> Iterator[Any]:
    pipeline = Pipeline(small.journal)
    pipeline.start()
    door = client(FhirDoor(FORMAT, TOKEN, pipeline).receive)

    def post(message: object, path: str = "/fhir", method: str = "POST", **headers: str) -> tuple[int, Any, Any]:
        body = message if isinstance(message, bytes) else json.dumps(message).encode()
        given = {"Authorization": f"Bearer {TOKEN.decode()}", "Content-Type": "application/fhir+json"}
        answer = door.open(path, method=method, data=body, headers=given | headers)
        small.indexer.catch_up()
        return answer.status_code, answer.get_json(silent=True), answer

    yield post
    pipeline.stop()


def issues(outcome: Any) -> list[tuple[str, str]]:
    assert outcome["resourceType"] == "OperationOutcome"
    return [(issue["code"], issue["diagnostics"]) for issue in outcome["issue"]]


def test_an_encounter_is_kept_and_known_when_it_is_stored(send: Any, log: EventLog) -> None:
    status, outcome, answer = send(GOOD)
    assert (status, issues(outcome)) == (200, [("informational", "1 kept, 0 of them not understood")])
    assert answer.content_type == "application/fhir+json"
    (event,) = log.read()
    assert (event.kind, event.known_at == event.stored_at, event.position) == ("Arrived", True, 1)
    assert send(GOOD, "/fhir/Encounter/v1", "PUT")[0] == 200
    assert (log.length(), log.accounts()["fhir"].duplicate) == (1, 1)


def test_a_bundle_is_kept_entry_by_entry(send: Any, log: EventLog) -> None:
    status, outcome, _ = send(bundle("collection", GOOD, encounter("gone"), GOOD | {"id": "v2"}))
    assert status == 200
    assert issues(outcome)[1] == (
        "invalid", "entry 2: unknown_code: entry 1: Encounter.status is not a code that FHIR R4 binds there",
    )  # fmt: skip
    account = log.accounts()["fhir"]
    assert (account.read, account.stored, account.rejected) == (3, 2, 1)


@pytest.mark.parametrize(
    ("message", "status", "code"),
    [
        (encounter("gone"), 422, "invalid"),
        (b"{", 400, "structure"),
        (b"[" * 100_000, 400, "structure"),
        (b"\xff", 400, "structure"),
        ({"resourceType": "Patient"}, 200, "informational"),
        (b"", 200, "informational"),
    ],
)
def test_what_is_not_understood_is_kept_and_said(send: Any, message: object, status: int, code: str) -> None:
    answered, outcome, _ = send(message)
    assert (answered, issues(outcome)[0][0]) == (status, code)


@pytest.mark.parametrize(
    "given", ["", "Bearer", "Bearer wrong", f"Basic {TOKEN.decode()}", f"Bearer {TOKEN.decode()}x"]
)
def test_without_the_token_nothing_is_read(send: Any, log: EventLog, given: str) -> None:
    status, outcome, answer = send(GOOD, Authorization=given)
    assert (status, issues(outcome)[0][0], answer.headers["WWW-Authenticate"]) == (401, "login", "Bearer")
    assert log.accounts() == {}


def test_tokens_are_compared_in_constant_time(send: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[bytes, bytes]] = []

    def compare(a: bytes, b: bytes) -> bool:
        compared.append((a, b))
        return a == b

    monkeypatch.setattr("dashboard.fhir_endpoint.hmac.compare_digest", compare)
    assert [send(GOOD, Authorization=f"Bearer {given}")[0] for given in ("x", TOKEN.decode())] == [401, 200]
    assert {len(part) for pair in compared for part in pair} == {32}, "digests, so that no length shows"


def test_other_types_sizes_and_methods_are_refused(send: Any, log: EventLog) -> None:
    assert send(GOOD, **{"Content-Type": "application/fhir+xml"})[0] == 415
    status, outcome, _ = send(b" " * (LARGEST_BYTES + 1))
    assert (status, issues(outcome)[0][0]) == (413, "too-costly")
    assert send(GOOD, method="GET")[0] == 405
    assert log.accounts() == {}
    wide = encounter(text={"div": "x" * 2_000_000})
    assert send(wide | {"period": {"start": at("10:00")}})[0] == 200, "larger than what a page may send"


def test_what_is_not_kept_must_be_sent_again() -> None:
    def receive(messages: Sequence[bytes]) -> Sequence[Receipt]:
        kept = pipeline.Receipt(answer=pipeline.Answer.ACCEPTED, number=1, stored_at=NOW)
        return [kept, *[pipeline.Receipt(answer=pipeline.Answer.UNAVAILABLE)] * (len(messages) - 1)]

    answer = client(receive).post(
        "/fhir", json=bundle("batch", GOOD, GOOD), headers={"Authorization": f"Bearer {TOKEN.decode()}"}
    )
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert issues(answer.get_json(force=True))[0][0] == "transient"


def test_a_journal_that_cannot_be_written_keeps_nothing_and_says_nothing_of_the_message(
    send: Any, small: SmallHouse, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object) -> None:
        raise JournalWriteError("the journal cannot be written: no space left")

    monkeypatch.setattr(type(small.journal), "append", full)
    canary = GOOD | {"id": "CanaryZz"}
    assert send(canary)[0] == 503
    assert "no space left" in caplog.text
    assert "CanaryZz" not in caplog.text
    monkeypatch.undo()
    assert send(canary)[0] == 200


def test_what_came_is_read_again_from_the_journal_alone(send: Any, small: SmallHouse) -> None:
    send(GOOD)
    (record,) = small.journal.records(0)
    assert record.format == FhirFormat.name
    assert FORMAT.source in small.journal.positions()


def test_every_answer_has_the_headers_of_the_house(send: Any) -> None:
    for status, given in ((200, {}), (401, {"Authorization": ""})):
        answered, _, answer = send(GOOD, **given)
        assert (answered, answer.headers["Cache-Control"]) == (status, "no-store")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_token_is_one_long_word_that_its_owner_alone_can_read(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_bytes(TOKEN + b"\n")
    file.chmod(0o600)
    assert read_token(file) == TOKEN
    file.chmod(0o640)
    with pytest.raises(SecretError, match="must be readable by its owner alone"):
        read_token(file)
    file.chmod(0o600)
    file.write_text("short")
    with pytest.raises(SecretError, match="one word of 32 characters or more"):
        read_token(file)
    with pytest.raises(SecretError, match="cannot be read: FileNotFoundError"):
        read_token(tmp_path / "none")
