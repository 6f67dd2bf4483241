"""Panels as component trees, without a browser: ordinary, empty, overfull and stale boards."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from dash import html
from dash.development.base_component import Component

from dashboard.pages.wall import CHARTS, PANELS, filling, frame
from dashboard.panels import arrivals, banner, boarding, census, footer, header, now, scenarios, trust, wards
from dashboard.reason_words import MENDS
from dashboard.words import NBSP, UNKNOWN, Reader
from forecast.board import Board, Effect
from tests.boards import (
    EXAMPLES,
    MADE_AT,
    SKILLS,
    before_first,
    catching_up,
    empty,
    fed,
    inconsistent,
    late,
    off,
    ordinary,
    overfull,
    quiet,
    replay,
    stale,
)

READER = Reader("en", "Europe/Paris")
FRENCH = Reader("fr", "Europe/Paris")
DOWN, UP, SQUARE, CIRCLE = "▼", "▲", "■", "●"


def children(component: Any) -> list[Any]:
    found = getattr(component, "children", None)
    if found is None:
        return []
    return list(found) if isinstance(found, list | tuple) else [found]


def texts(component: Any) -> list[str]:
    """All that a component says, in reading order, with plain spaces."""
    if isinstance(component, str):
        return [component.replace(NBSP, " ")]
    return [text for child in children(component) for text in texts(child)]


def classes(component: Any) -> list[str]:
    """All class names in a component, in reading order."""
    if not isinstance(component, Component):
        return []
    own = (getattr(component, "className", None) or "").split()
    return [*own, *(name for child in children(component) for name in classes(child))]


def with_class(component: Any, name: str) -> list[Any]:
    """The components in a tree that have a class."""
    if not isinstance(component, Component):
        return []
    own = [component] if name in (getattr(component, "className", None) or "").split() else []
    return own + [found for child in children(component) for found in with_class(child, name)]


def rows(component: Any) -> list[str]:
    """The rows of a table, each as its cells' texts with a bar between."""
    if type(component).__name__ == "TableTr":
        return [" | ".join(" ".join(texts(cell)) for cell in children(component))]
    return [row for child in children(component) for row in rows(child)]


def tiles(board: Board, reader: Reader = READER) -> list[str]:
    return [" / ".join([texts(t)[0], " ".join(texts(t)[1:])]) for t in children(now.panel(board, reader))]


# ------------------------------------------------------------------------------------------------------------- now


def test_now_ordinary() -> None:
    assert tiles(ordinary()) == [
        f"Present / 41 {SQUARE} 38 spaces: 3 too many",
        "Waiting / 12 not yet seen",
        "Longest wait / 2 h 11 since arrival",
        "Waiting for a bed / 7 longest 7 h 15",
        "Arrivals / 9 in the last hour",
        "Arrivals today / 128 usually 119 by this time",
    ]


def test_now_empty_tells_none_from_nobody() -> None:
    assert tiles(empty()) == [
        "Present / 0 spaces not stated",
        "Waiting / 0 not yet seen",
        f"Longest wait / {UNKNOWN} nobody waits",
        "Waiting for a bed / 0 nobody waits",
        "Arrivals / 0 in the last hour",
        "Arrivals today / 0 usual not yet learned",
    ]


def test_now_overfull() -> None:
    said = tiles(overfull(), FRENCH)
    assert said[0] == f"Présents / 127 {SQUARE} 38 places : 89 de trop"
    assert said[2:4] == [
        "Plus longue attente / 19 h 07 depuis l'arrivée",
        "Attendent un lit / 46 depuis 2 jours au plus",
    ]


def test_now_stale_is_hatched_and_what_the_log_does_not_hold_is_a_dash() -> None:
    panel = now.panel(stale(), READER)
    assert classes(panel)[:2] == ["now", "stale"]
    assert tiles(stale())[1:3] == [
        f"Waiting / {UNKNOWN} not in the data received",
        f"Longest wait / {UNKNOWN} not in the data received",
    ]
    assert len(with_class(panel, "unknown")) == 2


