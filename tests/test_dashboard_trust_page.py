"""The page of trust as a component tree: words that agree with the figures, charts, tables, in both languages."""

from __future__ import annotations

from base64 import b64decode
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

from dash.development.base_component import Component

from dashboard.pages.beside import Place, beside
from dashboard.panels import trust_page
from dashboard.trust_charts import RIVAL_HUES, style
from dashboard.trust_words import better_said, bias_said, covered_said
from dashboard.words import NBSP, Reader
from forecast.pages import PageView
from forecast.trust import SHOWN
from forecast.trust_view import MeasureTrust, TrustView
from tests.boards import ordinary
from tests.component_trees import FRENCH, READER, rows, texts, with_class
from tests.trust_views import made, measuring, nothing_yet, ordinary_trust, poor_trust

NARROW = Reader("fr", "Europe/Paris", narrow=True)


def census(**how: Any) -> MeasureTrust:
    return made(**how).measures[0]


def plain(said: list[str]) -> list[str]:
    return [text.replace(NBSP, " ") for text in said]


def panel(view: TrustView, reader: Reader = READER) -> Component:
    return trust_page.panel(view, reader)


def test_a_house_that_has_just_begun_says_what_it_waits_for_and_how_to_have_a_report() -> None:
    said = " ".join(texts(panel(nothing_yet())))
    assert "being measured: no forecast has met its hour yet" in said
    assert "Nothing corrects the simulation yet: it is published as it is." in said
    assert "edtwin backtest --report report.html" in said
    assert "shows on one page how good they were" in said
    assert "being measured, 12 of 60 days" in texts(panel(measuring()))
    french = " ".join(texts(panel(nothing_yet(), FRENCH)))
    assert "Aucun rapport de rejeu n'a encore été fait ici. La page « Validation détaillée » en lance un" in french


def test_where_there_is_a_report_there_is_a_way_to_it_with_its_age() -> None:
    [card] = with_class(panel(ordinary_trust(), FRENCH), "trust-report")
    [link] = with_class(card, "way")
    assert (link.href, texts(link)) == ("/report?lang=fr", ["Ouvrir le rapport du 21 nov. 2026, 14 h 34"])
    assert "edtwin backtest" not in " ".join(texts(card))


def test_it_says_what_it_rests_on() -> None:
    said = texts(panel(ordinary_trust()))
    assert any(text.startswith("From 120 forecasts of 30 days, from 1 Oct 2026, 02:00 to") for text in said)
    assert any("learned on 24 Nov 2026, 04:34 from 41 days" in text for text in said)
    assert any("made again from what was known then" in text for text in texts(panel(poor_trust())))


def test_every_measure_has_four_questions_each_with_words_and_a_chart() -> None:
    for card in with_class(panel(ordinary_trust()), "trust-measure"):
        questions = with_class(card, "trust-question")
        assert len(questions) == 4
        for question in questions:
            assert len(texts(question)) >= 2
            [chart] = with_class(question, "trust-chart")
            assert chart.alt
    assert len(with_class(panel(ordinary_trust()), "trust-measure")) == len(SHOWN)


def test_good_forecasts_are_called_good_and_those_a_rule_beat_are_not() -> None:
    assert plain(better_said(census(), READER)) == [
        "Yes, clearly better than every simple rule: +1 h, +2 h, +4 h, +8 h.",
        "No, a simple rule was clearly better: +12 h, +24 h.",
    ]
    assert "Yes" not in " ".join(better_said(census(too_high=3.0, width=0.5), READER)), "the mutant"
    unsure = replace(census(), leads=tuple(_unsure(at) for at in census().leads))
    assert plain(better_said(unsure, READER)) == [
        "Too close to the best simple rule to tell: +1 h, +2 h, +4 h, +8 h, +12 h, +24 h."
    ]
    alone = replace(census(), leads=tuple(replace(at, skill={}) for at in census().leads))
    assert better_said(alone, READER) == ["There is no simple rule to compare with."]


