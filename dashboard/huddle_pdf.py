"""The huddle sheet as one page of PDF, A4 across, black on white: the same bytes for the same sheet."""

from __future__ import annotations

import io
from typing import Any

from reportlab.lib.pagesizes import A4, landscape
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Table, TableStyle

from dashboard.huddle_words import Block, Told, told
from dashboard.paper import BOLD, PLAIN, ink, plain, register, thin, wrapped, write
from dashboard.words import Reader
from forecast.sheet import Sheet

WIDTH, HEIGHT = landscape(A4)
MARGIN = 28.0
GAP = 12.0
PADDING = 2.0
_HEAD = 0.82
"""Heads of columns are so much smaller."""
SIZES = (8.5, 8.0, 7.5, 7.0, 6.5, 6.0, 5.5, 5.0, 4.5, 4.0)
"""Sizes of letters, in points: the largest with which everything fits on the page."""


def pdf(sheet: Sheet, reader: Reader) -> bytes:
    """The page in the reader's language."""
    register()
    words, out = told(sheet, reader), io.BytesIO()
    canvas = Canvas(out, pagesize=(WIDTH, HEIGHT), invariant=True, lang=reader.language)
    canvas.setTitle(words.title)
    canvas.setAuthor("edtwin")
    canvas.setSubject(plain(words.is_not))
    size = next((size for size in SIZES if _drawn(None, words, size) >= MARGIN), SIZES[-1])
    _drawn(canvas, words, size)
    canvas.showPage()
    canvas.save()
    return out.getvalue()


def _drawn(canvas: Canvas | None, words: Told, size: float) -> float:
    """The page drawn from top to bottom, or only measured; how high above the lower edge it ends."""
    y = HEIGHT - MARGIN - 1.6 * size
    write(canvas, words.title, MARGIN, y, BOLD, 1.7 * size)
    y = _paragraphs(canvas, words, y - 0.6 * size, size)
    half = (WIDTH - 2 * MARGIN - GAP) / 2
    left = _block(canvas, words.department, MARGIN, y, half, size)
    right = _block(canvas, words.changes, MARGIN + half + GAP, y, half, size)
    y = _block(canvas, words.wards, MARGIN, min(left, right) - GAP, WIDTH - 2 * MARGIN, size)
    return wrapped(canvas, words.is_not, MARGIN, y - GAP / 2, WIDTH - 2 * MARGIN, PLAIN, size)


def _paragraphs(canvas: Canvas | None, words: Told, y: float, size: float) -> float:
    first, *others = words.lines
    y = wrapped(canvas, first, MARGIN, y, WIDTH - 2 * MARGIN, BOLD, 1.2 * size)
    return wrapped(canvas, " ".join(others), MARGIN, y, WIDTH - 2 * MARGIN, PLAIN, size) - 0.4 * size


def _block(canvas: Canvas | None, block: Block, x: float, y: float, width: float, size: float) -> float:
    """A block below `y`; where it ends."""
    y -= 1.8 * size
    write(canvas, block.title, x, y, BOLD, 1.25 * size)
    y -= 0.5 * size
    if block.rows:
        widths = _widths(block, width)
        table = Table(_cells(block), colWidths=widths, rowHeights=1.65 * size)
        table.setStyle(_style(block, size, _head_size(block, widths, size)))
        _, height = table.wrap(width, HEIGHT)
        if canvas is not None:
            table.drawOn(canvas, x, y - height)
        y -= height
    return wrapped(canvas, block.note, x, y, width, PLAIN, 0.9 * size) if block.note else y


def _cells(block: Block) -> list[list[str]]:
    over = [cell for text, n in block.over for cell in [plain(text), *[""] * (n - 1)]]
    rows = [[("! " if cell.tone else "") + plain(cell.text) for cell in row.cells] for row in block.rows]
    return [*([over] if over else []), [plain(text) for text in block.head], *rows]


def _widths(block: Block, width: float) -> list[float]:
    """The names have what the other columns leave: an equal share each, the last one and a half: it has intervals."""
    first = {"department": 0.66, "changes": 0.42, "wards": 0.18}[block.name] * width
    one = (width - first) / (len(block.head) - 0.5)
    return [first, *[one] * (len(block.head) - 2), 1.5 * one]


def _head_size(block: Block, widths: list[float], size: float) -> float:
    """Of letters with which every head fits above its columns."""
    room, place = list(zip(block.head, widths, strict=True)), 0
    for text, n in block.over:
        room.append((text, sum(widths[place : place + n])))
        place += n
    fits = [(width - 2 * PADDING) / pdfmetrics.stringWidth(plain(text), BOLD, 1.0) for text, width in room if text]
    return min([_HEAD * size, *fits])


def _style(block: Block, size: float, head_size: float) -> TableStyle:
    heads = 2 if block.over else 1
    style: list[tuple[Any, ...]] = [
        ("FONT", (0, 0), (-1, -1), PLAIN, size),
        ("FONT", (0, 0), (-1, heads - 1), BOLD, head_size),
        ("ALIGN", (1, 0), (-1, -1), "RIGHT"),
        ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
        ("TOPPADDING", (0, 0), (-1, -1), 0),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 0),
        ("LEFTPADDING", (0, 0), (-1, -1), PADDING),
        ("RIGHTPADDING", (0, 0), (-1, -1), PADDING),
        ("LINEBELOW", (0, heads - 1), (-1, heads - 1), 0.8, ink()),
        ("LINEBELOW", (0, heads), (-1, -1), 0.25, thin()),
    ]
    place = 0
    for text, n in block.over:
        if text:
            style += [("SPAN", (place, 0), (place + n - 1, 0)), ("ALIGN", (place, 0), (place, 0), "CENTER")]
        if place:
            style.append(("LINEBEFORE", (place, 0), (place, -1), 0.5, ink()))
        place += n
    for number, row in enumerate(block.rows, start=heads):
        if row.kind in ("group", "all"):
            style.append(("FONT", (0, number), (-1, number), BOLD, size))
        style += [("FONT", (at, number), (at, number), BOLD, size) for at, c in enumerate(row.cells) if c.tone]
    return TableStyle(style)