def test_now_after_four_silent_hours_has_no_number_left() -> None:
    board = stale()
    dead = replace(board, feed=fed("off", timedelta(hours=5)))
    assert {tile.split(" / ")[1] for tile in tiles(dead)} == {f"{UNKNOWN} no data"}
    # the mutant: the same board whose feed is only stale
    assert f"{UNKNOWN} no data" not in {tile.split(" / ")[1] for tile in tiles(board)}


@pytest.mark.parametrize("reader", [READER, FRENCH])
def test_nothing_on_the_wall_is_a_count_when_the_feed_is_off(reader: Reader) -> None:
    def figures(board: Board) -> list[str]:
        shown = [*with_class(now.panel(board, reader), "big"), *with_class(wards.panel(board, reader), "figure")]
        return [text for part in shown for text in texts(part) if any(sign.isdigit() for sign in text)]

    assert figures(replace(ordinary(), feed=fed("off", timedelta(hours=5)))) == []
    assert len(figures(ordinary())) > 10


def test_now_stale_says_of_every_number_from_when_it_is() -> None:
    stamps = [texts(stamp) for stamp in with_class(now.panel(stale(), READER), "stamp")]
    assert stamps == [[UP, "LAST KNOWN 13:42"]] * 4  # two tiles are not known at all
    assert with_class(now.panel(ordinary(), READER), "stamp") == []


def test_now_catching_up_is_provisional() -> None:
    panel = now.panel(catching_up(), FRENCH)
    assert [texts(stamp) for stamp in with_class(panel, "stamp")] == [[UP, "provisoire"]] * 6
    assert classes(panel)[:2] == ["now", "catching_up"]


def test_an_inconsistent_count_marks_its_tile_and_its_ward_alone() -> None:
    panel = now.panel(inconsistent(), READER)
    assert [texts(tile) for tile in with_class(panel, "doubtful")] == [["Present", "15", UP, "check"]]
    assert rows(wards.panel(inconsistent(), READER))[1:3] == [
        f"Surgery | 67 / 30 | {UP} check | {UNKNOWN} | {UNKNOWN}",
        f"General medicine | 32 / 32 | {SQUARE} FULL | 1 0–3 | 2 1–6",
    ]


# ---------------------------------------------------------------------------------------------- header and banners


def test_header_ordinary() -> None:
    panel = header.panel(ordinary(), READER)
    assert texts(panel) == [
        "Centre hospitalier de Valmont",
        "Tuesday, 24 November 2026",
        *(CIRCLE, "LIVE · Data: less than a minute ago"),
        *(CIRCLE, "Forecast issued 4 min ago"),
        *("as of", "14:34"),
        "FR",
    ]
    assert with_class(panel, "mode") == []


@pytest.mark.parametrize(("mode", "said"), [("replay", "REJEU"), ("fabricated", "DONNÉES FABRIQUÉES"), ("x", "X")])
def test_a_board_that_is_not_live_says_so(mode: str, said: str) -> None:
    assert texts(with_class(header.panel(replace(ordinary(), mode=mode), FRENCH), "mode")[0]) == [said]


def test_header_stale_has_the_shapes_of_trouble() -> None:
    ages = with_class(header.panel(stale(), READER), "ages")[0]
    assert texts(ages) == [SQUARE, "STALE · Data: 52 min ago", UP, "Forecast issued 40 min ago"]


def test_header_before_the_first_forecast() -> None:
    board = before_first()
    board = replace(board, feed=fed("off", None))
    said = texts(with_class(header.panel(board, READER), "ages")[0])
    assert said == [SQUARE, "OFF · no data yet", "i", "no forecast yet"]


@pytest.mark.parametrize(
    ("board", "said"),
    [
        (ordinary(), []),
        (replay(), []),
        (empty(), []),
        (
            stale(),
            [
                *(SQUARE, "LAST KNOWN 13:42, 52 min ago", "Downtime sheet"),
                *(UP, "OLD FORECAST: issued 40 min ago (the simulation did not end within 90 s and was stopped)"),
            ],
        ),
        (before_first(), ["i", "The first forecast is being made"]),
    ],
)
def test_banners(board: Board, said: list[str]) -> None:
    assert texts(banner.panel(board, READER)) == said


