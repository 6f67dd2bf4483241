"""The pages of the comparison and of the robustness map as component trees, in both languages and on a telephone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from werkzeug.exceptions import BadRequest

from dashboard.app import place_of
from dashboard.compare_words import better_in, judged, level_of, limit_said
from dashboard.grid_buttons import acted
from dashboard.pages.beside import BESIDE, Place, beside
from dashboard.panels import compare, robustness
from dashboard.words import NBSP, Reader
from forecast.compare_view import CellView, CriterionView, EffectView
from tests.compare_views import COMPARED, MEMBERS, MOVES, ROBUST, compared
from tests.component_trees import FRENCH, READER, texts, with_class

NARROW = Reader("fr", "Europe/Paris", narrow=True)
WAIT = CriterionView("wait_p90_min", "Attente", "Wait", "min", "min", "less", 90.0)
BEDS = CriterionView("beds_free_least", "Lits", "Beds", "lits", "beds", "more", 4.0)


def effect(mean: float, low: float, high: float, *, better: float = 0.9, same: float = 0.0) -> EffectView:
    return EffectView(90.0 + mean, mean, low, high, better, same)


def said(component: Any) -> str:
    return " ".join(texts(component)).replace(NBSP, " ")


# --- words


def test_what_is_better_depends_on_the_criterion() -> None:
    fewer, more, open_ = effect(-5, -7, -3), effect(5, 3, 7), effect(-1, -3, 1)
    assert [judged(one, WAIT) for one in (fewer, more, open_)] == ["good", "bad", "unsure"]
    assert [judged(one, BEDS) for one in (fewer, more, open_)] == ["bad", "good", "unsure"]
    assert judged(effect(0, 0, 0, same=1.0), WAIT) == "same"


def test_chances_are_told_with_those_of_no_difference() -> None:
    assert better_in(effect(-5, -7, -3), READER) == "better in 90 runs of 100"
    assert better_in(effect(-5, -7, -3, better=0.4, same=0.5), READER) == "better in 40 runs of 100, the same in 50"


def test_how_often_a_service_breaks_is_a_word_and_its_limit_a_sentence() -> None:
    shares = (0.0, 0.02, 0.3, 0.9)
    assert [level_of(CellView(p, 0.0, None, None)) for p in shares] == ["never", "rarely", "sometimes", "often"]
    assert limit_said(("most", 10.0, 60.0), READER).replace(NBSP, " ") == "more than 10 for 1 h 00"
    assert limit_said(("least", 1.0, 0.0), READER) == "fewer than 1"
    assert limit_said(("most", None, 120.0), FRENCH).replace(NBSP, " ") == "plus qu'il n'y en a pendant 2 h 00"


# --- the comparison


def test_each_criterion_has_a_row_and_each_scenario_a_column() -> None:
    page = compare.panel(COMPARED["direction"](), READER)
    assert len(with_class(page, "compared")) == 8 * len(MOVES)
    assert "200 of 1,000 runs on the same luck, from 14:32, 24 h" in said(page)


def test_no_score_adds_criteria_up() -> None:
    page = said(compare.panel(COMPARED["direction"](), READER)).lower()
    assert "nothing is added up" in page
    assert not [word for word in ("score", "total", "overall", "rank") if word in page]


def test_who_is_set_aside_says_by_whom() -> None:
    page = compare.panel(compared(("escalation_beds", "winter_peak"), "beds"), READER)
    [falls] = with_class(page, "falls")
    assert "Winter peak" in said(falls)
    assert "better or equal on all that is shown: As usual: nothing changes." in said(falls)
    assert len(with_class(page, "stays")) == 2


def test_a_whisker_stands_where_its_figures_are() -> None:
    """All cells of a row have one scale: 0 and every interval of it lie in the box."""
    page = compare.panel(COMPARED["doctors"](), READER)
    dots = [float(one.style["left"].rstrip("%")) for one in with_class(page, "dot")]
    zeros = [float(one.style["left"].rstrip("%")) for one in with_class(page, "zero")]
    assert dots
    assert all(0.0 <= place <= 100.0 for place in (*dots, *zeros))
    assert compare._place(0.0, (-10.0, 10.0)) == 50.0


def test_chips_lead_to_the_page_with_one_scenario_more_or_less() -> None:
    view = COMPARED["doctors"]()
    page = compare.panel(view, READER)
    ways = {said(one): getattr(one, "href", None) for one in with_class(page, "chip")}
    assert ways["Nurses"] == "?lang=en&view=nurses&with=one_more_doctor,escalation_beds,winter_peak".replace(
        "escalation_beds,winter_peak", "escalation_beds,winter_peak"
    )
    assert ways["✓ 1 more emergency doctor, from now on."] == "?lang=en&view=doctors&with=escalation_beds,winter_peak"
    [closed] = [href for text, href in ways.items() if text.startswith("+ 10 beds closed")]
    assert closed is not None
    assert closed.endswith("ten_beds_closed") or "ten_beds_closed" in closed


def test_what_has_no_lever_cannot_be_chosen_and_says_why() -> None:
    page = compare.panel(COMPARED["doctors"](), FRENCH)
    off = [said(one) for one in with_class(page, "off")]
    assert len(off) == 2
    assert all("sans objet" in text or "Les données ne disent rien" in text for text in off)


def test_with_six_no_more_can_be_chosen() -> None:
    six = compared((*MOVES, "ten_beds_closed"), "doctors")
    page = compare.panel(six, READER)
    assert "take one away first" in said(page)
    assert not [one for one in with_class(page, "chip") if said(one).startswith("+") and getattr(one, "href", None)]


def test_before_there_is_anything_the_page_says_why() -> None:
    assert "The first forecast is being made." in said(compare.panel(COMPARED["nothing"](), READER))
    none = replace(compared((), "doctors"), members=0)
    assert "Choose a scenario." in said(compare.panel(none, READER))
    fault = replace(COMPARED["nothing"](), fault="the workers are gone")
    assert "Le calcul n'a pas abouti : the workers are gone" in said(compare.panel(fault, FRENCH))


def test_on_a_telephone_scenarios_stand_below_each_other() -> None:
    page = compare.panel(COMPARED["doctors"](), NARROW)
    assert len(with_class(page, "compare-scenario")) == 3
    assert not with_class(page, "compare-table")


# --- the map


def test_the_map_says_words_and_figures_and_not_colour_alone() -> None:
    view = ROBUST["whole"]()
    page = robustness.panel(view, READER)
    cells = with_class(page, "cell")
    assert len(cells) % len(view.rows) == 0
    assert all(any(c.isdigit() for c in said(cell)) for cell in cells)
    assert "often breaks" in said(page)
    assert f"{view.combinations} combinations of scenarios, 200 runs each on the same luck" in said(page)
    assert str(MEMBERS) in said(page)


def test_what_breaks_first_says_when_and_how_often() -> None:
    view = ROBUST["whole"]()
    row = view.rows[1]
    assert row.first is not None
    first = said(robustness._first(row, view, READER))
    assert "runs of 100, after " in first
    never = replace(row, first=None)
    assert robustness._first(never, view, FRENCH) == "rien de plus que d'habitude"


def test_a_run_is_begun_and_stopped_by_a_button() -> None:
    def acts(name: str) -> list[tuple[Any, Any]]:
        page = robustness.panel(ROBUST[name](), READER)
        return [(getattr(b, "data-act"), getattr(b, "disabled", None)) for b in with_class(page, "grid-act")]

    assert [acts(name) for name in ROBUST] == [[("start", False)], [("cancel", None)], [("start", False)]]
    blind = replace(ROBUST["nothing"](), ready=False)
    assert with_class(robustness.panel(blind, READER), "grid-act")[0].disabled
    assert "60 of 200 runs of each" in said(robustness.panel(ROBUST["running"](), READER))


def test_what_moves_what_is_said_in_words() -> None:
    page = robustness.panel(ROBUST["whole"](), FRENCH)
    movers = with_class(page, "mover")
    assert movers
    assert "Attente du premier contact" in said(movers[0])
    assert any("%" in said(one) for one in movers)


def test_stopped_and_faulty_runs_are_told() -> None:
    stopped = replace(ROBUST["whole"](), cancelled=True, fault="the workers are gone")
    page = said(robustness.panel(stopped, FRENCH))
    assert "arrêté avant la fin" in page
    assert "Le calcul n'a pas abouti : the workers are gone" in page


# --- the page's address


def test_both_pages_ask_by_their_address_and_the_switch_of_language_keeps_it() -> None:
    assert {"compare", "robustness"} <= {name for name, page in BESIDE.items() if page.asks}
    page = beside(COMPARED["doctors"](), READER, Place("compare", query="?lang=en&view=doctors&with=winter_peak"))
    [switch] = with_class(page, "switch")
    assert switch.children[0].href == "?lang=fr&view=doctors&with=winter_peak"


@pytest.mark.parametrize("query", [7, "x" * 601, None])
def test_an_address_that_is_nonsense_is_refused(query: object) -> None:
    with pytest.raises(BadRequest):
        place_of({"path": "/compare", "number": 1, "query": query})
    assert place_of({"path": "/compare", "query": "?view=nurses"}).query == "?view=nurses"


class Grids:
    def __init__(self) -> None:
        self.did: list[str] = []

    def start(self) -> bool:
        self.did.append("start")
        return True

    def cancel(self) -> bool:
        self.did.append("cancel")
        return False


def test_a_page_may_begin_and_stop_a_grid_and_nothing_else() -> None:
    grids = Grids()
    assert (acted(grids, {"act": "start"}), acted(grids, {"act": "cancel"})) == ("done", "nothing to do")
    assert grids.did == ["start", "cancel"]
    assert acted(None, {"act": "start"}) == "nothing to do"
    for nonsense in ({"act": "delete"}, "start", None, {"act": ["start"]}):
        with pytest.raises(BadRequest):
            acted(grids, nonsense)
