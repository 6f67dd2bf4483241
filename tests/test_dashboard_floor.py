"""The page of the floor as a component tree, its pictures, and the door to its days."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date

import pytest
from flask import Flask
from flask.testing import FlaskClient

from dashboard import floor_picture
from dashboard.floor_days import answer_floor
from dashboard.floor_words import beds_said, by_stage, headline, range_said, zone_name
from dashboard.pages.beside import BESIDE, Place, beside
from dashboard.panels import floor
from dashboard.words import LANGUAGES, Language, Reader
from forecast.floor_view import TIERS, BedStrip, Dot, FloorView, Likely
from tests.component_trees import FRENCH, READER, classes, rows, texts, with_class
from tests.floor_views import (
    FLOORS,
    WARDS,
    day_json,
    empty_floor,
    off_floor,
    ordinary_floor,
    overfull_floor,
    stale_floor,
    waking,
)
from tests.floor_views import by_stage as stages_only


def said(component: object) -> str:
    return " ".join(texts(component))


def handed(view: object) -> object:
    return with_class(floor.panel(view, READER), "floor-stage")[0]  # type: ignore[arg-type]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", FLOORS)
def test_every_example_makes_a_page(name: str, language: Language) -> None:
    page = beside(FLOORS[name](), Reader(language, "Europe/Paris"), Place("floor"))
    assert "floor-page" in classes(page)
    assert "{" not in said(page)


def test_its_title_is_a_question_in_both_languages() -> None:
    assert [BESIDE["floor"].title(reader).replace("\xa0", " ") for reader in (READER, FRENCH)] == [
        "Where are the patients?", "Où sont les patients ?",
    ]  # fmt: skip


def test_the_headline_counts_every_dot_once() -> None:
    view = ordinary_floor()
    assert headline(view, READER).startswith(f"{len(view.dots)} patients in the department: waiting for triage ")
    counts = [int(part.rpartition(" ")[2]) for part in by_stage(view.dots, READER).split(", ")]
    assert sum(counts) == len(view.dots)
    assert headline(replace(view, dots=()), READER) == "Nobody is in the department."
    assert headline(view, FRENCH).startswith(f"{len(view.dots)} patients aux urgences\xa0: attente du tri ")


def test_the_tables_say_what_the_dots_show() -> None:
    view = ordinary_floor()
    stages, zones = with_class(floor.panel(view, READER), "floor-told")
    in_care = [dot for dot in view.dots if dot.stage == "decision"]
    row = next(row for row in rows(stages) if row.startswith("In care"))
    longest = READER.duration(max(dot.elapsed_min for dot in in_care)).replace("\xa0", " ")
    above = sum(dot.elapsed_min > 260.0 for dot in in_care)
    assert row == f"In care | {len(in_care)} | {longest} | 4 h 20 | 1 h 42 | {above}"
    boxes = [dot for dot in view.dots if dot.zone == "boxes"]
    row = next(row for row in rows(zones) if row.startswith("Boxes"))
    assert row == f"Boxes {by_stage(boxes, READER)} | {len(boxes)} | 18"
    assert next(row for row in rows(zones) if row.startswith("Imaging")).endswith("does not tell who is here | — | 4")


def test_what_is_not_usual_yet_is_not_said() -> None:
    view = replace(ordinary_floor(), usual=())
    assert {view.tier(dot) for dot in view.dots} == {"unknown"}
    stages = with_class(floor.panel(view, READER), "floor-told")[0]
    assert next(row for row in rows(stages) if row.startswith("In care")).endswith("| — | — | —")


def test_where_no_area_is_told_zones_are_stages_and_else_they_say_that_the_place_is_not() -> None:
    plain, mixed = stages_only(), ordinary_floor()
    assert [zone_name(zone, plain.zones, READER) for zone in plain.zones][:2] == [
        "Waiting for triage", "Waiting for a doctor",
    ]  # fmt: skip
    assert zone_name(mixed.zones[0], mixed.zones, READER) == "Waiting for triage, place not told"


def test_the_script_is_handed_its_words_and_the_state() -> None:
    stage = handed(ordinary_floor())
    words = json.loads(getattr(stage, "data-words"))
    assert words["said"] == "{stage}: {n}, the longest {longest}"
    assert words["stages"]["bed"] == "Waiting for a ward bed"
    assert words["many"] == "{n} patients here"
    assert (getattr(stage, "data-state"), getattr(stage, "data-tz")) == ("live", "Europe/Paris")
    assert getattr(stage, "data-first") == "2026-11-01"


def test_a_feed_that_is_off_takes_the_numbers_away_and_one_that_is_stale_greys_them() -> None:
    blind, old = floor.panel(off_floor(), READER), floor.panel(stale_floor(), READER)
    assert with_class(blind, "floor-told") == []
    assert with_class(blind, "floor-now") == []
    assert "Not known now: no data come in." in said(with_class(blind, "floor-beds")[0])
    assert getattr(with_class(blind, "floor-stage")[0], "data-state") == "off"
    assert "feed-stale" in classes(old)
    assert "LAST KNOWN" in said(with_class(old, "banners")[0])
    assert with_class(old, "floor-told")


def test_before_the_first_cycle_it_says_so() -> None:
    panel = floor.panel(waking(), READER)
    assert "it comes with the first forecast" in said(panel)
    assert with_class(panel, "floor-stage") == []


def test_a_fault_is_said_above_the_plan() -> None:
    panel = floor.panel(replace(ordinary_floor(), fault="KeyError"), READER)
    assert "The positions could not be made anew (KeyError)." in said(with_class(panel, "floor-card")[0])


def test_those_who_are_taken_to_have_left_are_told() -> None:
    panel = said(floor.panel(ordinary_floor(), READER))
    assert "2 more have no exit on record and are more likely gone than here" in panel
    assert "no exit on record and" not in said(floor.panel(empty_floor(), READER))


# --- what is likely ---------------------------------------------------------------------------------------------------


def test_the_likely_picture_says_that_it_is_likely_and_what_cannot_be_foreseen() -> None:
    likely = with_class(floor.panel(ordinary_floor(), READER), "floor-likely")[0]
    text = said(likely)
    assert "Likely at 16:34, not known: a forecast." in text
    assert "Waiting for triage or a doctor about 10 8 chances in 10: 6 to 15" in text
    assert "In the department in all: 8 chances in 10: 32 to 46." in text
    assert "Which area they will be in" in text


def test_without_a_forecast_there_is_no_likely_picture() -> None:
    view = ordinary_floor()
    assert view.ahead is not None
    less = replace(view, ahead=replace(view.ahead, boarders=None))
    assert "cannot be foreseen: the log does not tell it" in said(floor.panel(less, READER))
    for none in (replace(view, ahead=None), off_floor()):
        panel = floor.panel(none, READER)
        assert "There is no forecast to look ahead with." in said(with_class(panel, "floor-likely")[0])


def test_a_range_of_one_number_is_one_number() -> None:
    assert range_said(Likely(2.0, 2.0, 2.2), READER) == "8 chances in 10: 2"


def svg_of(address: str | None) -> str:
    assert address is not None
    head, _, told = address.partition(",")
    assert head == "data:image/svg+xml;base64"
    return b64decode(told).decode()


def test_likely_dots_are_firm_up_to_the_low_end_and_dashed_up_to_the_high_one() -> None:
    firm, maybe = svg_of(floor_picture.likely(Likely(3.0, 5.0, 9.0), "dark")).split("stroke-dasharray")
    assert (firm.count("<circle"), maybe.count("<circle")) == (3, 6)
    assert svg_of(floor_picture.likely(Likely(0.0, 0.0, 0.0), "dark")).count("<circle") == 0
    assert svg_of(floor_picture.likely(Likely(500.0, 600.0, 700.0), "dark")).count("<circle") == floor_picture.MOST_DOTS


# --- beds -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("strip", "states"),
    [
        (BedStrip("x", "X", "X", 5, 3, 2), "occupied occupied occupied free free"),
        (BedStrip("x", "X", "X", 4, 2, 2, cleaning=1, closed=1), "occupied occupied cleaning free closed"),
        (BedStrip("x", "X", "X", 2, 3, -1), "occupied occupied over"),
        (BedStrip("x", "X", "X", None, 2, None), "occupied occupied"),
        (BedStrip("x", "X", "X", None, None, None), ""),
        (BedStrip("x", "X", "X", 2, 2, 0, cleaning=3), "occupied occupied"),
    ],
)
def test_a_strip_has_one_sign_a_bed(strip: BedStrip, states: str) -> None:
    assert floor_picture.bed_states(strip) == states.split()


def test_each_state_of_a_bed_has_a_shape_of_its_own() -> None:
    """Told without colour: the paths differ."""
    paths = {state: floor_picture._bed(state, 0, 0) for state in ("occupied", "cleaning", "closed", "over")}
    assert len(set(paths.values())) == 4
    drawn = svg_of(floor_picture.beds(BedStrip("x", "X", "X", 2, 1, 1), "dark"))
    assert 'fill="none"' in drawn  # a free bed is an empty frame, an occupied one is full


def test_what_is_not_known_of_beds_is_said_to_be_so() -> None:
    by_unit = {strip.unit: beds_said(strip, READER) for strip in WARDS}
    assert by_unit["medicine"] == ["occupied: 58", "free: 5", "being cleaned: 2", "closed: 3"]
    assert by_unit["surgery"][1:3] == ["2 too many", "being cleaned: not told"]
    assert by_unit["burns"] == ["occupied: not told", "free: not told", "being cleaned: not told", "closed: not told"]
    beds = with_class(floor.panel(ordinary_floor(), READER), "floor-beds")[0]
    assert "free at 16:34, likely: 8 chances in 10: 0 to 1" in said(beds)  # below none there is no bed
    assert "check" in said(beds)


# --- light ------------------------------------------------------------------------------------------------------------


def weight(view: FloorView) -> int:
    """Bytes of a page as it is sent, before compression."""
    page = beside(view, FRENCH, Place("floor"))
    return len(json.dumps(page.to_plotly_json(), default=lambda part: part.to_plotly_json()).encode())


def test_the_page_of_an_overfull_hospital_is_light_and_a_heavy_one_is_seen() -> None:
    """Far below 100 kB with 173 present; the mutant has thirty times as many wards."""
    view = overfull_floor()
    assert weight(view) < 60_000
    assert weight(replace(view, wards=view.wards * 30)) > 100_000


def test_a_day_of_more_than_a_thousand_arrivals_is_light() -> None:
    day = day_json("overfull")
    assert len({piece[0] for piece in json.loads(day)["pieces"]}) > 1000
    assert len(day) < 150_000
    assert len(day_json("ordinary")) < 20_000


def test_the_legend_names_every_ring() -> None:
    legend = with_class(floor.panel(ordinary_floor(), READER), "floor-legend")[0]
    assert set(TIERS) <= set(classes(legend))
    assert "longer than 9 in 10, two rings" in said(legend)


def test_dots_say_no_priority_and_nobody() -> None:
    assert "It is nobody in particular, and no priority" in said(floor.panel(ordinary_floor(), READER))
    assert set(Dot.__dataclass_fields__) == {"zone", "stage", "elapsed_min"}


# --- the door to the days ------------------------------------------------------------------------------------------


@contextmanager
def door() -> Iterator[FlaskClient]:
    app = Flask("door")
    known = {None: b"[]", date(2026, 11, 24): b"[1]"}
    answer_floor(app, lambda day: known.get(day))
    with app.test_client() as client:
        yield client


def test_the_door_gives_the_last_hours_or_a_day() -> None:
    with door() as client:
        assert client.get("/floor/day.json").data == b"[]"
        assert client.get("/floor/day.json?day=2026-11-24").get_json() == [1]


@pytest.mark.parametrize(
    ("asked", "status", "answer"),
    [
        ("yesterday", 400, "day must be a date like 2026-11-24, but is 'yesterday'\n"),
        ("", 400, "day must be a date like 2026-11-24, but is empty\n"),
        ("2026-13-01", 400, "day must be a date like 2026-11-24, but is '2026-13-01'\n"),
        ("2020-01-01", 404, "the floor of 2020-01-01 cannot be told\n"),
    ],
)
def test_what_is_no_day_is_refused(asked: str, status: int, answer: str) -> None:
    with door() as client:
        told = client.get(f"/floor/day.json?day={asked}")
        assert (told.status_code, told.get_data(as_text=True)) == (status, answer)