@pytest.mark.parametrize(
    ("board", "said"),
    [
        (quiet(), ["i", "No movement for 18 min, as is usual at this hour"]),
        (replace(quiet(), feed=fed("quiet", timedelta(minutes=2))), []),
        (
            late(),
            [
                *(UP, "LATE FEED: nothing for 12 min, longer than usual"),
                *(UP, "INCOMPLETE: 1 unit is silent"),
            ],
        ),
        (
            replace(ordinary(), feed=fed("late", timedelta(0), lag=timedelta(minutes=21), is_lagging=True)),
            [UP, "LATE FEED: messages are 21 min on the way"],
        ),
        (replace(ordinary(), feed=fed("late", timedelta(0))), [UP, "LATE FEED: messages come again"]),
        (
            catching_up(),
            ["i", "CATCHING UP: 1,840 messages wait, done in about 4 min; the counts are provisional (mllp)"],
        ),
        (
            inconsistent(),
            [
                *(UP, "INCONSISTENT: see the numbers marked “check”"),
                *(UP, "CLOCKS APART by 25 min: do not trust times"),
            ],
        ),
        (
            off(),
            [
                *(SQUARE, "NO MORE DATA since 09:22: downtime procedure", "Downtime sheet"),
                *(SQUARE, "NO FORECAST: the data are too old"),
            ],
        ),
        (
            replace(before_first(), feed=fed("off", None)),
            [SQUARE, "NO DATA YET: nothing was ever received"],
        ),
    ],
)
def test_banners_of_every_state_of_the_feed(board: Board, said: list[str]) -> None:
    assert texts(banner.panel(board, READER)) == said


def test_banners_of_a_withdrawn_forecast_and_of_a_failed_cycle() -> None:
    board = ordinary()
    hidden = replace(board, cycle=replace(board.cycle, age=timedelta(minutes=70)))
    failed = replace(board, cycle=replace(board.cycle, last_error="the simulation ended early"))
    assert texts(banner.panel(hidden, READER)) == [SQUARE, "FORECAST WITHDRAWN: the last one was issued 1 h 10 ago"]
    assert texts(banner.panel(failed, READER)) == [UP, "The last cycle failed: the simulation ended early"]


# ------------------------------------------------------------------------------------------------------------ fans


def test_census_ordinary_says_the_interval_the_odds_and_the_peak() -> None:
    panel = census.panel(ordinary(), READER)
    assert texts(panel) == [
        "How many patients in the coming hours?",
        "8 chances in 10 of having 44 to 52 patients at 19:00.",
        "1 chance in 4 of more than 50. Peak: 49 (45 to 59) around 19:00.",
        *("observed", "forecast", "5, 8 and 9 chances in 10", "usual", "as forecast at 08:30"),
    ]
    assert census.figure(ordinary(), READER) is not None


def test_boarding_and_arrivals_ordinary() -> None:
    assert texts(boarding.panel(ordinary(), FRENCH)) == [
        "Combien attendront un lit ?",
        "8 chances sur 10 : de 7 à 11 à 19 h.",
    ]
    assert texts(arrivals.panel(ordinary(), READER))[1] == "8 chances in 10: 9 to 13 at 19:00."


FANS = ("census", "boarding", "arrivals")


@pytest.mark.parametrize("name", FANS)
def test_a_fan_that_is_not_there_says_why(name: str) -> None:
    panel = PANELS[name]
    old = ordinary()
    old = replace(old, cycle=replace(old.cycle, age=timedelta(minutes=70)))
    assert texts(panel(empty(), READER))[1:] == [UNKNOWN, "not in the data received"]
    assert texts(panel(before_first(), READER))[1:] == [UNKNOWN, "the first forecast is being made"]
    assert texts(panel(old, READER))[1:] == [UNKNOWN, "the forecast is too old to be shown"]
    assert [CHARTS[name](board, READER) for board in (empty(), before_first(), old)] == [None, None, None]


@pytest.mark.parametrize("name", FANS)
def test_a_fan_is_kept_while_the_feed_is_stale(name: str) -> None:
    assert None not in [CHARTS[name](board, READER) for board in (stale(), overfull())]


