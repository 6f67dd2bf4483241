"""The huddle sheet as a spreadsheet, a block a sheet of it; numbers are numbers. The same bytes for the same sheet."""

from __future__ import annotations

import io
from typing import Any

from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

from dashboard.huddle_words import Block, Cell, Told, told
from dashboard.words import Reader
from forecast.sheet import Sheet

NAME_WIDTH, FIGURE_WIDTH = 42, 14


def xlsx(sheet: Sheet, reader: Reader) -> bytes:
    """The workbook in the reader's language."""
    words, out = told(sheet, reader), io.BytesIO()
    with Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as book:
        book.set_properties({"title": words.title, "author": "edtwin", "comments": words.is_not,
                             "created": sheet.made_at.replace(tzinfo=None)})  # fmt: skip
        formats = _Formats(book)
        for block in words.blocks:
            _block(book.add_worksheet(_tab(block.title)), block, words, formats)
    return out.getvalue()


class _Formats:
    """How cells are written, each made once."""

    def __init__(self, book: Workbook) -> None:
        self._book = book
        self._made: dict[tuple[tuple[str, Any], ...], Any] = {}

    def of(self, **how: Any) -> Any:
        """The format with these properties."""
        key = tuple(sorted(how.items()))
        if key not in self._made:
            self._made[key] = self._book.add_format(how)
        return self._made[key]


def _block(page: Worksheet, block: Block, words: Told, formats: _Formats) -> None:
    """The title, of what it is made, the table, what it is not."""
    page.set_landscape()
    page.set_paper(9)  # A4
    page.fit_to_pages(1, 1)
    page.set_column(0, 0, NAME_WIDTH)
    page.set_column(1, max(len(block.head) - 1, 1), FIGURE_WIDTH)
    bold = formats.of(bold=True)
    lines = [words.title, *words.lines]
    for number, text in enumerate(lines):
        page.write_string(number, 0, text, bold if number < 2 else None)
    row = len(lines) + 1
    page.write_string(row, 0, block.title, bold)
    row = _table(page, block, row + 1, formats)
    for text in filter(None, (block.note, words.is_not)):
        page.write_string(row, 0, text)
        row += 1


def _table(page: Worksheet, block: Block, row: int, formats: _Formats) -> int:
    """The row after the table."""
    head = formats.of(bold=True, bottom=1, text_wrap=True)
    place = 0
    for text, n in block.over:
        if n > 1 and text:
            page.merge_range(row, place, row, place + n - 1, text, head)
        else:
            page.write_string(row, place, text, head)
        place += n
    row += bool(block.over)
    for place, text in enumerate(block.head):
        page.write_string(row, place, text, head)
    for line in block.rows:
        row += 1
        for place, cell in enumerate(line.cells):
            _cell(page, row, place, cell, formats, bold=line.kind in ("group", "all"))
    return row + 2


def _cell(page: Worksheet, row: int, place: int, cell: Cell, formats: _Formats, *, bold: bool) -> None:
    if cell.value is None:
        page.write_string(row, place, cell.text, formats.of(bold=bold, align="right" if place else "left"))
    else:
        form = "0%" if cell.is_share else "0.0" if cell.digits else "0"
        page.write_number(row, place, cell.value, formats.of(bold=bold or bool(cell.tone), num_format=form))


def _tab(title: str) -> str:
    """At most 31 characters, as spreadsheets have it, none of which they refuse."""
    return "".join(" " if c in "[]:*?/\\'" else c for c in title)[:31]
