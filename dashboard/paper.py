"""What every sheet of paper of the house is drawn with: its letters, its inks, words broken into lines."""

from __future__ import annotations

from reportlab import rl_config
from reportlab.lib.colors import HexColor
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from dashboard.theme import colours
from dashboard.words import NBSP

PLAIN, BOLD = "Sheet", "Sheet-Bold"
_FONTS = {PLAIN: "Vera.ttf", BOLD: "VeraBd.ttf"}
"""They come with reportlab, are embedded in the file, and have the letters of French."""
_SAID_OTHERWISE = {"\N{NARROW NO-BREAK SPACE}": NBSP, "\N{BLACK UP-POINTING TRIANGLE}": "!"}
"""Characters that these fonts lack, and what stands for them."""


def register() -> None:
    """Make the letters known, once a process."""
    rl_config.warnOnMissingFontGlyphs = 1
    for name, file in _FONTS.items():
        if name not in pdfmetrics.getRegisteredFontNames():
            pdfmetrics.registerFont(TTFont(name, file))


def ink() -> HexColor:
    """Of words and heavy lines."""
    return HexColor(colours("light")["ink"])


def thin() -> HexColor:
    """Of light lines."""
    return HexColor(colours("light")["usual"])


def write(canvas: Canvas | None, text: str, x: float, y: float, font: str, size: float) -> None:
    """A line of text; nothing where the page is only measured."""
    if canvas is not None:
        canvas.setFont(font, size)
        canvas.drawString(x, y, plain(text))


def wrapped(canvas: Canvas | None, text: str, x: float, y: float, width: float, font: str, size: float) -> float:
    """A paragraph below `y`; where it ends."""
    for line in lines(plain(text), width / size, font):
        y -= 1.3 * size
        write(canvas, line, x, y, font, size)
    return y


def lines(text: str, width: float, font: str) -> list[str]:
    """The text in lines of a width, in sizes of letters; a space that does not break keeps its words together."""
    found: list[str] = []
    for word in text.split(" "):
        longer = f"{found[-1]} {word}" if found else word
        if found and width_of(longer, font) <= width:
            found[-1] = longer
        else:
            found.append(word)
    return found


def width_of(text: str, font: str) -> float:
    """How wide a text is, in sizes of letters."""
    return float(pdfmetrics.stringWidth(text, font, 1.0))


def plain(text: str) -> str:
    """The text in characters that the letters have."""
    for lacking, other in _SAID_OTHERWISE.items():
        text = text.replace(lacking, other)
    return text
