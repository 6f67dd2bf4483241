"""Words, numbers and times as the reader sees them, and the two catalogues they come from."""

from __future__ import annotations

import re
import string
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir

import dashboard
from dashboard.words import LANGUAGES, NBSP, UNKNOWN, Language, Reader, catalogue

FRENCH = Reader("fr", "Europe/Paris")
ENGLISH = Reader("en", "Europe/Paris")
KEYWORDS = {"say": None, "text": None, "count": (1, 2)}

Text = str | tuple[str, ...]


def used_texts() -> set[Text]:
    """Every text that the code asks for; a plural is a pair."""
    folder = str(Path(dashboard.__file__).parent)
    return {found[2] for found in extract_from_dir(folder, [("**.py", "python")], keywords=KEYWORDS)}


def faults(found: Catalog, used: set[Text]) -> list[str]:
    """What is missing, unused, not translated, or has other holes than the original."""
    known = {message.id: message for message in found if message.id}
    out = [f"missing: {text}" for text in used - set(known)]
    out += [f"unused: {text}" for text in set(known) - used]
    out += [f"empty: {key}" for key, message in known.items() if not all(_forms(message.string)) or message.fuzzy]
    for key, message in known.items():
        holes = _holes(_forms(key)[-1])
        out += [f"holes: {key}" for form in _forms(message.string) if _holes(form) != holes]
    return out


def _forms(text: str | Sequence[str] | None) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text or ())


def _holes(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_a_time_of_day_is_said_as_on_the_walls() -> None:
    cases = (("8:00", "8 h", "08:00"), ("18:05", "18 h 05", "18:05"), ("00:30", "0 h 30", "00:30"))
    for time, french, english in cases:
        assert (FRENCH.time_of_day(time).replace(NBSP, " "), ENGLISH.time_of_day(time)) == (french, english)


def test_of_what_is_told_in_two_languages_the_reader_has_his_own() -> None:
    assert [reader.choice("lit", "bed") for reader in (FRENCH, ENGLISH)] == ["lit", "bed"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_catalogue_holds_every_text_and_no_other(language: Language) -> None:
    assert len(used_texts()) > 50
    assert faults(catalogue(language), used_texts()) == []


def test_a_faulty_catalogue_is_seen() -> None:
    bad = Catalog(locale="fr")
    bad.add("Present", "")
    bad.add("{n} old", "{m} vieux")
    bad.add("gone", "parti")
    used: set[Text] = {"Present", "{n} old", "Waiting"}
    assert sorted(faults(bad, used)) == ["empty: Present", "holes: {n} old", "missing: Waiting", "unused: gone"]


def test_french_differs_from_english() -> None:
    french, english = ({m.id: m.string for m in catalogue(language) if m.id} for language in ("fr", "en"))
    same = {key for key in french if french[key] == english[key]}
    assert same == {("{n} cycle", "{n} cycles"), ("{n} patient", "{n} patients")}


LOOSE = re.compile(r" [;:?!»]|« ")


def test_no_sign_begins_a_line_in_french() -> None:
    """French puts a space before double signs: one that does not break; an ordinary one, the mutant, is seen."""
    told = [form for message in catalogue("fr") if message.id for form in _forms(message.string)]
    assert [text for text in told if LOOSE.search(text)] == []
    assert LOOSE.search("marqués ; les signaler")
    assert not LOOSE.search(f"marqués{NBSP}; les signaler")


def test_numbers() -> None:
    assert [FRENCH.number(1289), FRENCH.number(3.14, 1), FRENCH.number(-2)] == ["1\u202f289", "3,1", "\u22122"]
    assert [ENGLISH.number(1289), ENGLISH.number(3.14, 1), ENGLISH.number(3.0, 1)] == ["1,289", "3.1", "3"]
    assert [FRENCH.signed(2.2), FRENCH.signed(-0.2), FRENCH.signed(-2.26, 1)] == ["+2", "0", "\u22122,3"]
    assert [FRENCH.percent(0.8), ENGLISH.percent(0.8)] == [f"80{NBSP}%", "80%"]


@pytest.mark.parametrize("absent", [None, float("nan"), float("inf")])
def test_what_is_not_known_is_a_dash_and_never_zero(absent: float | None) -> None:
    assert FRENCH.number(absent) == UNKNOWN
    assert FRENCH.duration(None) == UNKNOWN


def test_local_time_through_the_repeated_hour() -> None:
    before, after = datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    assert [FRENCH.clock(before), FRENCH.clock(after)] == [f"2{NBSP}h{NBSP}30"] * 2
    assert [ENGLISH.clock(before + timedelta(hours=2)), FRENCH.clock(datetime(2026, 7, 1, 6, tzinfo=UTC))] == [
        "03:30",
        f"8{NBSP}h",
    ]


def test_dates_and_durations() -> None:
    night = datetime(2026, 11, 23, 23, 30, tzinfo=UTC)
    assert [FRENCH.day(night), ENGLISH.day(night)] == ["mardi 24 novembre 2026", "Tuesday, 24 November 2026"]
    minutes = [0.0, 59.9, 131.0, 1440.0, 4400.0]
    assert [FRENCH.duration(m).replace(NBSP, " ") for m in minutes] == [
        "0 min",
        "59 min",
        "2 h 11",
        "1 jour",
        "3 jours",
    ]
    assert FRENCH.ago(timedelta(seconds=40)) == "il y a moins d'une minute"
    assert FRENCH.ago(timedelta(minutes=4)).replace(NBSP, " ") == "il y a 4 min"


def test_a_span_is_told_as_its_minutes_are() -> None:
    for minutes in (0.5, 35.0, 130.0, 3000.0):
        assert FRENCH.span(timedelta(minutes=minutes)) == FRENCH.duration(minutes)


def test_plurals_follow_the_language() -> None:
    assert [FRENCH.count("{n} bed free", "{n} beds free", n) for n in (0, 1, 2)] == [
        "0 lit libre",
        "1 lit libre",
        "2 lits libres",
    ]
    assert [ENGLISH.count("{n} bed free", "{n} beds free", n) for n in (0, 1)] == ["0 beds free", "1 bed free"]
