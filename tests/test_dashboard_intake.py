"""Messages into a house and out of it: the settings of MLLP, the quarantine, the rebuild, and a replay as messages."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from dashboard import formats
from dashboard.__main__ import main
from dashboard.errors import CommandError
from dashboard.house import DATABASE, SECRET, open_house
from dashboard.intake import Intake
from dashboard.sending import Receiver
from dashboard.settings import Settings, load_settings
from ingest.errors import ConfigurationError
from ingest.events import Event
from ingest.log import Position
from ingest.pseudonyms import Pseudonyms
from ingest.sources.mllp_client import MllpClient
from tests.fake_format import FakeHl7, hl7
from tests.logs import departed
from tests.ports import free_port

Told = Callable[..., dict[str, Any]]


class Fake(FakeHl7):
    """The fake format under the name of the real one; its units come from the mapping's text."""

    name = "hl7"


@pytest.fixture(autouse=True)
def fake_hl7(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the readers of HL7 would give; a mapping is the names of units."""

    def made(units: list[str], pseudonyms: Pseudonyms | None) -> Fake:
        return Fake(*units)

    def render(events: Iterable[Event]) -> Iterator[bytes]:
        return (hl7(e.position, "leave", getattr(e, "visit", "")) for e in events if e.kind == "Departed")

    modules = {
        "ingest.hl7": SimpleNamespace(Hl7=made),
        "ingest.hl7_settings": SimpleNamespace(load_settings=lambda path: path.read_text().split()),
        "ingest.hl7_render": SimpleNamespace(render=render),
    }
    monkeypatch.setattr(formats, "_module", modules.__getitem__)


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Told:
    """Run a command; its JSON."""

    def run(*arguments: str, status: int = 0) -> dict[str, Any]:
        capsys.readouterr()
        assert main([*arguments, "--json"]) == status
        return json.loads(capsys.readouterr().out)  # type: ignore[no-any-return]

    return run


def configured(folder: Path, *units: str, **said: object) -> Settings:
    """Settings with an MLLP port that is free."""
    mapping = folder / "hl7.toml"
    mapping.write_text(" ".join(units or ("er",)))
    values = {"data": folder / "data", "mllp_mapping": mapping, "disk_reserve_mb": 0, "mllp_port": free_port()}
    return Settings.model_validate(values | said)


def filled(folder: Path, *messages: bytes, units: tuple[str, ...] = ("er",)) -> Settings:
    """A house that took messages by MLLP and was ended."""
    settings = configured(folder, *units)
    with open_house(settings) as house:
        intake = Intake(house)
        intake.start()
        with MllpClient("127.0.0.1", settings.mllp_port) as client:
            for message in messages:
                client.send(message)
        intake.join(10)
    return settings


def as_file(settings: Settings, folder: Path) -> str:
    file = folder / "edtwin.toml"
    file.write_text(
        f'data = "data"\nmllp_mapping = "hl7.toml"\nmllp_port = {settings.mllp_port}\ndisk_reserve_mb = 0\n'
    )
    return str(file)


# ------------------------------------------------------------------------------------------------------------- a house


def test_messages_come_into_the_log_of_a_house(tmp_path: Path) -> None:
    settings = filled(tmp_path, hl7(1), hl7(2, "leave", "v1", 9), b"\x00bad")
    assert (settings.data / SECRET).exists()
    with open_house(settings) as house:
        assert [e.kind for e in house.log.read()] == ["Arrived", "Departed"]
        account = house.log.accounts()["mllp"]
        assert (account.read, account.stored, account.rejected) == (3, 2, 1)
        assert house.indexer.lag == 0


def test_what_was_journalled_and_not_indexed_is_in_the_log_when_the_house_opens(tmp_path: Path) -> None:
    settings = filled(tmp_path, hl7(1))
    (settings.data / DATABASE).unlink()
    with open_house(settings) as house:
        assert len(house.log.read()) == 1


def test_a_house_without_sources_needs_no_secret(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path / "data", disk_reserve_mb=0)
    with open_house(settings) as house:
        house.log.append([departed("a")], Position(source="fabricated", offset=1))
        intake = Intake(house)
        intake.start()
        house.log.append([departed("b")], Position(source="fabricated", offset=2))
        intake.join(10)
        assert house.log.length() == 2
    assert not (settings.data / SECRET).exists()


def test_a_port_open_to_others_must_name_who_may_send(tmp_path: Path) -> None:
    with (
        open_house(configured(tmp_path, mllp_host="0.0.0.0")) as house,
        pytest.raises(CommandError, match=r"mllp_senders must name who may send, because mllp_host 0\.0\.0\.0 is open"),
    ):
        Intake(house)


def test_a_house_whose_mllp_port_is_taken_says_so_and_ends(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Also the parts that had not begun yet are ended."""
    settings = configured(tmp_path)
    with socket.create_server(("127.0.0.1", settings.mllp_port)):
        assert main(["up", "--port", "0", "--config", as_file(settings, tmp_path)]) == 2
    said = f"edtwin up: MLLP cannot be listened for on 127.0.0.1, port {settings.mllp_port}: Address already in use"
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ({"mllp_port": 2575}, "mllp_mapping must be given where mllp_port is"),
        ({"mllp_tls_cert": "c.pem"}, "mllp_tls_cert and mllp_tls_key must be given together"),
        ({"mllp_tls_client_ca": "c.pem"}, "mllp_tls_client_ca needs mllp_tls_cert"),
        ({"mllp_port": -1}, "mllp_port"),
    ],
)
def test_settings_that_do_not_go_together_are_told(said: dict[str, object], fault: str) -> None:
    with pytest.raises(ConfigurationError, match=fault):
        load_settings(None, **said)