def test_a_forecast_that_is_not_a_number_is_said_to_be_unknown() -> None:
    board = ordinary()
    fan = board.fans["ed_census"]
    nothing = replace(fan, quantiles={level: (float("nan"),) * len(fan.valid_at) for level in fan.quantiles})
    said = texts(census.panel(replace(board, fans={"ed_census": nothing}), READER))
    assert said[1] == f"8 chances in 10 of having {UNKNOWN} to {UNKNOWN} patients at 19:00."


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
        f"One more doctor from now on. | {DOWN} −4.3 −7 to −1 | {DOWN} −6.2 −9 to −3 | "
        f"{DOWN} −3.6 −7 to −1 | {DOWN} −5.1 −8 to −2 |  +0.2 −3 to +3 |  +0.3 −3 to +3",
        f"Ten medical beds closed. | {UP} +3.8 +1 to +6 | {UP} +5.4 +3 to +8 | "
        f" +0.6 −2 to +3 |  +0.8 −2 to +3 | {UP} +4.1 +2 to +7 | {UP} +5.9 +4 to +8",
    ]


def test_the_first_scenario_is_what_the_others_are_compared_with() -> None:
    said = " ".join(rows(scenarios.panel(ordinary(), READER)))
    assert "Nothing changes" not in said
    assert len(rows(scenarios.panel(ordinary(), READER))) == 2 + 4


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


def test_more_scenarios_than_rows_are_counted() -> None:
    board = overfull()
    many = replace(board, scenarios=board.scenarios + board.scenarios[1:3])
    assert texts(with_class(scenarios.panel(many, READER), "basis")[0]) == ["and 2 other scenarios"]


# ----------------------------------------------------------------------------------------------------------- trust


def test_trust_ordinary_and_the_lead_that_a_rival_won_is_grey() -> None:
    panel = trust.panel(ordinary(), READER)
    assert rows(panel) == [
        "Patients present, forecast at | +1 h | +2 h | +4 h | +8 h | +12 h | +24 h",
        "Mean error, patients | 1.9 | 2.6 | 3.4 | 4.3 | 4.9 | 5.6",
        "80% interval held | 83% | 82% | 80% | 79% | 77% | 75%",
        "Gain over “nothing moves” | +12% | +21% | +38% | +52% | +55% | +9%",
        f"Gain over “as usual” | +61% | +47% | +30% | +11% | +4% | {UP} worse",
    ]
    assert len(with_class(panel, "grey")) == 4
    assert [texts(cell)[-1] for cell in with_class(panel, "grey")] == ["5.6", "75%", "+9%", "worse"]


def test_trust_says_what_is_not_measured_yet() -> None:
    few = replace(ordinary(), skills=(*SKILLS[:2], replace(SKILLS[2], n=0)))
    assert rows(trust.panel(few, READER))[1] == (
        "Mean error, patients | 1.9 | 2.6 | to come | to come | to come | to come"
    )
    assert texts(trust.panel(empty(), FRENCH))[1:] == [
        UNKNOWN,
        "à mesurer : aucune prévision n'a encore atteint son échéance",
    ]


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
    lone = replace(ordinary(), skills=(replace(SKILLS[0], skill={"persistence": 0.12}),))
    assert rows(trust.panel(lone, READER))[4].split(" | ")[1] == UNKNOWN


# ---------------------------------------------------------------------------------------------------------- footer


def test_footer_ordinary() -> None:
    assert texts(footer.panel(ordinary(), READER)) == [
        "last message 14:33",
        "no record rejected",
        "143 cycles, 0 missed, 0 failed, the last took 41 s",
        "200 runs, learned from 60 days, full path",
    ]


def test_footer_says_how_many_runs_were_alike_in_both_engines() -> None:
    board = replace(ordinary(), cycle=replace(ordinary().cycle, checked=3, equal=2))
    assert texts(footer.panel(board, READER))[-1] == ("200 runs, learned from 60 days, 2 of 3 checked alike, full path")


