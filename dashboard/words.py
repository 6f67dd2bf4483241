"""Everything the wall says: translated texts, numbers, clock times, durations.

Texts in the code are English and are looked up in `locales/<language>/LC_MESSAGES/edtwin.po`, which is read when the
first page is made; nothing is compiled ahead. Local time exists only here.
"""

from __future__ import annotations

import gettext
import io
import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Literal, TypeVar, get_args

from babel.dates import format_date
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal

from dashboard.theme import Theme
from ingest.clock import local

Language = Literal["fr", "en"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
T = TypeVar("T")

LOCALES = Path(__file__).parent / "locales"
NBSP = "\N{NO-BREAK SPACE}"
MINUS = "\N{MINUS SIGN}"
_DATES: dict[Language, str] = {"fr": "fr_FR", "en": "en_GB"}

UNKNOWN = "\N{EM DASH}"
"""What stands for a value that is not known."""


def catalogue(language: Language) -> Catalog:
    """The texts of a language as they stand in its file."""
    with (LOCALES / language / "LC_MESSAGES" / "edtwin.po").open("rb") as file:
        return read_po(file, locale=language)


@cache
def _translations(language: Language) -> gettext.GNUTranslations:
    compiled = io.BytesIO()
    write_mo(compiled, catalogue(language))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


@dataclass(frozen=True)
class Reader:
    """Who reads: the language, the hospital's zone, and the screen that charts must fit.

    `rem_px` is the size of the page's base letter; `narrow` is True on a phone; `theme` is that of its colours.
    """

    language: Language
    zone: str
    rem_px: float = 20.0
    narrow: bool = False
    theme: Theme = "dark"

    @property
    def separators(self) -> str:
        """What stands before decimals and between thousands, as charts take them."""
        return ",\u202f" if self.language == "fr" else ".,"

    def choice(self, fr: T, en: T) -> T:
        """Of what is told in both languages, the reader's: names and sentences that the site's own files hold."""
        return fr if self.language == "fr" else en

    def text(self, text: str) -> str:
        """The text in the reader's language, its `{names}` left to be filled in."""
        return _translations(self.language).gettext(text)

    def say(self, text: str, **values: object) -> str:
        """The text in the reader's language, its `{names}` filled in."""
        return self.text(text).format(**values)

    def count(self, one: str, many: str, n: int) -> str:
        """The text that fits a number of things; `{n}` in it is the number."""
        return _translations(self.language).ngettext(one, many, n).format(n=self.number(n))

    def number(self, value: float | None, digits: int = 0) -> str:
        """A number with at most so many digits after the point, grouped; unknown or not finite is a dash."""
        if value is None or not math.isfinite(value):
            return UNKNOWN
        pattern = "#,##0" + ("." + "#" * digits if digits else "")
        rounded = round(value, digits) or 0.0
        return format_decimal(rounded, pattern, locale=self.language).replace("-", MINUS)

    def signed(self, value: float, digits: int = 0) -> str:
        """A difference, always with its sign unless it is zero."""
        text = self.number(value, digits)
        return f"+{text}" if round(value, digits) > 0 else text

    def percent(self, share: float) -> str:
        """A share as whole per cent."""
        return f"{self.number(100 * share)}{NBSP if self.language == 'fr' else ''}%"

    def clock(self, instant: datetime) -> str:
        """The time of day on the hospital's walls: "18 h 30", "18:30"."""
        there = local(instant, self.zone)
        return self.time_of_day(f"{there:%H:%M}")

    def time_of_day(self, time: str) -> str:
        """A local time written "18:30", or "8:00", as it is said."""
        hour, minute = (int(part) for part in time.split(":"))
        if self.language == "en":
            return f"{hour:02d}:{minute:02d}"
        return f"{hour}{NBSP}h{NBSP}{minute:02d}" if minute else f"{hour}{NBSP}h"

    def day(self, instant: datetime) -> str:
        """The date in words, with the day of the week."""
        return format_date(local(instant, self.zone), "full", locale=_DATES[self.language])

    def weekday(self, instant: datetime) -> str:
        """The day of the week: "mardi", "Tuesday"."""
        return format_date(local(instant, self.zone), "EEEE", locale=_DATES[self.language])

    def date(self, instant: datetime) -> str:
        """Day and month: "24 nov.", "24 Nov"."""
        return format_date(local(instant, self.zone), "d MMM", locale=_DATES[self.language])

    def moment(self, instant: datetime) -> str:
        """Day and time of day: "24 nov. 2026, 14 h 30"."""
        there = local(instant, self.zone)
        return f"{format_date(there, 'medium', locale=_DATES[self.language])}, {self.clock(instant)}"

    def duration(self, minutes: float | None) -> str:
        """A length of time, to the minute below a day: "35 min", "2 h 10"; unknown is a dash."""
        if minutes is None:
            return UNKNOWN
        whole = int(minutes)
        if whole < 60:
            return f"{whole}{NBSP}min"
        if whole < 24 * 60:
            return f"{whole // 60}{NBSP}h{NBSP}{whole % 60:02d}"
        return self.count("{n} day", "{n} days", whole // (24 * 60))

    def span(self, length: timedelta) -> str:
        """A length of time, as `duration` tells it."""
        return self.duration(length / timedelta(minutes=1))

    def lead(self, lead_min: int) -> str:
        """How far ahead of the issue time: "+4 h"."""
        return f"+{lead_min // 60}{NBSP}h"

    def ago(self, age: timedelta) -> str:
        """How long ago, in words."""
        if age < timedelta(minutes=1):
            return self.say("less than a minute ago")
        return self.say("{duration} ago", duration=self.span(age))