def test_files_of_settings_lie_beside_their_file(tmp_path: Path) -> None:
    (tmp_path / "e.toml").write_text('mllp_mapping = "m.toml"\nmllp_senders = ["GAM^CHU@10.0.0.0/8"]\n')
    settings = load_settings(tmp_path / "e.toml")
    assert settings.mllp_mapping == tmp_path / "m.toml"
    assert settings.mllp_senders == ("GAM^CHU@10.0.0.0/8",)


# ------------------------------------------------------------------------------------- quarantine, read again, rebuild


def test_a_mended_mapping_takes_what_was_rejected_and_a_rebuild_gives_the_same(tmp_path: Path, told: Told) -> None:
    settings = filled(tmp_path, hl7(1), hl7(2, unit="surgery"), b"bad")
    config = ("--config", as_file(settings, tmp_path))
    listed = {r["reason"]: r["count"] for r in told("quarantine", "list", *config)["rejected"]}
    assert listed == {"malformed": 1, "unknown_value": 1}
    assert told("retry-rejected", *config) == {"taken": 0, "still_rejected": {"malformed": 1, "unknown_value": 1}}
    settings.mllp_mapping.write_text("er surgery")  # type: ignore[union-attr]
    assert told("retry-rejected", "--reason", "unknown_value", *config) == {"taken": 1, "still_rejected": {}}
    assert len(told("quarantine", "list", *config)["rejected"]) == 1
    with open_house(settings) as house:
        before = house.log.read_table(), house.log.accounts()
    made = told("rebuild", *config)
    assert (made["records"], made["rows"]) == (4, 2)
    assert (settings.data / made["put_aside"]).exists()
    with open_house(settings) as house:
        after = house.log.read_table(), house.log.accounts()
    assert before[0].equals(after[0])
    assert before[1] == after[1]


