"""The page of the desk as a component tree, its window, and what may be done through it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from werkzeug.exceptions import BadRequest

from dashboard.panels import desk as panel
from dashboard.proposal_window import ACTS, DeskDoor, acted, asked_of
from dashboard.words import NBSP, Reader
from forecast.archive import SCHEMA_SQL
from forecast.change_words import changes_said
from forecast.desk import Desk
from forecast.errors import QuestionError
from forecast.people import ANYBODY
from ingest.clock import SimulatedClock
from ingest.database import SCHEMA_SQL as INGEST_SQL
from ingest.database import Database
from tests.component_trees import FRENCH, READER, texts, with_class
from tests.desk_views import EMPTY, FULL, MEASURED, OPEN
from twin.hospital import load_hospital
from twin.pathway import TABLES, load_path
from twin.scenarios import Names, catalogue, pick, scenario_from
from twin.supply_file import load_supplies

NOW = datetime(2026, 3, 2, 14, tzinfo=UTC)
HOSPITAL, SUPPLIES = load_hospital(), load_supplies()
NURSES = pick(catalogue(), ["extra_nurse"])[0]


def said(component: Any) -> str:
    return " ".join(texts(component)).replace(NBSP, " ")


# --- the page


def test_an_empty_desk_says_what_one_can_do() -> None:
    page = said(panel.panel(EMPTY, READER))
    assert "Anyone may propose a change, whatever their rank" in page
    assert "Nothing stands open: propose something." in page


def test_a_card_has_words_levers_effects_and_acts_and_no_name() -> None:
    page = panel.panel(FULL, FRENCH)
    cards = with_class(page, "proposal")
    assert [card.id for card in cards] == ["proposal-4", "proposal-3", "proposal-2", "proposal-1"]
    card = said(cards[1])
    assert "non signée" in card
    assert "Anna" not in card
    assert "lits : +8" in card
    assert "5 personnes la soutiennent" in card
    assert "mieux dans" in card
    assert "Adopter une variante" in card
    assert "Adopter une variante" not in said(cards[0]), "there is no variation of it"
    assert "Anna, aide-soignante" in said(cards[0]), "its author signed"
    assert "une variante de la proposition 3" in said(cards[0])


def test_a_decided_card_says_who_why_and_what_it_did() -> None:
    page = panel.panel(FULL, READER)
    carried, measured = with_class(page, "proposal")[2:]
    assert "Mary Smith, manager adopted it" in said(carried)
    assert "The forecast carries it." in said(carried)
    assert "What it did is told two days after its window" in said(carried)
    done = said(measured)
    assert "adopted a variation" in done
    assert "Waiting: −3.9 (−7.2 to −0.8)" in done
    assert "14.2 came; without it 18.1 would have been expected (15 to 21.4); foreseen: −4.1" in done
    assert "an effect that chance does not explain" in done
    assert "chance may explain it" in done
    assert "End it" not in done


def test_before_the_first_runs_a_card_says_what_is_awaited() -> None:
    waiting = replace(FULL, proposals=(replace(OPEN, choice=None),), as_of=None)
    assert "The first forecast is being made." in said(panel.panel(waiting, READER))
    failed = replace(waiting, fault="no luck")
    assert "It could not be computed: no luck" in said(panel.panel(failed, READER))
    assert "Deux infirmiers la nuit" in said(panel.panel(replace(FULL, proposals=(MEASURED,)), FRENCH))


# --- the window


@pytest.fixture
def door(tmp_path: Path) -> DeskDoor:
    names = Names.of([HOSPITAL], [load_path(table, HOSPITAL) for table in TABLES])
    database = Database.open(tmp_path / "desk.duckdb", schemas=(INGEST_SQL, SCHEMA_SQL))
    clock = SimulatedClock(NOW)
    desk = Desk(database, clock, names, horizon_min=1440.0, zone=HOSPITAL.zone)
    return DeskDoor(desk, ANYBODY, HOSPITAL, SUPPLIES, clock)


def do(door: DeskDoor, act: str, who: str, note: str = "", *, proposal: str = "proposal-1", **more: Any) -> str:
    what = {"proposal": proposal, "act": act, "language": more.pop("language", "en")}
    asked = asked_of(what, who, note, more.get("until"), more.get("other"))
    return acted(door, asked).replace(NBSP, " ")


def test_people_support_comment_vary_and_a_manager_decides(door: DeskDoor) -> None:
    assert door.propose("Anna", "Two nurses more", NURSES, NOW) == "proposal-1"
    assert door.propose("Ben", "Three", NURSES, NOW, "proposal-1") == "proposal-2"
    assert do(door, "support", "Ben") == "✓ You support it."
    assert do(door, "unsupport", "Ben") == "✓ You do not support it any more."
    assert do(door, "comment", "Ben", "And a porter.") == "✓ Your words stand beside it."
    assert do(door, "adopt", "Ben", "yes") == "✗ Only a manager may do this."
    assert (
        do(door, "adapt", "Manager", "three", other=9) == "✗ Say the number of the variation that is adopted instead."
    )
    told = do(door, "adapt", "Manager", "three", other=2, until="24")
    assert told == "✓ Adopted with changes: the forecast carries them from the next cycle on."
    one = door.desk.proposals["proposal-1"]
    assert one.decision is not None
    assert one.decision.until == NOW + timedelta(hours=24)
    assert do(door, "end", "Responsable") == "✓ Ended: the forecast carries it no longer."
    assert do(door, "withdraw", "Anna", proposal="proposal-2") == "✗ Only its author may withdraw a proposal."
    assert do(door, "decline", "Manager", proposal="proposal-2") == "✗ Say why."
    assert do(door, "decline", "Manager", "no", proposal="proposal-2", language="fr") == "✓ Refusée, avec votre raison."


def test_who_says_no_name_does_nothing(door: DeskDoor) -> None:
    door.propose("Anna", "Two nurses more", NURSES, NOW)
    assert do(door, "support", "  ") == "✗ Say who you are. Known here: Member of staff, Manager."
    assert len(door.desk.exported()) == 1
    with pytest.raises(QuestionError, match="Say who you are"):
        door.propose("", "x", NURSES, NOW)
    with pytest.raises(QuestionError, match="say in words"):
        door.propose("Anna", " ", NURSES, NOW)


@pytest.mark.parametrize(
    ("what", "who", "note", "until", "other"),
    [
        (None, "a", "b", None, None),
        ({"proposal": "p", "act": "steal", "language": "en"}, "a", "b", None, None),
        ({"proposal": "p", "act": "adopt", "language": "de"}, "a", "b", None, None),
        ({"proposal": "p" * 99, "act": "adopt", "language": "en"}, "a", "b", None, None),
        ({"proposal": "p", "act": "adopt", "language": "en"}, 7, "b", None, None),
        ({"proposal": "p", "act": "adopt", "language": "en"}, "a", ["b"], None, None),
        ({"proposal": "p", "act": "adopt", "language": "en"}, "a", "b", "999", None),
        ({"proposal": "p", "act": "adopt", "language": "en"}, "a", "b", None, -1),
        ({"proposal": "p", "act": "adopt", "language": "en"}, "a", "b", None, True),
    ],
)
def test_nonsense_from_a_page_is_a_bad_request(what: Any, who: Any, note: Any, until: Any, other: Any) -> None:
    with pytest.raises(BadRequest):
        asked_of(what, who, note, until, other)


def test_every_act_of_the_page_is_one_that_the_window_knows() -> None:
    buttons = with_class(panel.panel(FULL, READER), "talk-act")
    acts = {button.to_plotly_json()["props"].get("data-act") for button in buttons} - {None}
    assert acts
    assert acts <= set(ACTS)
    assert "What would it change?" in said(panel.panel(FULL, Reader("en", "Europe/Paris", narrow=True)))


# --- changes in words


@pytest.mark.parametrize(
    ("name", "english"),
    [
        ("extra_nurse", ["Nurses of the boxes: +1, until 23:00"]),
        ("escalation_beds", ["beds of the largest wards: +8, from 17:00"]),
        ("electives_postponed", ["planned admissions: 50%"]),
        ("heat_wave", ["arrivals (aged 75+): 140%", "ward stays (aged 75+): × 1.15", "uhcd stay (aged 75+): × 1.15"]),
        ("earlier_discharges", ["wards discharge 2 h earlier, from 03/03 06:00"]),
        ("mass_casualty_20", ["20 more victims or patients, from 15:30"]),
        ("porters_short", ["Porters: 30% away, until 03/03 15:00", "search for a bed: × 1.15, until 03/03 15:00"]),
        ("kitchen_down", ["Catering: deliveries missed, until 03/03 03:00"]),
        ("winter_peak", ["arrivals: 120%", "arrivals (aged 75+): 115%", "ward discharges × 0.91"]),
    ],
)
def test_changes_are_told_with_their_window_on_the_local_clock(name: str, english: list[str]) -> None:
    [scenario] = pick(catalogue(), [name])
    assert [en for _, en in changes_said(scenario, HOSPITAL, SUPPLIES, NOW)] == english


def test_every_scenario_of_the_catalogue_can_be_told_in_words_in_both_languages() -> None:
    for scenario in catalogue().values():
        told = changes_said(scenario, HOSPITAL, SUPPLIES, NOW)
        assert len(told) == len(scenario.change.changes)
        assert all(fr and en and "_" not in fr + en for fr, en in told), scenario.name


@pytest.mark.parametrize(
    ("item", "told"),
    [
        ("meals_standard", ("Repas ordinaires : besoin × 2", "Standard meals: need × 2")),
        ("no_longer_there", ("no longer there : besoin × 2", "no longer there: need × 2")),
    ],
)
def test_an_item_is_called_as_the_site_does_and_by_its_name_once_gone(item: str, told: tuple[str, str]) -> None:
    scenario = scenario_from("x", "More of it.", {"supplies": [{"item": item, "factor": 2.0}]})
    assert changes_said(scenario, HOSPITAL, SUPPLIES, NOW) == [told]
