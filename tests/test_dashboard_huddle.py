"""The huddle sheet as page, PDF and spreadsheet: the three say the same, on one page, in the same bytes each time."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from defusedxml import ElementTree
from flask import Flask

from dashboard import huddle_pdf, huddle_xlsx
from dashboard.huddle_files import FORMS, answer_huddle, attachment
from dashboard.huddle_pdf import pdf
from dashboard.huddle_words import Block, Cell, Told, difference, told
from dashboard.huddle_xlsx import xlsx
from dashboard.pages.beside import Place, beside
from dashboard.panels import huddle
from dashboard.words import MINUS, Reader
from forecast.huddle_desk import Sheets
from forecast.sheet import Sheet
from tests.component_trees import FRENCH, READER, texts, with_class
from tests.huddle_sheets import DUE_AT, SHEETS, VIEWS, ZONE, doubtful, first, ordinary, two_sheets, view_of, wide

PHONE = Reader("fr", ZONE, narrow=True)
MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
SPACES = re.compile(r"[\s\u00a0\u202f]+")


# --- what each form says


def cells(sheet: Sheet, reader: Reader) -> list[str]:
    """Every cell of the sheet in words, in reading order."""
    return [cell.text for block in told(sheet, reader).blocks for row in block.rows for cell in row.cells if cell.text]


def on_the_page(sheet: Sheet, reader: Reader) -> list[str]:
    page = huddle.panel(view_of(sheet), reader)
    rows = [row for table in with_class(page, "huddle-table") for row in _rows(table)]
    return [text for row in rows for cell in row for text in texts(cell) if text not in ("", "▲")]


def _rows(component: Any) -> list[list[Any]]:
    """The rows of a table's body, as cells."""
    if type(component).__name__ == "Tbody":
        return [list(row.children) for row in component.children]
    found = getattr(component, "children", None)
    return [row for child in (found if isinstance(found, list) else []) for row in _rows(child)]


def in_the_pdf(made: bytes) -> str:
    document = pypdfium2.PdfDocument(made)
    try:
        return "\n".join(page.get_textpage().get_text_bounded() for page in document)
    finally:
        document.close()


def in_the_workbook(made: bytes) -> list[str | float]:
    """Every cell of every sheet of it, in order."""
    with zipfile.ZipFile(io.BytesIO(made)) as book:
        shared = [
            "".join(text.text or "" for text in item.iter(f"{MAIN}t"))
            for item in ElementTree.fromstring(book.read("xl/sharedStrings.xml"))
        ]
        names = sorted(name for name in book.namelist() if name.startswith("xl/worksheets/sheet"))
        found = [cell for name in names for cell in ElementTree.fromstring(book.read(name)).iter(f"{MAIN}c")]
        return [_value(cell, shared) for cell in found if cell.find(f"{MAIN}v") is not None]


def _value(cell: Any, shared: Sequence[str]) -> str | float:
    value = cell.find(f"{MAIN}v").text
    return shared[int(value)] if cell.get("t") == "s" else float(value)


def words_of(text: str) -> list[str]:
    return SPACES.sub(" ", text.replace("! ", "").replace("\ufffe", "")).split()


def disagreements(sheet: Sheet, reader: Reader, made_pdf: bytes, made_xlsx: bytes) -> list[str]:
    """What one form says otherwise than the words of the sheet."""
    wanted, found = cells(sheet, reader), []
    page = [text.replace("\u00a0", " ") for text in on_the_page(sheet, reader)]
    if sorted(page) != sorted(text.replace("\u00a0", " ") for text in wanted):
        found.append("page")
    read = " ".join(words_of(in_the_pdf(made_pdf)))
    rows = [" ".join(cell.text for cell in row.cells) for block in told(sheet, reader).blocks for row in block.rows]
    if not all(" ".join(words_of(row)) in read for row in rows):
        found.append("pdf")
    numbers = [c.value for block in told(sheet, reader).blocks for row in block.rows for c in row.cells]
    in_book = [value for value in in_the_workbook(made_xlsx) if isinstance(value, float)]
    if in_book != [value for value in numbers if value is not None]:
        found.append("xlsx")
    return found


@pytest.mark.parametrize("name", SHEETS)
@pytest.mark.parametrize("reader", [READER, FRENCH], ids=["en", "fr"])
def test_the_three_forms_say_the_same_numbers(name: str, reader: Reader) -> None:
    sheet = SHEETS[name]()
    assert disagreements(sheet, reader, pdf(sheet, reader), xlsx(sheet, reader)) == []


