"""The report as a file: whole in itself, in both languages, honest, small; and in a browser on every screen."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from os import utime
from pathlib import Path
from xml.etree import ElementTree

import pytest
from flask import Flask
from playwright.sync_api import BrowserContext, Page

from dashboard.report.page import render
from dashboard.report.plots import Chart, span, ticks
from dashboard.report.serving import answer_report, written_at
from dashboard.report.words import different
from dashboard.words import Reader
from forecast.day_facts import DayFacts, Fact
from forecast.report import BacktestReport
from tests.chromium import in_chromium, page_of
from tests.pictures import SCREENS
from tests.test_forecast_report import making, report

NAN = float("nan")
LARGEST_BYTES = 1_000_000
STRANGE = re.compile(
    r"""<script|<link|<img|<iframe|\bsrc=|\bhref=|@import|url\(|https?://|\bon[a-z]+=""", re.IGNORECASE
)


def page(found: BacktestReport | None = None) -> str:
    return render(found or report())


def test_it_asks_for_nothing_and_runs_nothing() -> None:
    assert STRANGE.findall(page()) == []
    assert STRANGE.findall(page() + '<script src="https://example.org/x.js"></script>'), "such a thing is seen"
    assert len(page().encode()) < LARGEST_BYTES


def test_every_picture_is_well_formed_and_says_what_it_shows() -> None:
    pictures = re.findall(r"<svg.*?</svg>", page(), re.DOTALL)
    assert len(pictures) > 12
    for picture in pictures:
        assert ElementTree.fromstring(picture).findtext("title")
        assert "nan" not in picture


def test_both_languages_are_there_and_the_one_asked_for_is_shown_first() -> None:
    both = page()
    assert "Font-elles mieux que des règles simples" in both
    assert "Are they better than simple rules?" in both
    assert re.search(r'id="pick-fr"[^>]* checked', both)
    assert re.search(r'id="pick-en"[^>]* checked', render(report(), "en"))
    assert re.findall(r"\{[a-z_]+\}", re.sub(r"<style>.*?</style>", "", both, flags=re.DOTALL)) == []


def test_it_says_what_it_is() -> None:
    assert "This hospital does not exist." in page()
    own = page(replace(report(), making=replace(making(), kind="own")))
    assert "This hospital does not exist." not in own
    assert "A replay is not a trial" in own


def test_it_says_how_to_make_it_again_and_names_are_not_taken_for_markup() -> None:
    text = page()
    assert "edtwin backtest --every 240m" in text
    assert "c0de" in text
    assert "Saint-Jean &lt;&amp; fils&gt;" in text
    assert "<& fils>" not in text


def test_peaks_stand_beside_simple_rules_and_rules_that_say_nothing_are_left_out() -> None:
    text = page()
    assert "height, saved against “nothing moves”" in text
    assert "time, saved against “as usual at this hour”" in text
    assert "height, saved against “everybody stays as others did, nobody queues”" not in text


def test_a_report_of_nothing_says_so() -> None:
    nothing = replace(report(), measures=(), worst=(), hours=None, thresholds=(), rivals=())
    assert "There is nothing to compare" in page(nothing)


ENGLISH, FRENCH = Reader("en", "Europe/Paris"), Reader("fr", "Europe/Paris")


def day(*facts: Fact, holiday: dict[str, str] | None = None) -> DayFacts:
    return DayFacts(report().worst[0].facts.day, holiday or {}, {}, facts)


def test_a_day_is_explained_by_what_was_far_from_usual_only() -> None:
    arrivals, beds = Fact("arrivals", 120.0, 90.0, 3.0), Fact("beds_free", 4.0, 5.0, -0.4)
    assert different(day(arrivals, beds), ENGLISH) == ["More than usual: 120 arrivals (usually 90)."]
    assert different(day(beds), ENGLISH)[0].startswith("Nothing that is recorded was unusual")
    late = Fact("late_share", 0.42, 0.05, 9.0)
    told = different(day(late, holiday={"fr": "Noël", "en": "Christmas Day"}), ENGLISH)
    assert told == [
        "It was a public holiday: Christmas Day.",
        "42% of the messages came more than an hour late (usually 5%).",
    ]
    assert "Noël" in different(day(holiday={"fr": "Noël", "en": "Christmas Day"}), FRENCH)[0]


