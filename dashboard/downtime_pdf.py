"""The downtime sheet as two pages of PDF, A4 upright, black on white: what was last known, and lines to write on."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from reportlab.lib.colors import white
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Table, TableStyle

from dashboard.downtime_words import Grid, Told, told
from dashboard.paper import BOLD, PLAIN, ink, lines, plain, register, thin, width_of, wrapped, write
from dashboard.words import Reader
from forecast.board import Board
from forecast.on_duty import OnDuty

WIDTH, HEIGHT = A4
MARGIN = 34.0
GAP = 10.0
PADDING = 3.0
SIZES = (11.0, 10.5, 10.0, 9.5, 9.0, 8.5, 8.0, 7.5, 7.0, 6.5, 6.0, 5.5, 5.0, 4.5, 4.0)
"""Sizes of letters, in points: the largest with which everything fits on the first page."""
HAND_ROW = 23.0
"""Height of a line to write on, in points: eight millimetres."""
SECOND = 9.0
"""Size of letters of the second page."""


def pdf(board: Board, staff: Sequence[OnDuty], reader: Reader) -> bytes:
    """The two pages in the reader's language; the same bytes for the same board."""
    register()
    words, out = told(board, staff, reader), io.BytesIO()
    canvas = Canvas(out, pagesize=(WIDTH, HEIGHT), invariant=True, lang=reader.language)
    canvas.setTitle(f"{words.title} · {words.hospital} · {words.known}")
    canvas.setAuthor("edtwin")
    size = next((size for size in SIZES if _first(None, words, size) >= MARGIN), SIZES[-1])
    _first(canvas, words, size)
    _foot(canvas, words, 1)
    canvas.showPage()
    _second(canvas, words)
    _foot(canvas, words, 2)
    canvas.showPage()
    canvas.save()
    return out.getvalue()


def _first(canvas: Canvas | None, words: Told, size: float) -> float:
    """What was last known, drawn from top to bottom or only measured; how high above the lower edge it ends."""
    full = WIDTH - 2 * MARGIN
    y = _head(canvas, words, size)
    y = _grid(canvas, words.department, MARGIN, y, full, size)
    y = _grid(canvas, words.wards, MARGIN, y - GAP, full, size)
    y = _grid(canvas, words.staff, MARGIN, y - GAP, full, size)
    y = _grid(canvas, words.ahead, MARGIN, y - GAP, full, size)
    return wrapped(canvas, words.is_not, MARGIN, y - GAP / 2, full, PLAIN, 0.85 * size)


def _head(canvas: Canvas | None, words: Told, size: float) -> float:
    """Title, times, the number to call; over all of it, in white on black, why it is not the present."""
    full, y = WIDTH - 2 * MARGIN, HEIGHT - MARGIN
    for text in (words.not_real, words.warning):
        if text is not None:
            y = _band(canvas, text, y, 1.35 * size) - 0.6 * size
    y = wrapped(canvas, f"{words.title} · {words.hospital}", MARGIN, y, full, BOLD, 1.6 * size) - 0.4 * size
    y = wrapped(canvas, words.known, MARGIN, y, full, BOLD, 2.1 * size) - 0.3 * size
    y = wrapped(canvas, f"{words.feed} · {words.made}", MARGIN, y, full, PLAIN, size) - 0.2 * size
    return wrapped(canvas, words.call, MARGIN, y, full, BOLD, 1.6 * size) - 0.8 * size


def _band(canvas: Canvas | None, text: str, y: float, size: float) -> float:
    """White on black, as wide as the page."""
    inside = WIDTH - 2 * MARGIN - 4 * PADDING
    height = (1.3 * len(lines(plain(text), inside / size, BOLD)) + 0.7) * size
    if canvas is not None:
        canvas.setFillColor(ink())
        canvas.rect(MARGIN, y - height, WIDTH - 2 * MARGIN, height, stroke=0, fill=1)
        canvas.setFillColor(white)
    wrapped(canvas, text, MARGIN + 2 * PADDING, y - 0.1 * size, inside, BOLD, size)
    if canvas is not None:
        canvas.setFillColor(ink())
    return y - height


def _grid(canvas: Canvas | None, grid: Grid, x: float, y: float, width: float, size: float) -> float:
    """A table below `y`; where it ends."""
    y = wrapped(canvas, grid.title, x, y, width, BOLD, 1.2 * size) - 0.5 * size
    if grid.rows:
        widths = _widths(grid, width, size)
        cells = [[plain(text) for text in row] + [""] * grid.hand for row in grid.rows]
        table = Table([[plain(text) for text in grid.head], *cells], colWidths=widths, rowHeights=_heights(grid, size))
        table.setStyle(_style(grid, size, _fitting(grid, widths, size)))
        _, height = table.wrap(width, HEIGHT)
        if canvas is not None:
            table.drawOn(canvas, x, y - height)
        y -= height
    return wrapped(canvas, grid.note, x, y - 0.1 * size, width, PLAIN, 0.9 * size) if grid.note else y