@pytest.mark.parametrize("module", [huddle_pdf, huddle_xlsx], ids=["pdf", "xlsx"])
def test_a_form_that_says_another_number_is_found_out(module: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def otherwise(sheet: Sheet, reader: Reader) -> Told:
        words = told(sheet, reader)
        row = words.wards.rows[2]
        changed = replace(row, cells=(*row.cells[:2], Cell("77", 77.0), *row.cells[3:]))
        rows = (*words.wards.rows[:2], changed, *words.wards.rows[3:])
        return replace(words, wards=replace(words.wards, rows=rows))

    monkeypatch.setattr(module, "told", otherwise)
    form = "pdf" if module is huddle_pdf else "xlsx"
    assert disagreements(ordinary(), READER, pdf(ordinary(), READER), xlsx(ordinary(), READER)) == [form]


@pytest.mark.parametrize("form", FORMS)
def test_the_same_sheet_is_the_same_bytes_and_another_is_not(form: Any) -> None:
    assert attachment(ordinary(), "fr", form) == attachment(ordinary(), "fr", form)
    name, made = attachment(ordinary(), "fr", form)
    assert name == f"huddle-2026-11-24T1300.{form}"
    assert attachment(replace(ordinary(), hospital="CHR"), "fr", form)[1] != made
    assert attachment(ordinary(), "en", form)[1] != made


@pytest.mark.parametrize("name", SHEETS)
def test_the_pdf_is_one_page_on_which_nothing_is_cut_off(name: str) -> None:
    document = pypdfium2.PdfDocument(pdf(SHEETS[name](), FRENCH))
    assert len(document) == 1
    page = document[0]
    text = page.get_textpage()
    boxes = [text.get_rect(at) for at in range(text.count_rects())]
    width, height = page.get_size()
    assert min(left for left, *_ in boxes) > 20
    assert max(right for *_, right, _ in boxes) < width - 15
    assert min(bottom for _, bottom, *_ in boxes) > 12
    assert max(top for *_, top in boxes) < height - 15
    document.close()


def test_the_pdf_has_the_letters_of_french() -> None:
    sheet = replace(ordinary(), hospital="Hôpital Sacré-Cœur de l’Île à Épône, ça où çà")
    assert sheet.hospital in in_the_pdf(pdf(sheet, FRENCH))


# --- the words


def test_the_sheet_says_what_it_is_not_its_state_and_age_and_what_it_is_made_of() -> None:
    words = told(ordinary(), READER)
    assert words.lines[0] == "LIVE · last message 3\u00a0min ago"
    assert words.tone == "good"
    assert "1,000 runs" in words.lines[1]
    assert words.lines[2] == "Of the census at +24\u00a0h they were 12% better than “as usual”."
    for reader, said in ((READER, "no medical device"), (FRENCH, "ni dispositif médical")):
        for text in (in_the_pdf(pdf(ordinary(), reader)), " ".join(texts(huddle.panel(view_of(ordinary()), reader)))):
            assert said in SPACES.sub(" ", text)


def test_of_doubtful_data_it_says_so() -> None:
    words = told(doubtful(), READER)
    assert words.tone == "bad"
    assert words.lines[0] == "OFF · nothing was ever heard of the hospital"
    assert any("complete until 12:15" in line for line in words.lines)
    assert any("“as usual” was the better forecast, by 7%" in line for line in words.lines)
    assert words.lines[-1] == "REPLAY: not the present."
    assert words.department.note == "Flows are counted from 13:15 on."


def test_what_is_not_known_is_a_dash_and_never_zero() -> None:
    rows = {row.cells[0].text: [c.text for c in row.cells[1:]] for row in told(first(), READER).department.rows}
    assert rows["of them not yet seen"] == rows["Most who wait for a bed"] == ["—", ""]
    assert "it is not known how many beds" not in told(ordinary(), READER).wards.note
    lost = replace(ordinary(), lines=(replace(ordinary().all, beds=None, free=None),))
    assert "it is not known how many beds" in told(lost, READER).wards.note
    for waiting, said in ((0.4, None), (0.6, "1 patient waits"), (12.7, "13 patients wait for a bed of a ward")):
        department = replace(ordinary().department, ward_not_told=waiting)
        note = told(replace(ordinary(), department=department), READER).wards.note
        assert ("not told yet" in note) == (said is not None)
        assert said is None or said in note
    elsewhere = next(row for row in told(ordinary(), READER).wards.rows if row.cells[0].text == "Elsewhere")
    assert [cell.value for cell in elsewhere.cells[1:9]] == [None] * 8


@pytest.mark.parametrize(("by", "en", "fr"), [(0, "no change", "inchangé"), (1, "1 more", "1 de plus"),
                                              (-5, "5 fewer", "5 de moins")])  # fmt: skip
def test_differences_are_told_in_words(by: int, en: str, fr: str) -> None:
    assert (difference(by, READER), difference(by, FRENCH)) == (en, fr)


def test_a_change_is_the_difference_of_the_numbers_that_stand_beside_it() -> None:
    for row in told(ordinary(), READER).changes.rows:
        before, now = (cell.value for cell in row.cells[1:3])
        assert before is not None
        assert now is not None
        assert row.cells[3].text == difference(round(now - before), READER)


def test_a_ward_with_patients_from_another_has_a_column_for_them() -> None:
    assert "from a ward" in told(wide(), READER).wards.head
    assert "from a ward" not in told(ordinary(), READER).wards.head
    for sheet in (wide(), ordinary()):
        wards = told(sheet, READER).wards
        assert sum(n for _, n in wards.over) == len(wards.head) == len(wards.rows[0].cells)


def test_minus_is_a_minus() -> None:
    assert MINUS in told(ordinary(), READER).department.rows[-1].cells[1].text


# --- the page


@pytest.mark.parametrize("name", VIEWS)
@pytest.mark.parametrize("reader", [READER, FRENCH, PHONE], ids=["en", "fr", "phone"])
def test_no_page_says_nothing_or_none(name: str, reader: Reader) -> None:
    said = texts(beside(VIEWS[name](), reader, Place("huddle")))
    assert len(said) > 7
    assert not any("None" in text or "nan" in text.lower().split() for text in said)


def test_before_the_first_sheet_the_page_says_when_one_comes() -> None:
    said = texts(huddle.panel(view_of(), READER))
    assert any("they come at 08:00, 13:00, 18:00" in text for text in said)
    assert any("elles viennent à 8 h, 13 h, 18 h" in text for text in texts(huddle.panel(view_of(), FRENCH)))
    assert any("huddle_at" in text for text in texts(huddle.panel(replace(view_of(), hours=()), READER)))


def test_the_page_turns_to_the_sheet_before_and_older_ones_can_be_downloaded() -> None:
    titles = [texts(with_class(huddle.panel(two_sheets(), READER, n), "question")[0])[0] for n in (1, 2, 99)]
    assert [title.split(", ")[-1] for title in titles] == ["13:00", "08:00", "08:00"]
    older = with_class(huddle.panel(two_sheets(), READER), "huddle-older")[0]
    assert "2 older sheets" in texts(older)
    assert [link.href for link in older.children[1].children[1:]] == [
        "/huddle/en/2026-11-23T1800.pdf", "/huddle/en/2026-11-23T1300.pdf",
    ]  # fmt: skip


def test_on_a_telephone_the_wards_have_three_tables_that_lose_no_column() -> None:
    wards = with_class(huddle.panel(view_of(wide()), PHONE), "huddle-wards")[0]
    tables = with_class(wards, "huddle-table")
    names, whole = len(wide().lines), told(wide(), PHONE).wards
    assert len(tables) == 3
    assert sum(len(row) for table in tables for row in _rows(table)) == names * (len(whole.head) + 2)


def test_the_parts_of_a_block_keep_their_heads() -> None:
    block = Block("wards", "t", ("n", "a", "b", "c"), (), (("", 1), ("ab", 2), ("c", 1)))
    assert huddle._columns(block, 2, 4).over == (("", 1), ("ab", 1), ("c", 1))


# --- downloads


@pytest.fixture
def client(tmp_path: Path) -> Any:
    sheets, server = Sheets(tmp_path), Flask("edtwin")
    sheets.keep(ordinary())
    (tmp_path / "secret.json").write_text("{}")
    answer_huddle(server, sheets)
    return server.test_client()


@pytest.mark.parametrize("form", FORMS)
def test_a_sheet_is_downloaded_in_the_language_asked_for(form: Any, client: Any) -> None:
    answer = client.get(f"/huddle/en/{ordinary().name}.{form}")
    assert answer.status_code == 200
    assert answer.data == attachment(ordinary(), "en", form)[1]
    assert answer.headers["Content-Disposition"] == f'attachment; filename="huddle-{ordinary().name}.{form}"'


@pytest.mark.parametrize(
    "address",
    ["en/2026-11-24T0800.pdf", "de/2026-11-24T1300.pdf", "en/2026-11-24T1300.json", "en/2026-11-24T1300", "en/..pdf",
     "en/%2e%2e%2fsecret.pdf"],
)  # fmt: skip
def test_what_is_not_there_is_not_found(address: str, client: Any) -> None:
    assert client.get(f"/huddle/{address}").status_code == 404


def test_pages_name_files_that_can_be_downloaded(client: Any) -> None:
    for link in with_class(huddle.panel(view_of(ordinary()), READER), "way")[:2]:
        assert client.get(link.href).status_code == 200


Make = Callable[[Sheet, Reader], bytes]


@pytest.mark.parametrize("make", [pdf, xlsx])
def test_times_are_the_hospitals(make: Make) -> None:
    later = replace(ordinary(), zone="Indian/Reunion", due_at=DUE_AT + timedelta(hours=1))
    said = in_the_pdf(make(later, Reader("en", later.zone))) if make is pdf else " ".join(
        str(value) for value in in_the_workbook(make(later, Reader("en", later.zone)))
    )  # fmt: skip
    assert "17:00" in said