def test_axes_have_round_values_and_hold_what_is_shown() -> None:
    assert ticks(0.0, 1.0) == [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    assert ticks(-13.0, 41.0) == [0.0, 20.0, 40.0]
    assert ticks(2.0, 2.0) == [2.0]
    assert span([NAN, 3.0, 7.0]) == pytest.approx((2.68, 7.32))
    assert span([NAN]) == pytest.approx((-0.08, 1.08))
    assert span([2.0], least=0.0) == pytest.approx((0.0, 2.16))


def test_a_line_is_broken_where_nothing_is_known() -> None:
    chart = Chart((0.0, 4.0), (0.0, 1.0))
    chart.line([0.0, 1.0, 2.0, 3.0, 4.0], [0.1, 0.2, NAN, 0.4, 0.5], "ours")
    assert len(chart.pieces) == 2
    chart.whisker(1.0, NAN, 0.0, 1.0, "ours")
    assert len(chart.pieces) == 2
    assert chart.at(9.0, -3.0) == chart.at(4.0, 0.0), "what is outside lies on the edge"


def test_the_house_shows_the_last_report_or_how_to_make_one(tmp_path: Path) -> None:
    server, file = Flask("house"), tmp_path / "report.html"
    answer_report(server, file)
    with server.test_client() as client:
        none = client.get("/report")
        assert (none.status_code, "edtwin backtest --report" in none.text) == (404, True)
        assert "ce qu&#x27;elles valaient\N{NO-BREAK SPACE}: face à des règles simples" in none.text
        assert "how good they were: against simple rules" in none.text
        for language in ("fr", "en"):
            assert f'<html lang="{language}">' in client.get(f"/report?lang={language}").text
        assert '<html lang="fr">' in client.get("/report?lang=%3Cscript%3E").text
        assert written_at(file) is None
        file.write_text(page(), encoding="utf-8")
        assert client.get("/report").text == page()
        at = datetime(2026, 11, 20, 7, 30, tzinfo=UTC)
        utime(file, (at.timestamp(), at.timestamp()))
        assert written_at(file) == at


# --- in a browser ----------------------------------------------------------------------------------------------------


def watch(shown: Page, asked: list[str], said: list[str]) -> None:
    """What the page asks for and complains of, as it goes."""
    shown.on("request", lambda request: asked.append(request.url))
    shown.on("console", lambda message: said.append(message.text))


@in_chromium
def test_it_reads_on_every_screen_without_a_request_and_changes_language(
    context: BrowserContext, tmp_path: Path
) -> None:
    file = tmp_path / "report.html"
    file.write_text(page(), encoding="utf-8")
    for width, height in SCREENS.values():
        shown = page_of(context, width, height)
        asked: list[str] = []
        said: list[str] = []
        watch(shown, asked, said)
        shown.goto(file.as_uri())
        assert (asked, said) == ([file.as_uri()], [])
        assert shown.evaluate("document.documentElement.scrollWidth - window.innerWidth") == 0
        smallest = """() => Math.min(...[...document.querySelectorAll('.tongue-fr svg text')]
            .map(e => e.getBoundingClientRect().height))"""
        assert shown.evaluate(smallest) > 8
        assert shown.get_by_text("Comment le refaire").is_visible()
        shown.locator("label[for=pick-en]").click()
        assert shown.get_by_text("How to make it again").is_visible()
        assert not shown.get_by_text("Comment le refaire").is_visible()
        shown.close()