def _unsure(at: Any) -> Any:
    return replace(at, skill_ci95=dict.fromkeys(at.skill, (float("nan"), float("nan"))))


def test_intervals_too_narrow_or_too_wide_are_told_apart_from_those_that_hold() -> None:
    leads = "+1 h, +2 h, +4 h, +8 h, +12 h, +24 h"
    assert plain(covered_said(census(), READER)) == [f"Yes, as far as can be told: {leads}."]
    assert plain(covered_said(census(width=0.5), READER)) == [f"Fewer do, the forecast is too sure of itself: {leads}."]
    assert plain(covered_said(census(width=3.0), READER)) == [f"More do, the interval is wider than need be: {leads}."]


def test_too_high_and_too_low_are_told_with_by_how_much() -> None:
    [high] = plain(bias_said(census(too_high=3.0), READER))
    [low] = plain(bias_said(census(too_high=-3.0), READER))
    assert high.startswith("Too high: +1 h (+3)")
    assert low.startswith("Too low: +1 h (−3)")
    assert "+1 h" not in " ".join(plain(bias_said(census(), READER)))


def test_what_is_published_is_told_by_lead_and_greys_nothing_that_is_unknown() -> None:
    [card, *_] = with_class(panel(ordinary_trust(), FRENCH), "trust-measure")
    made_of = texts(with_class(card, "trust-question")[3])
    assert "+4 h : moitié simulation, moitié habitude." in made_of
    assert "+8 h, +12 h : surtout habitude, un peu de simulation." in made_of


def test_the_table_has_every_figure_of_what_is_published_the_simulation_and_each_rule() -> None:
    [table, *_] = with_class(panel(ordinary_trust()), "trust-figures")
    named = {row.split(" | ")[0]: row.split(" | ")[1:] for row in rows(table)}
    first = census().leads[0]
    assert named["crps of what is published"][0] == f"{first.crps:.2f}".rstrip("0")
    for rule in ("as usual at this hour", "nothing moves", "everybody stays as others did, nobody queues"):
        assert len(named[f"crps of “{rule}”"]) == 6
        assert ".." in named[f"error saved against “{rule}”"][0]
    assert ".." in named["mean error, with its interval"][0]
    assert ".." in named["inside the 80% interval, with its band"][0]
    assert named["share of the simulation when it was published"] == ["50%"] * 6
    assert named["share of the simulation now"] == ["95%", "72%", "50%", "31%", "12%", "4%"]


def test_a_telephone_has_fewer_columns_folded_away() -> None:
    small = panel(ordinary_trust(), NARROW)
    [table, *_] = with_class(small, "trust-figures")
    assert rows(table)[0].split(" | ")[1:] == ["1 h", "4 h", "12 h", "24 h"]
    assert "Details" in {type(part).__name__ for card in with_class(small, "trust-measure") for part in card.children}


def test_charts_are_whole_pictures_in_our_colours_alone() -> None:
    charts = with_class(panel(poor_trust(), FRENCH), "trust-chart")
    assert len(charts) == 4 * len(SHOWN)
    for chart in charts:
        picture = b64decode(chart.src.partition("base64,")[2]).decode()
        root = ElementTree.fromstring(picture)
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert "nan" not in picture
        kinds = {name for one in root.iter() for name in (one.get("class") or "").split()}
        assert all(f".{kind}" in style("dark") for kind in kinds)
    assert len(RIVAL_HUES) == len(set(RIVAL_HUES)) == 10


def test_every_page_leads_to_trust_and_to_the_report() -> None:
    def ways(view: PageView, name: str) -> list[str]:
        return [way.href for way in with_class(beside(view, FRENCH, Place(name)), "way")]

    own = ways(replace(ordinary_trust(), report_at=None), "trust")
    assert "/report?lang=fr" in own
    assert "/trust?lang=fr" not in own
    assert {"/trust?lang=fr", "/report?lang=fr"} <= set(ways(ordinary(), "downtime"))
