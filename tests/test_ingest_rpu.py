"""RPU files, XML and CSV: the same passages, the rules of the derived columns, daily files sent again, bad files."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ingest import rpu, rpu_xml
from ingest.batch import ExtractAccount
from ingest.clock import SimulatedClock
from ingest.database import Database
from ingest.errors import ConfigurationError, EdtwinError, UnreadableInputError
from ingest.events import Event
from ingest.log import EventLog
from ingest.mapping import find_mapping, load_mapping, parse_mapping
from ingest.rpu import complaint
from ingest.tabular import ingest_extract
from tests.extracts import PSEUDONYMS, said
from twin.state import State, fold

MAPPING = load_mapping(find_mapping("rpu"), expected="rpu")
NOW = datetime(2026, 6, 1, tzinfo=UTC)
HEAD = "<ETABLISSEMENT><FINESS>670000001</FINESS><ORDRE>1</ORDRE><EXTRACT>{taken}</EXTRACT></ETABLISSEMENT>"


@pytest.fixture
def log() -> Iterator[EventLog]:
    with Database.open(None) as database:
        yield EventLog(database, SimulatedClock(NOW))


def passage(entry: str = "02/03/2026 10:00", **fields: str) -> dict[str, str]:
    usual = {"CP": "67000", "NAISSANCE": "01/02/1940", "SEXE": "F", "ENTREE": entry, "TRANSPORT": "AMBU"}
    return usual | fields


def xml(folder: Path, *passages: dict[str, str], taken: str = "03/03/2026 04:00", name: str = "a.xml") -> Path:
    told = "".join(f"<PATIENT>{''.join(f'<{k}>{v}</{k}>' for k, v in p.items())}</PATIENT>" for p in passages)
    path = folder / name
    path.write_text(f"<OSCOUR>{HEAD.format(taken=taken)}<PASSAGES>{told}</PASSAGES></OSCOUR>", encoding="utf-8")
    return path


def table(folder: Path, *passages: dict[str, str], name: str = "a.csv") -> Path:
    columns = list(dict.fromkeys(k for p in passages for k in p))
    lines = [";".join(columns), *(";".join(p.get(c, "") for c in columns) for p in passages)]
    path = folder / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def ingest(path: Path, log: EventLog) -> ExtractAccount:
    account = ingest_extract(path, MAPPING, log, PSEUDONYMS, now=NOW)
    assert account.read == account.stored + account.duplicate + account.ignored + account.rejected
    return account


def told(events: list[Event]) -> list[tuple[str, str, str]]:
    return [(e.kind, f"{e.occurred_at:%d %H:%M}", said(e)) for e in events]


WHOLE = passage(SORTIE="02/03/2026 14:30:00", GRAVITE="3", DP="S720", MODE_SORTIE="6", DESTINATION="1", ORIENT="CHIR")


def test_a_passage_in_xml_and_in_csv_is_the_same(tmp_path: Path, log: EventLog) -> None:
    assert ingest(xml(tmp_path, WHOLE), log).stored == 1
    story = told(log.read())
    assert story == [
        ("Arrived", "02 09:00", "age_band=75+ mode=ambulance sex=female"),
        ("Departed", "02 13:30", "to=ward unit=surgery"),
        ("Changed", "02 13:30", "acuity=3 complaint=trauma"),
    ]
    same = ingest(table(tmp_path, WHOLE | {"FINESS": "670000001", "EXTRACT": "2026-03-03 04:00"}), log)
    assert (same.stored, same.duplicate) == (0, 1)


@pytest.mark.parametrize(
    ("fields", "kind", "what"),
    [
        ({"MODE_SORTIE": "8"}, "Departed", "to=home"),
        ({"MODE_SORTIE": "7", "ORIENT": ""}, "Departed", "to=transfer"),
        ({"MODE_SORTIE": "9"}, "Departed", "to=died"),
        ({"MODE_SORTIE": "Mutation", "ORIENT": "UHCD"}, "Departed", "to=ward unit=uhcd"),
        ({"ORIENT": "REA"}, "Departed", "to=ward unit=intensive_care"),
        ({"MODE_SORTIE": "8", "ORIENT": "PSA"}, "LeftWithoutBeingSeen", ""),
        ({"MODE_SORTIE": "8", "ORIENT": "FUGUE"}, "LeftDuringCare", ""),
        ({"MODE_SORTIE": "8", "ORIENT": "SCAM"}, "LeftDuringCare", ""),
        ({"ORIENT": "REO"}, "Departed", "to=home"),
        ({}, "Departed", ""),
    ],
)
def test_where_a_passage_ends(tmp_path: Path, log: EventLog, fields: dict[str, str], kind: str, what: str) -> None:
    ingest(xml(tmp_path, passage(SORTIE="02/03/2026 12:00") | fields), log)
    assert told(log.read())[1] == (kind, "02 11:00", what)


def test_the_complaint_comes_from_the_chapter_of_the_diagnosis() -> None:
    codes = {"S72.0": "trauma", "T36": "toxicology", "T66": "trauma", "F10.2": "toxicology", "F32": "psychiatric",
             "X61": "toxicology", "W19": "trauma", "Z02": "other", "J189": "medical_surgical",
             "r10": "medical_surgical",
             "": None, "fracture": None}  # fmt: skip
    assert {code: complaint(code) for code in codes} == codes


def test_two_at_the_same_minute_are_two_and_a_number_tells_them_for_good(tmp_path: Path, log: EventLog) -> None:
    twins = [passage(SEXE="F"), passage(SEXE="M")]
    assert ingest(xml(tmp_path, *twins), log).stored == 2
    numbered = [passage(NUMERO="7"), passage("02/03/2026 10:05", NUMERO="7")]
    with_number = [ingest(xml(tmp_path, p, taken=f"0{3 + i}/03/2026 04:00"), log) for i, p in enumerate(numbered)]
    assert [account.stored for account in with_number] == [1, 1]
    assert len(fold(State(), log.read()).visits) == 3, "the second tells a corrected entry of the first"


def test_daily_files_that_send_six_days_again_end_as_the_last_one_says(tmp_path: Path, log: EventLog) -> None:
    early, late = tmp_path / "daily", tmp_path / "late"
    early.mkdir()
    late.mkdir()
    open_, ended = passage(NUMERO="1"), passage(NUMERO="1", SORTIE="02/03/2026 12:00", MODE_SORTIE="8")
    mended = ended | {"SORTIE": "02/03/2026 12:20", "MODE_SORTIE": "6", "ORIENT": "MED"}
    second = passage("03/03/2026 09:00", NUMERO="2", SORTIE="03/03/2026 10:00", MODE_SORTIE="8")
    xml(early, open_, name="0303.xml")
    xml(early, ended, second, taken="04/03/2026 04:00", name="0304.xml")
    xml(early, mended, second | {"SORTIE": ""}, taken="05/03/2026 04:00", name="0305.xml")
    assert ingest(early, log).stored == 5
    daily = fold(State(), log.read())
    with Database.open(None) as other:
        last = EventLog(other, SimulatedClock(NOW))
        ingest(early / "0305.xml", last)
        alone = fold(State(), last.read())
    shown = [{v: (r.arrived_at, r.departed_at, r.to) for v, r in s.visits.items()} for s in (daily, alone)]
    assert shown[0] == shown[1]
    then = fold(State(), log.read(known_at=datetime(2026, 3, 4, 3, tzinfo=UTC)))
    assert {v.to for v in then.visits.values()} == {"home"}, "the view of each day stays as its file said"
    assert ingest(early, log).stored == 0


def test_the_hours_of_a_clock_change_are_flagged(tmp_path: Path, log: EventLog) -> None:
    nights = [passage("25/10/2025 02:30", NUMERO="1"), passage("26/10/2025 02:30", NUMERO="2"),
              passage("29/03/2026 02:30", NUMERO="3")]  # fmt: skip
    account = ingest(xml(tmp_path, *nights, taken="30/03/2026 04:00"), log)
    assert (account.stored, dict(account.flags)) == (3, {"ambiguous": 1, "missing": 1})


def test_bad_passages_are_rejected_one_by_one(tmp_path: Path, log: EventLog) -> None:
    bad = [passage("31/02/2026 10:00"), passage(ENTREE="", NUMERO="8"), passage(ENTREE=""),
           passage(GRAVITE="7", SORTIE="02/03/2026 12:00"),
           passage(SORTIE="02/03/2026 09:00"), passage(MODE_SORTIE="5", NUMERO="9"), passage(CP="6" * 300),
           passage("04/03/2026 10:00")]  # fmt: skip
    path = xml(tmp_path, WHOLE, *bad)
    path.write_text(path.read_text().replace("<SEXE>F", "<SEXE>M</SEXE><SEXE>F", 1))
    account = ingest(path, log)
    assert account.reasons == {
        "before_arrival": 1, "impossible_date": 1, "in_future": 1, "malformed": 2, "missing_arrival": 1,
        "missing_key": 1, "unknown_value": 2,
    }  # fmt: skip
    assert (account.read, account.stored) == (9, 0)


BOMB = "<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b 'c'>]><OSCOUR>&b;</OSCOUR>"
DEEP = "<A>" * 200_000


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (BOMB, "declares a document type"),
        (DEEP, "more than 16 elements deep"),
        ("<OSCOUR><PASSAGES>", "breaks off or is malformed at line 1"),
        ("<OSCOUR>\n<PASSAGES></OSCOUR>", "malformed at line 2"),
        ("<?xml version='1.0' encoding='klingon'?><A/>", "cannot be read|breaks off"),
    ],
)
def test_a_bad_file_is_one_sentence_before_anything_is_stored(
    tmp_path: Path, log: EventLog, text: str, words: str
) -> None:
    xml(tmp_path, WHOLE, name="1.xml")
    (tmp_path / "2.xml").write_text(text)
    with pytest.raises(UnreadableInputError, match=words) as error:
        ingest(tmp_path, log)
    assert "\n" not in str(error.value)
    assert log.length() == 0


def test_a_table_that_is_no_rpu_and_a_mapping_that_names_no_field_are_told(tmp_path: Path, log: EventLog) -> None:
    with pytest.raises(ConfigurationError, match="none is 'ENTREE': is it an RPU file"):
        ingest(table(tmp_path, {"A": "1", "B": "2"}), log)
    with pytest.raises(ConfigurationError, match="two columns for ORIENTATION: 'ORIENT' and 'orientation'"):
        ingest(table(tmp_path, passage(ORIENT="MED", orientation="MED")), log)
    wrong = find_mapping("rpu").read_text().replace('departed = { column = "SORTIE"', 'departed = { column = "SORTI"')
    with pytest.raises(ConfigurationError, match=r"mapping:\d+: an RPU has no 'SORTI'; its columns are NUMERO"):
        ingest_extract(xml(tmp_path, WHOLE), parse_mapping(wrong), log, PSEUDONYMS, now=NOW)
    with pytest.raises(EdtwinError, match="the mapping is for rpu extracts, not for wide"):
        load_mapping(find_mapping("rpu"), expected="wide")


CANARIES = [f"Canary{n:02d}Zz" for n in range(24)]


def planted(folder: Path) -> None:
    """Files with a name in every field, in good and in bad passages, and in comments and unknown elements."""
    new = iter(CANARIES)
    fields = ("CP", "COMMUNE", "MOTIF", "NUMERO", "NOM", "PRENOM", "DP", "PROVENANCE", "DESTINATION")
    good = passage(**{name: next(new) for name in fields})
    bad = [{**passage(), name: next(new)} for name in ("ENTREE", "SEXE", "TRANSPORT", "NAISSANCE", "GRAVITE", "SORTIE",
           "MODE_SORTIE", "ORIENT")]  # fmt: skip
    path = xml(folder, good, *bad)
    inside = f"<LISTE_DA><DA>{next(new)}</DA></LISTE_DA><X y='{next(new)}'/></PATIENT><!-- {next(new)} -->"
    path.write_text(path.read_text().replace("</PATIENT>", inside, 1))
    table(folder, *[good | {"COMMUNE": next(new), "SEXE": next(new), "NOM": next(new), "ENTREE": next(new)}])


def leaked(database: Path, log: EventLog) -> set[str]:
    log_text = repr(log.read()).encode()
    files = b"".join(p.read_bytes() for p in database.parent.glob("*.duckdb*"))
    return {canary for canary in CANARIES if canary.encode() in log_text + files}


@pytest.mark.parametrize("mutant", [False, True])
def test_no_canary_reaches_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mutant: bool) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    planted(folder)
    if mutant:  # a number that is not hashed
        monkeypatch.setattr(type(PSEUDONYMS), "array", lambda self, kind, numbers: numbers)
    with Database.open(tmp_path / "x.duckdb") as database:
        log = EventLog(database, SimulatedClock(NOW))
        account = ingest(folder, log)
        assert account.rejected == 9
        assert bool(leaked(tmp_path / "x.duckdb", log)) == mutant


def test_a_large_file_comes_in_parts_and_rows_are_numbered_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rpu, "_CHUNK_ROWS", 10)
    path = xml(tmp_path, *[passage(NUMERO=str(n)) for n in range(25)])
    found = list(rpu.chunks(path, MAPPING))
    assert [list(chunk.rows) for chunk in found] == [list(range(2, 12)), list(range(12, 22)), list(range(22, 27))]
    monkeypatch.setattr(rpu_xml, "LARGEST_BYTES", 100)
    with pytest.raises(UnreadableInputError, match="must have at most"):
        list(rpu.chunks(path, MAPPING))


def test_several_establishments_in_one_file_do_not_mix(tmp_path: Path) -> None:
    path = xml(tmp_path, passage(NUMERO="1"))
    text = path.read_text()
    body = text[len("<OSCOUR>") : -len("</OSCOUR>")]
    path.write_text(f"<OSCOUR>{body}{body.replace('670000001', '680000001')}</OSCOUR>")
    (chunk,) = rpu.chunks(path, MAPPING)
    assert chunk.column("PASSAGE").to_pylist() == ["670000001/1", "680000001/1"]
