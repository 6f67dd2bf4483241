"""The panels on the right of the wall: wards, scenarios, trust."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from dashboard.panels import scenarios, trust, wards
from dashboard.panels.scenarios import STAR
from dashboard.trust_words import made_of
from dashboard.words import NBSP, UNKNOWN, Reader
from forecast.board import Board, Effect
from tests.boards import (
    SKILLS,
    before_first,
    empty,
    fed,
    ordinary,
    overfull,
    replay,
    stale,
    unhelped,
    with_scenarios,
)
from tests.component_trees import DOWN, FRENCH, READER, SQUARE, UP, classes, rows, texts, with_class

# ----------------------------------------------------------------------------------------------------------- wards


def test_wards_ordinary_fullest_first() -> None:
    assert rows(wards.panel(ordinary(), READER)) == [
        "Unit | Beds taken | Free now | Free at 18:30 | Free at 08:00",
        f"General medicine | 32 / 32 | {SQUARE} FULL | 1 0–3 | 2 1–6",
        f"Acute geriatrics | 24 / 24 | {SQUARE} FULL | {SQUARE} full 0–2 | 1 0–5",
        "Cardiology | 19 / 20 | 1 | 1 0–3 | 2 1–6",
        "Intensive care | 11 / 12 | 1 | 1 0–3 | 2 1–6",
        "Short-stay unit | 8 / 10 | 2 | 2 0–4 | 3 2–7",
        "Surgery | 25 / 30 | 5 | 5 3–7 | 6 5–10",
    ]


def test_wards_overfull_count_those_that_have_no_row() -> None:
    panel = wards.panel(overfull(), READER)
    assert len(rows(panel)) == 1 + wards.ROWS_SHOWN
    assert rows(panel)[1].split(" | ")[2] == f"{SQUARE} 1 over"
    assert texts(with_class(panel, "basis")[0]) == ["and 5 other units: 0 beds free"]


def test_wards_without_units_forecast_or_feed() -> None:
    assert texts(wards.panel(empty(), READER))[1:] == [UNKNOWN, "no ward in the data received"]
    assert rows(wards.panel(before_first(), READER))[0] == "Unit | Beds taken | Free now"
    dead = replace(stale(), feed=fed("off", timedelta(hours=5)))
    assert texts(wards.panel(dead, READER))[1:] == [UNKNOWN, "no data"]


def test_wards_are_named_in_the_language_of_the_reader() -> None:
    named = {reader.language: rows(wards.panel(ordinary(), reader))[1].split(" | ")[0] for reader in (FRENCH, READER)}
    assert named == {"fr": "Médecine polyvalente", "en": "General medicine"}


def test_a_ward_of_which_little_is_known() -> None:
    board = ordinary()
    unit = replace(board.units[0], beds=None, free=None, free_ahead={240: (1.0, 2.0, 3.0)})
    dark = rows(wards.panel(replace(board, units=(unit, *board.units[1:])), READER))[-1]
    assert dark == f"General medicine | 32 / {UNKNOWN} | {UNKNOWN} | 2 1–3 | {UNKNOWN}"


def test_the_later_lead_is_eight_in_the_morning_or_else_twelve_hours() -> None:
    board = ordinary()
    shifted = tuple(replace(unit, free_ahead={240: (0, 1, 2), 700: (0, 1, 2), 1440: (0, 1, 2)}) for unit in board.units)
    assert wards.chosen_leads(board) == (240, 1050)
    assert wards.chosen_leads(replace(board, units=shifted)) == (240, 700)


# ------------------------------------------------------------------------------------------------------- scenarios


def test_scenarios_ordinary() -> None:
    assert rows(scenarios.panel(ordinary(), READER))[2:4] == [
        f"{STAR} One more doctor from now on. | {DOWN} −4.3 −7 to −1 | {DOWN} −6.2 −9 to −3 | "
        f"{DOWN} −3.6 −7 to −1 | {DOWN} −5.1 −8 to −2 |  +0.2 −3 to +3 |  +0.3 −3 to +3",
        f"Ten medical beds closed. | {UP} +3.8 +1 to +6 | {UP} +5.4 +3 to +8 | "
        f" +0.6 −2 to +3 |  +0.8 −2 to +3 | {UP} +4.1 +2 to +7 | {UP} +5.9 +4 to +8",
    ]


def test_the_first_scenario_is_what_the_others_are_compared_with() -> None:
    said = " ".join(rows(scenarios.panel(ordinary(), READER)))
    assert "Nothing changes" not in said
    assert len(rows(scenarios.panel(ordinary(), READER))) == 2 + 4


def test_the_whole_sentence_is_told_where_there_is_room() -> None:
    said = "Dix lits fermés dans le plus grand service (puis le suivant) : dès maintenant."
    view = replace(ordinary().scenarios[1], sentence_fr=said, short_fr="Dix lits fermés.", short_en="Ten beds closed.")
    board = replace(ordinary(), scenarios=(view,))
    [wall] = with_class(scenarios.panel(board, FRENCH), "said")
    assert (texts(wall)[-1], wall.title.replace(NBSP, " ")) == ("Dix lits fermés.", said)
    [phone] = with_class(scenarios.panel(board, replace(FRENCH, narrow=True)), "said")
    assert texts(phone)[-1] == said
    assert texts(with_class(scenarios.panel(ordinary(), READER), "said")[1]) == ["Ten medical beds closed."]


def test_a_difference_is_only_judged_when_its_interval_leaves_zero_out() -> None:
    board = ordinary()
    for low, high, tone in [(-3.0, -1.0, "good"), (1.0, 3.0, "bad"), (-1.0, 1.0, "unsure"), (0.2, 3.0, "unsure")]:
        view = replace(board.scenarios[1], effects=(Effect("ed_census", 240, (low + high) / 2, low, high),))
        panel = scenarios.panel(replace(board, scenarios=(view,)), READER)
        assert classes(with_class(panel, "effect")[0])[:2] == ["effect", tone]


def test_a_scenario_without_lever_says_why() -> None:
    french, english = (rows(scenarios.panel(stale(), reader))[2] for reader in (FRENCH, READER))
    assert french == "Un médecin de plus dès maintenant. | sans objet : le parcours de cet hôpital n'a pas de médecins"
    assert english == "One more doctor from now on. | not applicable: the path of this hospital has no doctors"


def test_scenarios_empty_and_before_the_first_forecast() -> None:
    for board in (empty(), before_first()):
        assert texts(scenarios.panel(board, READER))[1:] == [UNKNOWN, "no scenario has been computed"]


def helps(board: Board, reader: Reader = READER) -> str:
    found = with_class(scenarios.panel(board, reader), "helps")
    return " ".join(text for one in found for text in texts(one) if text.strip())


def test_what_helps_most_is_said_beside_as_usual_and_has_a_star_at_its_row() -> None:
    assert helps(ordinary()) == (
        f"{STAR} What helps most: One more doctor from now on. At 22:30, 37 present instead of 43 (8 in 10: −9 to −3)."
    )
    assert "À 22 h 30, 37 présents au lieu de 43 (8 sur 10 : −9 à −3)." in helps(ordinary(), FRENCH)
    starred = [row for row in rows(scenarios.panel(ordinary(), READER)) if STAR in row]
    assert [row.split(" |")[0] for row in starred] == [f"{STAR} One more doctor from now on."]


@pytest.mark.parametrize(
    ("measure", "said"),
    [("ed_waiting", "11 waiting instead of 16"), ("ed_boarders", "11 waiting for a bed instead of 16")],
)
def test_each_measure_that_it_helps_has_its_words(measure: str, said: str) -> None:
    board = ordinary()
    view = replace(board.scenarios[1], effects=(Effect(measure, 480, -5.0, -8.0, -2.0, 16.0),))
    assert said in helps(with_scenarios(board, view))


def test_where_none_surely_helps_the_wall_says_so_and_marks_none() -> None:
    panel = scenarios.panel(unhelped(), READER)
    assert helps(unhelped()) == "No scenario computed clearly helps."
    assert helps(unhelped(), FRENCH) == "Aucun des scénarios calculés n'aide nettement."
    assert STAR not in " ".join(texts(panel))


def test_where_none_can_be_decided_nothing_is_said_of_help() -> None:
    board = ordinary()
    befall = tuple(replace(view, can_be_decided=False) for view in board.scenarios)
    assert helps(with_scenarios(board, *befall)) == ""
    assert helps(stale()) == ""


def test_what_helps_most_has_a_row_wherever_it_stands_in_the_setting() -> None:
    """The mutant: the first four rows, whatever helps."""
    board = ordinary()
    usual, doctor, *befall = board.scenarios
    last = with_scenarios(board, usual, *befall, *befall, doctor)
    shown = rows(scenarios.panel(last, READER))[2:]
    assert [STAR in row for row in shown] == [False, False, False, True]
    assert texts(with_class(scenarios.panel(last, READER), "basis")[0]) == ["and 3 other scenarios"]


def test_more_scenarios_than_rows_are_counted() -> None:
    board = overfull()
    many = replace(board, scenarios=board.scenarios + board.scenarios[1:3])
    assert texts(with_class(scenarios.panel(many, READER), "basis")[0]) == ["and 2 other scenarios"]


# ----------------------------------------------------------------------------------------------------------- trust


def test_trust_ordinary_and_the_lead_that_a_rule_won_is_grey() -> None:
    panel = trust.panel(ordinary(), READER)
    assert rows(panel) == [
        "Patients present, forecast at | +1 h | +2 h | +4 h | +8 h | +12 h | +24 h",
        "Mean error, patients | 1.9 | 2.6 | 3.4 | 4.3 | 4.9 | 5.6",
        "80% interval held | 83% | 82% | 80% | 79% | 77% | 75%",
        f"Gain over simple rules | +12% | +21% | +30% | +11% | +4% | {UP} worse",
        "Share of the simulation | 95% | 72% | 50% | 31% | 12% | 4%",
    ]
    assert len(with_class(panel, "grey")) == 4
    assert [texts(cell)[-1] for cell in with_class(panel, "grey")] == ["5.6", "75%", "worse", "4%"]


def test_trust_says_in_words_what_is_published_and_why_some_of_it_is_grey() -> None:
    def said(board: Board, reader: Reader = READER) -> str:
        return texts(with_class(trust.panel(board, reader), "trust-said")[0])[0]

    half = "At +4 h: half simulation, half what usually happens."
    assert said(ordinary()) == f"{half} Grey: a simple rule did better."
    assert (
        said(ordinary(), FRENCH) == "À +4 h : moitié simulation, moitié habitude. Gris : une règle simple a fait mieux."
    )
    assert said(replace(ordinary(), skills=SKILLS[:5])) == half, "nothing is grey"
    assert said(replace(ordinary(), shares={})).startswith("At +4 h: nearly all simulation.")
    beaten = replace(SKILLS[2], skill={**SKILLS[2].skill, "count_model": -0.02})
    hidden = trust.panel(replace(ordinary(), skills=(beaten,)), READER)
    assert "worse" in rows(hidden)[3], "every rule counts, not only the two best known"


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (1.0, "nearly all simulation"), (0.9, "nearly all simulation"),
        (0.89, "mostly simulation, partly what usually happens"),
        (0.5, "half simulation, half what usually happens"), (0.41, "half simulation, half what usually happens"),
        (0.4, "mostly what usually happens, partly simulation"),
        (0.05, "nearly all what usually happens"), (0.0, "nearly all what usually happens"),
    ],
)  # fmt: skip
def test_a_share_is_said_in_words(share: float, words: str) -> None:
    assert made_of(share, READER) == words


def test_trust_leads_to_its_page_and_to_the_report_measured_or_not() -> None:
    for board in (ordinary(), empty()):
        [ways] = with_class(trust.panel(board, FRENCH), "trust-ways")
        assert [link.href for link in ways.children] == ["/trust?lang=fr", "/report?lang=fr"]


def test_trust_says_what_is_not_measured_yet() -> None:
    few = replace(ordinary(), skills=(*SKILLS[:2], replace(SKILLS[2], n=0)))
    assert rows(trust.panel(few, READER))[1] == (
        "Mean error, patients | 1.9 | 2.6 | to come | to come | to come | to come"
    )
    assert texts(trust.panel(empty(), FRENCH))[1:3] == [
        UNKNOWN,
        "à mesurer : aucune prévision n'a encore atteint son échéance",
    ]


def test_trust_counts_the_days_while_they_are_replayed() -> None:
    measuring = replace(empty(), cycle=replace(empty().cycle, measured_days=(12, 60)))
    assert "being measured, 12 of 60 days" in texts(trust.panel(measuring, READER))
    assert "en cours de mesure : 12 jours sur 60" in texts(trust.panel(measuring, FRENCH))


def test_trust_says_when_the_figures_come_from_the_history() -> None:
    assert texts(with_class(trust.panel(replay(), READER), "basis")[0]) == [
        "1,243 forecasts verified, by replaying the history"
    ]


def test_trust_says_when_what_was_verified_corrects_what_is_to_come() -> None:
    told = texts(with_class(trust.panel(ordinary(), READER), "basis")[0])
    assert told == ["1,243 forecasts verified; they correct those to come"]
    simulated = replace(ordinary(), cycle=replace(ordinary().cycle, corrected_days=0))
    assert texts(with_class(trust.panel(simulated, READER), "basis")[0]) == ["1,243 forecasts verified"]


def test_trust_without_a_rival_does_not_claim_a_gain() -> None:
    lone = replace(ordinary(), skills=(replace(SKILLS[0], skill={}),))
    assert rows(trust.panel(lone, READER))[3].split(" | ")[1] == UNKNOWN