def test_the_quarantine_is_exported_and_what_is_sealed_opened(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    key = tmp_path / "private"
    assert main(["quarantine", "new-key", "--out", str(key)]) == 0
    assert key.stat().st_mode & 0o777 == 0o600
    public = capfdbinary.readouterr().out.decode().split('"')[1]
    settings = configured(tmp_path, quarantine_key=public)
    with open_house(settings) as house:
        intake = Intake(house)
        intake.start()
        with MllpClient("127.0.0.1", settings.mllp_port) as client:
            client.send(b"a \x0b name")
        intake.join(10)
    data = ("--data", str(settings.data))
    assert main(["quarantine", "export", "--out", str(tmp_path / "q.csv"), *data]) == 0
    assert "sealed, " in (tmp_path / "q.csv").read_text()
    assert "a \x0b name" not in (tmp_path / "q.csv").read_text()
    capfdbinary.readouterr()
    assert main(["quarantine", "open", "--record", "1", "--private-key", str(key), *data]) == 0
    assert capfdbinary.readouterr().out == b"a \x0b name"


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (["quarantine", "export"], "export needs --out"),
        (["quarantine", "new-key"], "new-key needs --out"),
        (["quarantine", "open"], "open needs --record and --private-key"),
        (["quarantine", "open", "--record", "1", "--private-key", "k"], "record 1 is not a sealed message"),
    ],
)
def test_what_is_missing_is_told(
    tmp_path: Path, arguments: list[str], fault: str, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = filled(tmp_path, hl7(1))
    assert main([*arguments, "--data", str(settings.data)]) == 2
    assert fault in capsys.readouterr().err


def test_a_key_is_not_written_over_another_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "there").write_text("x")
    assert main(["quarantine", "new-key", "--out", str(tmp_path / "there")]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_a_rebuild_mends_a_damaged_database(tmp_path: Path, told: Told) -> None:
    settings = filled(tmp_path, hl7(1))
    file = settings.data / DATABASE
    file.write_bytes(b"not a database" + bytes(10_000))
    made = told("rebuild", "--config", as_file(settings, tmp_path))
    assert (made["rows"], "damaged" in made["forecasts_lost"]) == (1, True)
    with open_house(settings) as house:
        assert len(house.log.read()) == 1


def test_a_rebuild_refuses_what_it_would_lose(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from ingest.clock import WallClock
    from ingest.log import EventLog

    settings = Settings(data=tmp_path, disk_reserve_mb=0)
    with open_house(settings) as house:
        EventLog(house.log._database, WallClock()).append([departed("a")], Position(source="old", offset=1))
    assert main(["rebuild", "--data", str(tmp_path)]) == 2
    assert "not in the journal, and that would be lost: 1 of old" in capsys.readouterr().err
    assert sorted(p.name for p in tmp_path.iterdir()) == ["audit", "audit.anchor", DATABASE, "journal"]
    assert main(["rebuild", "--data", str(tmp_path / "none")]) == 2
    assert "holds no journal" in capsys.readouterr().err


# ------------------------------------------------------------------------------------------------- a replay as messages


def test_a_replay_sends_messages_until_they_are_acknowledged(tmp_path: Path, told: Told) -> None:
    (tmp_path / "from").mkdir()
    source = Settings(data=tmp_path / "from", disk_reserve_mb=0)
    with open_house(source) as house:
        house.log.append([departed("a", position=1), departed("b", position=2)], Position(source="x", offset=1))
    settings = configured(tmp_path)
    with open_house(settings) as house:
        intake = Intake(house)
        intake.start()
        place = f"127.0.0.1:{settings.mllp_port}"
        sent = told("replay", "--data", str(source.data), "--speed", "max", "--to-mllp", place)
        intake.join(10)
        assert sent == {"sent": 2, "refused": 0, "again": 0, "without_message": 0}
        assert sorted(getattr(e, "visit", "") for e in house.log.read()) == ["a", "b"]


@pytest.mark.parametrize("place", ["", "host", "host:", ":1", "host:x", "host:0", "host:70000"])
def test_a_receiver_that_cannot_be_is_told(place: str) -> None:
    with pytest.raises(CommandError, match="--to-mllp must be like"):
        Receiver.of(place)


def test_a_receiver_may_be_an_address_of_six() -> None:
    assert Receiver.of("[::1]:2575") == Receiver("::1", 2575)
    assert Receiver.of("h:1").tls() is None
    with pytest.raises(CommandError, match="the certificates cannot be used"):
        Receiver.of("h:1", authority=Path("none.pem")).tls()
