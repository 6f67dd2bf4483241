"""The picture of a path: a sound drawing that names every stage, with the shares of every parting and its colours."""

from __future__ import annotations

import re
from collections.abc import Callable
from xml.etree import ElementTree

import pytest

from dashboard.path_picture import HUES, RARE, Legend, Sketch, sketch
from dashboard.site_words import name_of
from dashboard.theme import colours
from dashboard.words import LANGUAGES, Language, Reader
from forecast.pages import PathView
from tests.component_trees import FRENCH, READER
from tests.path_views import cramped, learned, shipped
from tests.test_twin_explained import small
from twin.explanation import ABOVE, Explained

SVG = "{http://www.w3.org/2000/svg}"
EXAMPLES: dict[str, Callable[[], PathView]] = {"shipped": shipped, "learned": learned, "cramped": cramped}


def told(name: str) -> Explained:
    explained = EXAMPLES[name]().explained
    assert explained is not None
    return explained


def elements(drawn: Sketch, tag: str, kind: str) -> list[ElementTree.Element]:
    root = ElementTree.fromstring(drawn.svg)
    return [e for e in root.iter(f"{SVG}{tag}") if (e.get("class") or "").split()[:1] == [kind]]


def titles(drawn: Sketch) -> list[str]:
    return [e.text or "" for e in ElementTree.fromstring(drawn.svg).iter(f"{SVG}title")]


@pytest.mark.parametrize("narrow", [False, True])
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", EXAMPLES)
def test_it_is_a_sound_picture_of_every_stage_but_the_turnings(name: str, language: Language, narrow: bool) -> None:
    explained, reader = told(name), Reader(language, "Europe/Paris")
    drawn = sketch(explained, reader, narrow=narrow)
    names = {name_of(step, reader): step for step in explained.steps}
    found = titles(drawn)
    assert len(found) == len(set(found))
    left_out = [step for name, step in names.items() if name not in found]
    alone = {s.name for s in left_out if s.zone in WARD_ZONES or s.enters == "asked" or s.share < RARE}
    assert all((len(s.ways) == 1 and s.lasts_min is None) or s.a_day <= 0 for s in left_out if s.name not in alone)
    if name == "learned":
        assert all(step.a_day <= 0 for step in left_out if step.name in alone), "a short path is drawn whole"
    else:
        assert {"second_ward", "icu_stay", "recovery", "ward_imaging", "worse"} <= alone
        assert not alone & {"ward", "uhcd", "boarding", "decision", "fast_track", "transfer", "died"}


WARD_ZONES = {"wards", "uhcd", "intensive_care"}


def inside(drawn: Sketch) -> bool:
    """Is every box on the sheet?"""
    boxes = [[float(e.get(k) or 0) for k in ("x", "y", "width", "height")] for e in elements(drawn, "rect", "box")]
    return all(x >= 0 and y >= 0 and x + w <= drawn.width and y + h <= drawn.height for x, y, w, h in boxes)


def test_every_box_is_on_the_sheet_and_one_that_is_not_is_seen() -> None:
    for narrow in (False, True):
        drawn = sketch(told("shipped"), FRENCH, narrow=narrow)
        assert inside(drawn)
        assert not inside(Sketch(drawn.svg, drawn.width / 2, drawn.height))


def test_ways_are_as_wide_as_many_go_and_say_their_share_where_ways_part() -> None:
    drawn = sketch(small(), READER, narrow=False)
    widths = sorted(float(e.get("stroke-width") or 0) for e in elements(drawn, "path", "way"))
    assert [round(width / widths[-1], 2) for width in widths] == [0.5, 0.5, 0.87, 1.0]  # roots of 1/4, 1/4, 3/4, 1
    assert sorted(e.text or "" for e in elements(drawn, "text", "share")) == ["25%", "75%"]
    assert len(elements(drawn, "path", "unseen")) == 1


def test_who_leaves_unseen_goes_to_the_path_s_own_way_out_if_it_has_one() -> None:
    assert titles(sketch(told("shipped"), READER, narrow=False)).count("Leaves without being seen") == 1
    assert titles(sketch(told("learned"), READER, narrow=False)).count("Leaves without being seen") == 1


def test_a_zone_s_head_says_what_is_noted_of_it() -> None:
    heads = [e.text for e in elements(sketch(small(), FRENCH, narrow=False, note={ABOVE: "12"}), "text", "zone-name")]
    assert "Urgences · 12" in heads
    assert "Services" in heads


def test_every_colour_is_of_the_stylesheet_and_means_one_thing() -> None:
    explained = told("shipped")
    legend = Legend.of(explained)
    assert legend.hue["doctor"] == "pool-5"
    assert {legend.hue[p] for p in ("bed:uhcd", "wanted bed")} == {"pool-beds"}
    shown = legend.shown(explained, READER)
    assert ("pool-5", "Emergency doctors") in shown
    assert len({hue for hue, _ in shown}) == len(shown)
    assert ("pool-6", "other staff or equipment") in shown
    assert {legend.hue[p] for p in ("porter", "ventilator", "specialist")} == {"pool-6"}, "queued for by fewest"
    drawn = sketch(explained, READER, narrow=False)
    known = set(colours(READER.theme).values())
    assert set(re.findall(r"#[0-9a-f]{6}", drawn.svg)) <= known
    used = {c for e in ElementTree.fromstring(drawn.svg).iter(f"{SVG}rect") for c in (e.get("class") or "").split()}
    assert {hue for hue, _ in shown} <= used
    assert {f"pool-{i}" for i in range(1, HUES + 1)} <= set(colours(READER.theme))


def test_a_doctor_and_the_places_in_her_care_have_one_colour() -> None:
    legend = Legend.of(told("learned"))
    assert legend.hue["doctor"] == legend.hue["care:doctor"]
    assert [words for _, words in legend.shown(told("learned"), READER)] == ["Emergency doctors", "a bed"]


def test_names_are_escaped() -> None:
    assert "<b>" not in sketch(small(), READER, narrow=False, note={ABOVE: "<b>&"}).svg
