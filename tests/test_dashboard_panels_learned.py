"""The page of what was learned: every part of the account is said, in both languages, and what failed too."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, get_args

import pytest

from dashboard.learned_words import change_name, check_words, excluded_words, field_words, start_sentence
from dashboard.pages.beside import Place, beside
from dashboard.panels import learned
from dashboard.parts import MARKS
from dashboard.words import LANGUAGES, Reader
from forecast.pages import AtStart
from tests.component_trees import texts, with_class
from tests.histories import calibration
from tests.learned_views import LEARNED, ordinary_learned, poor_learned, report
from twin.learned_report import changes

READER, FRENCH = Reader("en", "Europe/Paris"), Reader("fr", "Europe/Paris")


def said(view: Any, reader: Reader = READER) -> str:
    return " | ".join(texts(learned.panel(view, reader)))


@pytest.mark.parametrize("make", LEARNED.values(), ids=LEARNED)
@pytest.mark.parametrize("reader", [READER, FRENCH], ids=LANGUAGES[::-1])
def test_no_page_says_nothing_or_none(make: Any, reader: Reader) -> None:
    found = texts(beside(make(), reader, Place("learned")))
    assert len(found) > 7
    assert not any("None" in text or "nan" in text.lower().split() for text in found)


def test_it_says_when_from_what_and_how_long() -> None:
    found = said(ordinary_learned())
    assert "Learned 24 Nov 2026, 03:34 in 3.4 s from 58 days (12,812 visits); next at 03:34" in found
    assert "from 362 days (79,841 visits)" in found
    assert "Model a3f09c1d22be" in found


def test_the_verdict_has_a_mark_and_a_sentence() -> None:
    for verdict, mark in (("good", "good"), ("doubtful", "warn"), ("bad", "bad")):
        view = replace(ordinary_learned(), report=report(verdict=verdict))
        [shown] = with_class(learned.panel(view, READER), "verdict")
        assert texts(shown)[0] == MARKS[mark]


def test_a_night_that_failed_says_that_the_old_parameters_serve() -> None:
    assert "what was known before is used: a calibration needs 7 days of visits" in said(LEARNED["failed"]())
    assert "Nothing could be learned" not in said(ordinary_learned())


def test_what_is_described_says_what_serves_and_until_when() -> None:
    found = said(LEARNED["described"]())
    assert "Nothing has been learned yet." in found
    assert "Forecast from the site's own description: nothing learned yet (3 of 7 days)" in found
    assert "Arrivals follow the log: 1.08 times what is described." in found
    assert "A day counts once it is over for 48 hours" in found
    assert "description" not in said(LEARNED["nothing"]())


def test_a_path_that_is_kept_is_said_beside_what_was_learned() -> None:
    found = said(LEARNED["kept"]())
    assert "Forecast on the path of the site's file; arrivals, classes and stays in wards are learned" in found
    assert "Learned 24 Nov 2026" in found


def test_arrivals_are_a_week_of_shades_the_brightest_where_most_come() -> None:
    page = learned.panel(ordinary_learned(), READER)
    shades = [cell for k in range(learned.SHADES) for cell in with_class(page, f"shade-{k}")]
    assert len(shades) == 168
    assert {cell.title for cell in with_class(page, "shade-7")} >= {"15.9"}


def test_what_is_not_known_is_said_with_what_it_means() -> None:
    assert "Nothing that the model needs is missing." in said(ordinary_learned())
    found = said(poor_learned())
    assert "Doctors on duty are not told" in found
    assert "only whole stays are simulated" in found
    supposed = ((1, *[3] * 23), (2,) * 24)
    nearly = replace(ordinary_learned(), report=report(doctors_known=False, doctors_supposed=supposed))
    assert "as many are supposed, 1 to 3 by the hour" in said(nearly)
    assert "de 1 à 3 selon l’heure" in said(nearly, FRENCH)


def test_wards_bear_the_names_of_the_language() -> None:
    assert "Gériatrie" in said(ordinary_learned(), FRENCH)
    assert "Geriatrics" in said(ordinary_learned())


def test_changes_are_told_before_and_now_and_the_first_time_is_said() -> None:
    assert "days of stay, Geriatrics | 7.9 | 8.31" in said(ordinary_learned())
    assert "patients that a doctor looks after at once | — | 9" in said(ordinary_learned())
    assert "It is the first time." in said(LEARNED["first"]())


@pytest.mark.parametrize("language", LANGUAGES)
def test_whatever_a_calibration_tells_has_words(language: Any) -> None:
    """None of a real account's codes is shown as it is."""
    reader, told = Reader(language, "Europe/Paris"), dict(calibration().report)
    names = ("arrivals_per_day", "day_cv", "bed_turnaround_min", "doctor_slot_min")
    earlier: dict[str, Any] = told | dict.fromkeys(names, 9.0)
    for reason in told["excluded"]:
        assert excluded_words(reason, reader) != reason
    for check in told["checks"]:
        assert "_" not in check_words(told, check, reader)
    for change in changes(earlier, told):
        assert change_name(told, change["what"], reader) != change["what"]
    assert {field_words(name, FRENCH) for name in told["recorded_share"]}.isdisjoint(told["recorded_share"])


@pytest.mark.parametrize(
    ("status", "told"),
    [
        ("used", "flu: used. One standard deviation above the usual of late makes 3% of arrivals more or less"),
        ("not_shown", "flu: not used. On weeks it had not seen it did not tell arrivals better (1% of the squared"),
        ("too_short", "flu: not used yet, 77 days of it stand beside arrivals and 140 are needed."),
        ("stale", "flu: not used now, its last values are more than 14 days old."),
        ("unreadable", "flu: not used, flu.csv:3: cannot be read"),
    ],
)
def test_it_says_whether_a_series_from_outside_is_used_and_why_not(status: str, told: str) -> None:
    one = {
        "name": "flu",
        "status": status,
        "days": 77,
        "slope": 0.031,
        "gain": 0.012,
        "fault": "flu.csv:3: cannot be read",
    }
    calendar = {**report()["calendar"], "outside": [one], "school_zone": "A", "school_break": 0.93, "summer_break": 1.0}
    found = said(replace(ordinary_learned(), report=report(calendar=calendar)))
    assert told in found
    assert "School holidays (zone A): arrivals times 0.93, in summer times 1" in found


@pytest.mark.parametrize("at_start", get_args(AtStart))
def test_it_says_what_a_house_that_was_started_made_of_what_had_been_learned(at_start: AtStart) -> None:
    found = said(replace(ordinary_learned(), at_start=at_start))
    assert ("Kept since before" in found, "Learned anew at the start" in found) == (
        at_start == "kept",
        at_start != "kept",
    )
    assert "at the start" not in said(ordinary_learned())
    assert len({start_sentence(one, FRENCH) for one in get_args(AtStart)}) == len(get_args(AtStart))
