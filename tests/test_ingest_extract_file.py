"""CSV and Parquet files as chunks; what is wrong with a file is told in one sentence that repeats none of it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest

from ingest.errors import ConfigurationError, UnreadableInputError
from ingest.extract_file import chunks, digest, extract_files
from ingest.mapping import parse_mapping
from tests.extracts import WIDE, WIDE_HEADER, read_one, story, written

ROW = "7,p1,2026-03-02 10:00,2026-03-02 10:05,2026-03-02 15:00,80,2,W,MED"
MAPPING = parse_mapping(WIDE, place="m.toml")


def rows_of(path: Path, mapping: str = WIDE) -> tuple[list[int], list[int]]:
    """Numbers of good and of malformed rows."""
    found = list(chunks(path, parse_mapping(mapping)))
    return [row for c in found for row in c.rows.tolist()], [row for c in found for row in c.malformed]


def test_rows_are_numbered_as_a_spreadsheet_numbers_them(tmp_path: Path) -> None:
    path = written(tmp_path, WIDE_HEADER, ROW, "short", ROW, ROW + ",more", "short", ROW)
    assert rows_of(path) == ([2, 4, 7], [3, 5, 6])
    assert rows_of(written(tmp_path, WIDE_HEADER, "short", "short")) == ([], [2, 3])


def test_numbers_hold_across_chunks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.extract_file._BLOCK_BYTES", 300)
    path = written(tmp_path, WIDE_HEADER, *(ROW if n % 7 else "short" for n in range(200)))
    good, malformed = rows_of(path)
    assert malformed == [n + 2 for n in range(200) if n % 7 == 0]
    assert good == [n + 2 for n in range(200) if n % 7]


def test_a_line_break_inside_quotes_does_not_break_a_row(tmp_path: Path) -> None:
    assert rows_of(written(tmp_path, WIDE_HEADER, '"7\n8",' + ROW[2:], ROW)) == ([2, 3], [])


def test_a_quote_that_is_not_closed_costs_its_row(tmp_path: Path) -> None:
    assert rows_of(written(tmp_path, WIDE_HEADER, ROW, '"7,p1,2026-03-02 10:00,,,,,,')) == ([2], [3])


def test_parquet_tells_the_same_story_as_csv(tmp_path: Path) -> None:
    path = written(tmp_path, WIDE_HEADER, ROW, ROW.replace("7,", "8,", 1).replace("W,MED", "R,"))
    text = pa_csv.read_csv(path, convert_options=pa_csv.ConvertOptions(column_types={"acuity": pa.string()}))
    pq.write_table(text, tmp_path / "typed.parquet")
    assert pa.types.is_timestamp(text.schema.field("came").type)
    assert story(read_one(tmp_path / "typed.parquet", WIDE)) == story(read_one(path, WIDE))
    pq.write_table(text, tmp_path / "x.csv")
    assert len(story(read_one(tmp_path / "x.csv", WIDE))) == 6, "the content decides, not the name"


def test_whole_numbers_kept_as_floats_are_read_as_written(tmp_path: Path) -> None:
    came = pa.array([datetime(2026, 3, 2, 10, tzinfo=UTC)] * 2)
    columns = {name: pa.nulls(2, pa.string()) for name in WIDE_HEADER.split(",")}
    columns |= {"no": pa.array([7, 8]), "came": came, "triaged": came, "acuity": pa.array([2.0, float("nan")])}
    pq.write_table(pa.table(columns), tmp_path / "x.parquet")
    assert [said for *_, said in story(read_one(tmp_path / "x.parquet", WIDE))] == ["", "acuity=2", "", ""]


def test_a_byte_order_mark_and_windows_lines_are_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(f"\ufeff{WIDE_HEADER}\r\n{ROW}\r\n".encode())
    assert len(story(read_one(path, WIDE))) == 3


def test_other_encodings_and_delimiters_are_read_as_the_mapping_says(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(f"{WIDE_HEADER};entr\u00e9e\n{ROW};\u00e9\n".replace(",", ";").encode("iso-8859-15"))
    text = WIDE.replace("[keys]", 'encoding = "iso-8859-15"\ndelimiter = ";"\n[keys]')
    assert len(story(read_one(path, text))) == 3


def fault(path: Path, mapping: str = WIDE) -> str:
    with pytest.raises((UnreadableInputError, ConfigurationError)) as caught:
        list(chunks(path, parse_mapping(mapping, place="m.toml")))
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return str(caught.value)


def test_missing_columns_are_told_all_at_once_with_their_line(tmp_path: Path) -> None:
    told = fault(written(tmp_path, "no,who,in,triaged,left,age,acuitys,ward", ROW)).splitlines()
    assert told == [
        "m.toml:11: x.csv has 8 columns, but none is 'came'",
        "m.toml:16: x.csv has 8 columns, but none is 'acuity'; the nearest is 'acuitys'",
        "m.toml:18: x.csv has 8 columns, but none is 'to'",
    ]


def test_a_column_that_stands_twice_is_told(tmp_path: Path) -> None:
    assert "more than one column 'age'" in fault(written(tmp_path, WIDE_HEADER + ",age", ROW + ",3"))


def test_a_file_without_a_header_does_not_tell_its_rows(tmp_path: Path) -> None:
    told = fault(written(tmp_path, ROW.replace("p1", "Durand"), ROW))
    assert "Durand" not in told
    assert "but none is 'no'" in told


def test_the_wrong_delimiter_is_told(tmp_path: Path) -> None:
    told = fault(written(tmp_path, WIDE_HEADER.replace(",", ";"), ROW.replace(",", ";")))
    assert told.endswith("has a single column when cut at ','; name its delimiter under [source]")


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b"", "is empty"),
        (b"PAR1 but then nothing of the kind", "cannot be read as a table"),
        (WIDE_HEADER.encode() + b"\n7,Andr\xe9,2026-03-02 10:00,,,,,,\n", "is not utf-8 text"),
        (b"\xff\xfe\x00\x01" * 50, "is not utf-8 text"),
    ],
)
def test_a_file_that_is_no_table_is_told(tmp_path: Path, data: bytes, rule: str) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(data)
    told = fault(path)
    assert rule in told
    assert "Andr" not in told


def test_a_file_or_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    assert "cannot be read: No such file" in fault(tmp_path / "none.csv")
    with pytest.raises(UnreadableInputError, match="folder without files"):
        extract_files(tmp_path)
    with pytest.raises(UnreadableInputError, match="cannot be read"):
        digest(tmp_path / "none.csv")


def test_a_folder_gives_its_files_by_name(tmp_path: Path) -> None:
    for name in ("b.csv", "a.csv", ".hidden"):
        written(tmp_path, WIDE_HEADER, name=name)
    assert [path.name for path in extract_files(tmp_path)] == ["a.csv", "b.csv"]
