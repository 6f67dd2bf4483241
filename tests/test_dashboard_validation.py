"""The page of the validation as a component tree: figures as the report has them, every state, the buttons."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from flask import Flask
from werkzeug.exceptions import BadRequest

from dashboard.backtest_buttons import acted
from dashboard.panels import trust_page
from dashboard.report import validation
from dashboard.report.serving import answer_report
from forecast.validation_desk import chosen_of
from forecast.validation_view import DAYS, EVERY_H, MEMBERS, Chosen, ValidationView
from tests.component_trees import FRENCH, READER, rows, texts, with_class
from tests.trust_views import ordinary_trust
from tests.validation_views import failed, found, measuring, nothing_yet, ordinary_validation, poor_validation, running


def told(view: ValidationView) -> str:
    return " ".join(texts(validation.panel(view, READER)))


def table_rows(view: ValidationView) -> dict[str, list[str]]:
    every = [row.split(" | ") for row in rows(validation.panel(view, READER))]
    return {cells[0]: cells[1:] for cells in every}


def test_every_chart_of_the_report_is_there_whole_and_in_our_colours() -> None:
    charts = with_class(validation.panel(poor_validation(), FRENCH), "validation-chart")
    assert len(found(too_high=3.0, width=0.5).worst) == 3
    assert len(charts) == 1 + 2 + 1 + len(found().thresholds) + len(found(too_high=3.0, width=0.5).worst)
    for chart in charts:
        assert chart.alt
        picture = b64decode(chart.src.partition("base64,")[2]).decode()
        assert "nan" not in picture
        kinds = {name for one in ElementTree.fromstring(picture).iter() for name in (one.get("class") or "").split()}
        assert all(f".{kind}" in validation.style("dark") for kind in kinds), kinds


def test_coverage_stands_for_50_80_and_95_by_hours_ahead() -> None:
    named = table_rows(ordinary_validation())
    for percent in (50, 80, 95):
        shown = named[f"inside the {percent}% interval"]
        assert len(shown) == 6
    first = found().measure.leads[0].scores
    assert named["inside the 95% interval, ends included"][0] == f"{100 * first.coverage[95]:.0f}%"


def test_what_the_correction_does_stands_beside_what_was_simulated() -> None:
    named = table_rows(ordinary_validation())
    one = found().corrected[0]
    assert named["width of the 80% interval"][0].split()[-1].rstrip("0").rstrip(".") in f"{one.width_80:.1f}"
    assert named["share of the simulation now"] == ["95%", "100%", "50%", "100%", "100%", "100%"]
    raw, told_crps = (READER.number(value, 1) for value in (one.raw_crps, one.crps))
    [crps] = [row for row in rows(validation.panel(ordinary_validation(), READER)) if "crps" in row and "→" in row]
    assert crps.split(" | ")[1] == f"{raw} → {told_crps}"


def test_the_worst_days_say_why() -> None:
    assert "More than usual: 260 arrivals (usually 190)." in told(poor_validation())


def test_a_day_of_another_measure_does_not_say_that_it_counts_those_present() -> None:
    def said(measure: str) -> str:
        one = found(too_high=3.0, width=0.5)
        view = replace(poor_validation(), found=replace(one, measure=replace(one.measure, measure=measure)))
        charts = with_class(validation.panel(view, READER), "validation-chart")
        return " ".join(b64decode(chart.src.partition("base64,")[2]).decode() for chart in charts)

    assert "patients present" in said("ed_census")
    assert "patients present" not in said("ed_waiting")


@pytest.mark.parametrize(
    ("view", "words"),
    [
        (nothing_yet, "No forecast of this period has met what came"),
        (lambda: replace(nothing_yet(), source="backtest"), "No back-test has been made here yet: begin one below."),
        (measuring, "Being worked out"),
        (lambda: replace(nothing_yet(), fault="no day"), "It could not be computed: no day"),
        (nothing_yet, "The model has not been checked here yet."),
        (ordinary_validation, "all 24 checks held"),
        (poor_validation, "2 of 24 checks did not hold"),
        (poor_validation, "was stopped before its end; what it has done is kept"),
        (running, "day 11 of 30, about 4 min left"),
        (
            lambda: replace(running(), run=replace(running().run, of=0, left=None)),
            "the past is being read, 30 days are to come",
        ),
        (failed, "It could not be computed: the log holds 3.0 days, 10 are needed"),
    ],
)
def test_every_state_says_what_it_is(view: Callable[[], ValidationView], words: str) -> None:
    assert words in told(view())


def test_one_button_at_a_time() -> None:
    def acts(view: ValidationView) -> list[tuple[str, bool]]:
        buttons = with_class(validation.panel(view, READER), "backtest-act")
        return [(b.to_plotly_json()["props"]["data-act"], b.disabled) for b in buttons]

    assert acts(nothing_yet()) == [("start", False)]
    assert acts(running()) == [("cancel", False)]
    assert acts(poor_validation()) == [("resume", False), ("start", False)]
    assert acts(replace(nothing_yet(), run=replace(nothing_yet().run, ready=False))) == [("start", True)]


def test_choices_are_links_that_keep_the_others() -> None:
    view = replace(ordinary_validation(), chosen=Chosen("ed_waiting", "own", 90, (30, 1, 100)))
    chips = [one for one in with_class(validation.panel(view, READER), "chip") if hasattr(one, "href")]
    asked = [chosen_of(one.href) for one in chips]
    assert len(chips) == 4 + 4 + len(DAYS) + len(EVERY_H) + len(MEMBERS)
    assert {one.measure for one in asked} == {"ed_census", "ed_waiting", "ed_boarders", "ed_arrivals"}
    assert {one.run for one in asked} >= {(7, 1, 100), (30, 24, 100), (30, 1, 300)}
    on = [chosen_of(one.href) for one in chips if "on" in one.className.split()]
    assert on == [replace(view.chosen)] * 5


def test_an_address_that_asks_for_nonsense_asks_for_the_usual() -> None:
    assert chosen_of("?measure=x&source=y&days=3&run=7,7,7") == Chosen()


def test_the_report_is_downloaded_and_linked() -> None:
    [ways] = with_class(validation.panel(ordinary_validation(), READER), "validation-report")
    links = [way.href for way in with_class(ways, "way")]
    assert links == ["/report?lang=en", "/report.html", "/report.json"]
    assert not with_class(validation.panel(nothing_yet(), READER), "validation-report")
    trust = trust_page.panel(ordinary_trust(), READER)
    assert "All figures, and a back-test from the page" in texts(trust)


def test_the_files_of_the_report_are_served(tmp_path: Path) -> None:
    server = Flask("x")
    answer_report(server, tmp_path / "report.html")
    client = server.test_client()
    assert client.get("/report.json").status_code == 404
    (tmp_path / "report.html").write_text("<p>r</p>", encoding="utf-8")
    (tmp_path / "report.json").write_text("{}", encoding="utf-8")
    for form, body in (("html", b"<p>r</p>"), ("json", b"{}")):
        answer = client.get(f"/report.{form}")
        assert (answer.status_code, answer.data) == (200, body)
        assert f"edtwin-backtest.{form}" in answer.headers["Content-Disposition"]
    (tmp_path / "report.toml").write_text("x", encoding="utf-8")
    assert client.get("/report.toml").status_code == 404, "no other file of the folder"


class Noted:
    """Whoever runs back-tests."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    def start(self, days: int, every_h: int, members: int) -> bool:
        self.told.append((days, every_h, members))
        return True

    def cancel(self) -> bool:
        self.told.append("cancel")
        return False

    def resume(self) -> bool:
        self.told.append("resume")
        return True


def test_buttons_reach_who_runs_and_nonsense_is_refused() -> None:
    noted = Noted()
    assert acted(noted, {"act": "start", "days": 7, "every_h": 24, "members": 20}) == "done"
    assert acted(noted, {"act": "cancel"}) == "nothing to do"
    assert acted(noted, {"act": "resume"}) == "done"
    assert noted.told == [(7, 24, 20), "cancel", "resume"]
    assert acted(None, {"act": "cancel"}) == "nothing to do"
    for bad in (None, {"act": "end"}, {"act": "start"}, {"act": "start", "days": True, "every_h": 1, "members": 20}):
        with pytest.raises(BadRequest):
            acted(noted, bad)
