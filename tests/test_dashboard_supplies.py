"""The page of supplies as a component tree, and its words: each service in its own units, shortages first."""

from __future__ import annotations

from base64 import b64decode
from dataclasses import replace
from datetime import timedelta
from xml.etree import ElementTree

from dash.development.base_component import Component

from dashboard.pages.beside import Place, beside
from dashboard.panels import supplies
from dashboard.supply_charts import style
from dashboard.supply_words import delivery_said, known_from, lasts_said, learned_said, range_said, risk_said, soon
from dashboard.words import NBSP, Reader
from forecast.supplies_view import SuppliesView
from tests.boards import MADE_AT
from tests.component_trees import FRENCH, READER, rows, texts, with_class
from tests.supply_views import broken, item, lean_supplies, no_forecast, ordinary_supplies, uncounted
from tests.trust_views import ordinary_trust


def panel(view: SuppliesView, reader: Reader = READER) -> Component:
    return supplies.panel(view, reader)


def said(part: Component) -> str:
    return " ".join(texts(part)).replace(NBSP, " ")


def test_before_a_forecast_and_after_a_fault_the_page_says_so() -> None:
    assert "No forecast yet" in said(panel(no_forecast()))
    assert "could not be worked out (ValueError)" in said(panel(broken()))
    assert "Pas encore de prévision" in said(panel(no_forecast(), FRENCH))


def test_every_service_has_a_part_and_every_item_a_card_in_its_own_unit() -> None:
    view = ordinary_supplies()
    page = panel(view)
    titles = [texts(part)[0] for part in with_class(page, "supplies-title")]
    assert titles == [s.en for s in view.services]
    assert len(with_class(page, "supply-item")) == len(view.items) == 22
    whole = said(page)
    for unit in ("sets", "bags", "units", "m³", "trips", "cleanings", "ventilators"):
        assert unit in whole
    french = said(panel(view, FRENCH))
    assert "poches" in french
    assert "Lingerie" in french


def test_what_lacks_first_stands_at_the_head_and_nothing_stands_there_where_nothing_lacks() -> None:
    view = lean_supplies()
    [first] = with_class(panel(view), "supplies-first")
    named = [texts(part)[0] for part in first.children]
    assert named == [one.en for one in view.first_out[:6]]
    assert view.first_out[0].ahead.p_short >= view.first_out[-1].ahead.p_short
    safe = replace(view, services=tuple(replace(s, items=()) for s in view.services))
    assert "No item is likely to lack" in said(panel(safe)), "the mutant"


def test_a_stock_is_told_with_how_long_it_lasts_its_next_delivery_and_how_it_is_known() -> None:
    view = ordinary_supplies()
    one = item(view, "linen_sets")
    lasts = lasts_said(one, view, READER)
    assert lasts.startswith("lasts until ")
    assert "(8 in 10: " in lasts
    assert known_from(one, view, READER) == f"Counted 3{NBSP}h{NBSP}00 ago, less what was used since."
    never = uncounted()
    assert "full at the last delivery" in known_from(item(never, "linen_sets"), never, READER)
    assert learned_said(one, READER) == "Use by the file's figures."
    taught = replace(one, learned_from=31, factor=1.13)
    assert learned_said(taught, READER) == "Use learned from 31 pairs of counts. It is 1.13 times what the file says."
    cards = [card for card in with_class(panel(view), "supply-item") if "next delivery" in said(card)]
    assert len(cards) >= 10


def test_the_next_delivery_is_told_with_what_may_lack_before_it() -> None:
    one = item(ordinary_supplies(), "red_cells")
    said = {p: delivery_said(replace(one, ahead=replace(one.ahead, p_short_before_next=p)), "16:30", READER)
            for p in (None, 0.001, 0.3)}  # fmt: skip
    assert said[None] == said[0.001] == "next delivery: 16:30"
    assert said[0.3] == "next delivery: 16:30; 30% that some lack before"


def test_more_than_weeks_are_not_told_to_the_hour() -> None:
    view = ordinary_supplies()
    for_weeks = replace(item(view, "gloves"), ahead=replace(item(view, "gloves").ahead, lasts_until=(None, None, None)))
    assert lasts_said(for_weeks, view, READER) == "nothing to fear: lasts for weeks"
    times = [soon(MADE_AT + timedelta(hours=hours), MADE_AT, READER) for hours in (3, 30, 200)]
    assert times == ["17:34", "Wednesday 20:34", "2 Dec"]


def test_a_risk_has_a_tone_and_words_that_agree_with_its_chance() -> None:
    view = ordinary_supplies()
    one = item(view, "red_cells")
    tones = {}
    for p in (0.0, 0.2, 0.9):
        tones[p] = risk_said(replace(one, ahead=replace(one.ahead, p_short=p, short_at=MADE_AT)), view, READER)
    assert [tone for tone, _ in tones.values()] == ["good", "warn", "bad"]
    assert "20%" in tones[0.2][1]
    assert range_said((3.0, 3.0, 3.0), READER) == "3"
    assert range_said((-1.0, 2.0, 5.0), READER, signed=True) == "+2 (\u22121 .. +5)"


def test_meals_are_told_serving_by_serving_and_a_kitchen_that_is_down_shows_as_late_meals() -> None:
    view = ordinary_supplies()
    standard = item(view, "meals_standard")
    assert len(standard.ahead.servings) == 3
    assert all(one.ordered[1] > 0.7 * one.needed[1] for one in standard.ahead.servings)
    down = next(one for one in standard.effects if one.scenario == "no_catering")
    assert down.p_short == 1.0
    assert down.missing > 200
    assert standard.ahead.p_short < 1.0
    card = next(card for card in with_class(panel(view), "supply-item") if "Standard meals" in said(card))
    assert rows(with_class(card, "supplies-servings")[0])[0] == "serving | ordered | needed | too few"


def test_scenarios_are_paired_a_crisis_needs_more_and_what_has_nothing_to_do_with_it_moves_nothing() -> None:
    view = ordinary_supplies()
    crisis = {one.name: one.effects[0] for one in view.items}
    assert crisis["cannulas"].scenario == "mass_casualty_20"
    assert crisis["cannulas"].need_more[0] > 0
    linen = {one.name: one.effects[1] for one in view.items}
    assert linen["cannulas"].need_more == (0.0, 0.0, 0.0)
    assert linen["cannulas"].missing_more == (0.0, 0.0, 0.0)
    lean = {one.name: one for one in lean_supplies().items}
    assert lean["linen_sets"].effects[1].missing > lean["linen_sets"].ahead.missing


def test_charts_are_whole_pictures_in_our_colours_with_deliveries_marked() -> None:
    charts = with_class(panel(ordinary_supplies(), FRENCH), "supply-chart")
    assert len(charts) == 18
    pictures = [b64decode(chart.src.partition("base64,")[2]).decode() for chart in charts]
    for picture in pictures:
        root = ElementTree.fromstring(picture)
        assert "nan" not in picture
        kinds = {name for one in root.iter() for name in (one.get("class") or "").split()}
        assert all(f".{kind}" in style("dark") for kind in kinds)
    assert sum('class="delivery"' in picture for picture in pictures) >= 10


def test_every_page_leads_to_supplies() -> None:
    own = [way.href for way in with_class(beside(ordinary_supplies(), FRENCH, Place("supplies")), "way")]
    assert "/trust?lang=fr" in own
    assert "/supplies?lang=fr" not in own
    other = [way.href for way in with_class(beside(ordinary_trust(), FRENCH, Place("trust")), "way")]
    assert "/supplies?lang=fr" in other