def _widths(grid: Grid, width: float, size: float) -> list[float]:
    """Each column has what its words need and a share of what is left; those to write in have one of the largest."""
    heads = [0.85 * size * width_of(plain(text), BOLD) for text in grid.head]
    needs = [
        max([head, *(size * width_of(plain(row[n]), BOLD) for row in grid.rows if n < len(row))]) + 5 * PADDING
        for n, head in enumerate(heads)
    ]
    shares = [1.0] * (len(needs) - grid.hand) + [4.0] * grid.hand
    left = max(0.0, width - sum(needs))
    scale = min(1.0, width / sum(needs))
    return [scale * need + left * share / sum(shares) for need, share in zip(needs, shares, strict=True)]


def _heights(grid: Grid, size: float) -> list[float]:
    return [1.7 * size, *[(2.0 if grid.hand else 1.7) * size] * len(grid.rows)]


def _fitting(grid: Grid, widths: Sequence[float], size: float) -> tuple[float, float]:
    """Sizes of letters with which every head, and every cell, fits its column."""
    return _of_rows([grid.head], widths, 0.85 * size), _of_rows(grid.rows, widths, size)


def _of_rows(rows: Sequence[Sequence[str]], widths: Sequence[float], size: float) -> float:
    cells = [(plain(text), width) for row in rows for text, width in zip(row, widths, strict=False) if text]
    return min([size, *((width - 5 * PADDING) / width_of(text, BOLD) for text, width in cells)])


def _style(grid: Grid, size: float, fitting: tuple[float, float]) -> TableStyle:
    head_size, cell_size = fitting
    style: list[tuple[Any, ...]] = [
        ("FONT", (0, 0), (-1, -1), PLAIN, cell_size),
        ("FONT", (0, 0), (-1, 0), BOLD, head_size),
        ("ALIGN", (1, 0), (-1, -1), "RIGHT"),
        ("ALIGN", (len(grid.head) - grid.hand, 0), (-1, -1), "LEFT"),
        ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
        ("TOPPADDING", (0, 0), (-1, -1), 0),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 0),
        ("LEFTPADDING", (0, 0), (-1, -1), PADDING),
        ("RIGHTPADDING", (0, 0), (-1, -1), PADDING),
        ("LINEBELOW", (0, 0), (-1, 0), 0.8, ink()),
        ("LINEBELOW", (0, 1), (-1, -1), 0.25, thin()),
    ]
    if grid.hand:
        first = len(grid.head) - grid.hand
        style += [("BOX", (n, 1), (n, -1), 0.5, ink()) for n in range(first, len(grid.head))]
        style.append(("FONT", (1, 1), (first - 1, -1), BOLD, cell_size))
        style.append(("RIGHTPADDING", (first - 1, 0), (first - 1, -1), 4 * PADDING))
    return TableStyle(style)


def _second(canvas: Canvas, words: Told) -> None:
    """Lines to write on, to the end of the page."""
    full, y = WIDTH - 2 * MARGIN, HEIGHT - MARGIN
    y = wrapped(canvas, f"{words.title} · {words.hospital} · {words.known}", MARGIN, y, full, BOLD, SECOND)
    y = wrapped(canvas, words.call, MARGIN, y, full, BOLD, 1.3 * SECOND) - SECOND
    y = wrapped(canvas, words.by_hand.title, MARGIN, y, full, BOLD, 1.2 * SECOND) - 0.5 * SECOND
    count = int((y - MARGIN - 2 * SECOND) // HAND_ROW)
    head = [plain(text) for text in words.by_hand.head]
    widths = [full * share for share in (0.1, 0.36, 0.2, 0.22, 0.12)]
    empty = [[""] * len(head)] * (count - 1)
    table = Table([head, *empty], colWidths=widths, rowHeights=[1.8 * SECOND, *[HAND_ROW] * len(empty)])
    table.setStyle(TableStyle([
        ("FONT", (0, 0), (-1, 0), BOLD, _of_rows([words.by_hand.head], widths, 0.9 * SECOND)),
        ("GRID", (0, 1), (-1, -1), 0.5, ink()), ("LINEBELOW", (0, 0), (-1, 0), 0.8, ink()),
        ("LEFTPADDING", (0, 0), (-1, -1), PADDING), ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
        ("TOPPADDING", (0, 0), (-1, -1), 0), ("BOTTOMPADDING", (0, 0), (-1, -1), 0),
    ]))  # fmt: skip
    _, height = table.wrap(full, HEIGHT)
    table.drawOn(canvas, MARGIN, y - height)


def _foot(canvas: Canvas, words: Told, page: int) -> None:
    """On each page when it was made, so that two sheets of paper that lie apart are told apart."""
    write(canvas, f"{words.known} · {words.made} · {page}/2", MARGIN, 0.55 * MARGIN, PLAIN, 7.0)