def test_footer_overfull_counts_rejected_records_by_reason() -> None:
    assert texts(footer.panel(overfull(), READER))[1:5] == [
        UP,
        "1,134 records rejected (impossible or missing times 816, words unknown to the mapping 241, "
        "no or contradictory visit 77)",
        UP,
        "143 cycles, 3 missed, 1 failed, the last took 58 s",
    ]


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({}, "LATE FEED: nothing for 12 min; wider forecast"),
        ({"age": timedelta(minutes=1), "lag": timedelta(minutes=40), "is_lagging": True},
         "LATE FEED: messages take 40 min; wider forecast"),
        ({"age": timedelta(minutes=1)}, "LATE FEED: messages come again; wider forecast"),
    ],
)  # fmt: skip
def test_a_forecast_that_was_run_from_before_says_that_it_is_wider_and_of_when_the_data_are(
    told: dict[str, Any], said: str
) -> None:
    """With the mutant that starts from its issue."""
    board = replace(late(), feed=replace(late().feed, **told))
    begun = replace(board, cycle=replace(board.cycle, begins_at=MADE_AT - timedelta(minutes=49)))
    assert texts(banner.panel(begun, READER))[1].replace(NBSP, " ") == said
    assert texts(now.panel(begun, READER)).count("data of 13:45") == len(now.TILES)
    gone = replace(begun, feed=fed("stale", timedelta(minutes=20)))
    assert texts(now.panel(gone, READER)).count("LAST KNOWN 13:45") == len(now.TILES), (
        "not 14:14, when it was last heard"
    )
    here = replace(board, cycle=replace(board.cycle, begins_at=board.cycle.issued_at))
    assert "wider" not in texts(banner.panel(here, READER))[1]
    assert not any("data of" in text for text in texts(now.panel(here, READER)))


@pytest.mark.parametrize("reader", [READER, FRENCH])
def test_footer_says_no_code_of_a_rule(reader: Reader) -> None:
    """With the mutant that shows them as they are."""
    codes = [code for code in [*MENDS, "two_messages"] if "_" in code]
    rejected = dict.fromkeys(codes, 1)
    board = replace(ordinary(), feed=replace(ordinary().feed, rejected=rejected))

    def shows_a_code() -> bool:
        return any(code in text for text in texts(footer.panel(board, reader)) for code in codes)

    assert not shows_a_code()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(footer, "reason_name", lambda code, reader: code)
        assert shows_a_code()


def test_footer_before_the_first_forecast_and_event() -> None:
    board = before_first()
    board = replace(board, feed=fed("off", None))
    said = texts(footer.panel(board, READER))
    assert said == ["no message received", "no record rejected", "0 cycles, 0 missed, 0 failed", "200 runs, full path"]


# ------------------------------------------------------------------------------------------------------------ page


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize("reader", [READER, FRENCH, replace(FRENCH, narrow=True, rem_px=16.0)])
def test_the_page_has_every_panel_whatever_the_board(name: str, reader: Reader) -> None:
    full = filling(EXAMPLES[name](), reader)
    assert list(full.panels) == list(PANELS)
    said = [text for panel in full.panels.values() for text in texts(panel)]
    assert len(said) > 30
    assert not any("nan" in text.lower().split() or "None" in text for text in said)


def test_the_state_of_the_wall_is_a_class_of_the_page() -> None:
    assert filling(stale(), READER).state == "feed-stale forecast-old"
    assert filling(before_first(), READER).state == "feed-live forecast-none"


def test_before_the_first_board_the_page_waits_and_can_change_language() -> None:
    waiting = filling(None, READER)
    assert texts(waiting.panels["header"]) == [
        "FR",
        UNKNOWN,
        "The twin is waking up: the first board is being made.",
    ]
    assert (set(waiting.figures.values()), waiting.state) == ({None}, "waking")


def test_the_frame_has_a_place_for_everything() -> None:
    ids = [found.id for found in with_class(html.Div(frame()), "slot") + with_class(html.Div(frame()), "graph")]
    assert sorted(ids) == sorted([f"slot-{name}" for name in PANELS] + [f"chart-{name}" for name in CHARTS])
