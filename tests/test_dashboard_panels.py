"""Panels as component trees, without a browser: ordinary, empty, overfull and stale boards."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from dashboard.pages.wall import BELOW, figures_of, panels_of
from dashboard.panels import arrivals, banner, boarding, census, footer, free_beds, header, now, waiting, wards
from dashboard.reason_words import MENDS
from dashboard.words import NBSP, UNKNOWN, Reader
from forecast.board import Board
from tests.boards import (
    MADE_AT,
    MOVED,
    before_first,
    catching_up,
    described,
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
    unhelped,
)
from tests.component_trees import CIRCLE, FRENCH, READER, SQUARE, UP, children, classes, rows, texts, with_class


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
        "Attendent un lit / 46 jusqu'à 2 jours d'attente",
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


def test_the_banner_of_a_forecast_from_a_description() -> None:
    """It says whose it is and how much is learned; with a path that is kept, or a forecast that is old, it does not."""
    board = described()
    assert board.cycle.described
    said = "Forecast from the site's own description: nothing learned yet (3 of 7 days)"
    assert texts(banner.panel(board, READER)) == ["i", said]
    shipped = replace(board, cycle=replace(board.cycle, described={**board.cycle.described, "source": "shipped"}))
    assert "the shipped description: nothing learned yet" in texts(banner.panel(shipped, READER))[1]
    kept = replace(board, cycle=replace(board.cycle, described={**board.cycle.described, "keeps_path": True}))
    assert texts(banner.panel(kept, READER)) == []
    assert "nothing learned yet" in " ".join(texts(footer.panel(board, READER)))
    assert "learned from" in " ".join(texts(footer.panel(kept, READER)))


def test_the_banner_of_a_cluster_that_cannot_be_had() -> None:
    board = ordinary()
    here = replace(board, cycle=replace(board.cycle, cluster_fault="dask://far:8786 has no workers"))
    said = "Simulated on this machine, without the cluster: dask://far:8786 has no workers"
    assert texts(banner.panel(here, READER)) == [UP, said]
    assert texts(banner.panel(board, READER)) == []


# ------------------------------------------------------------------------------------------------------------ fans


def test_census_ordinary_says_the_interval_the_odds_and_the_peak() -> None:
    panel = census.panel(ordinary(), READER)
    assert texts(panel) == [
        "How many patients in the coming hours?",
        "8 chances in 10 of having 44 to 52 patients at 19:00.",
        "1 chance in 4 of more than 50. Peak: 49 (45 to 59) around 19:00.",
        "Since 13:30, 44 → 49 at 19:00: 14 arrivals, not 9 (+4), 7 exits, not 9 (+1), beds and staff (−1).",
        *("observed", "forecast", "5, 8 and 9 chances in 10", "usual", "as forecast at 08:30"),
    ]
    assert census.figure(ordinary(), READER) is not None


def test_small_charts_ordinary() -> None:
    """The question, the interval at an hour, and the peak, of free beds the fewest, with its unit and hour."""
    assert texts(boarding.panel(ordinary(), FRENCH)) == [
        "Combien attendent un lit ?",
        "8 chances sur 10 : de 7 à 11 à 19 h.",
        "Pic : 11 patients vers 22 h 30.",
    ]
    assert [texts(panel.panel(ordinary(), READER)) for panel in (waiting, free_beds, arrivals)] == [
        ["How many wait to be seen?", "8 chances in 10: 15 to 19 at 19:00.", "Peak: 18 patients around 19:30."],
        ["How many free beds?", "8 chances in 10: 2 to 6 at 19:00.", "Fewest: 4 beds around 18:30."],
        ["Arrivals an hour?", "8 chances in 10: 9 to 13 at 19:00.", "Peak: 12 an hour around 17:00."],
    ]
    alone = replace(ordinary().fans["beds_free"], lowest=(0.0, 1.0, 2.0))
    assert "1 bed around" in texts(free_beds.panel(replace(ordinary(), fans={"beds_free": alone}), READER))[2]


def test_of_free_beds_the_fewest_counts_and_not_the_most() -> None:
    """The mutant: a fan of beds whose peak is told."""
    board = ordinary()
    assert "Fewest: 4 beds" in " ".join(texts(free_beds.panel(board, READER)))
    fan = board.fans["beds_free"]
    wrong = replace(fan, lowest=None, peak=(14.0, 16.0, 18.0), peak_at=fan.valid_at[50])
    assert "Fewest" not in " ".join(texts(free_beds.panel(replace(board, fans={"beds_free": wrong}), READER)))


def test_census_says_why_the_forecast_moved() -> None:
    said = texts(census.panel(ordinary(), READER))
    assert any("44 → 49" in text and "14 arrivals, not 9 (+4)" in text for text in said)
    assert not any("correction" in text or "learned anew" in text for text in said)
    as_many = replace(MOVED, left=MOVED.exits_expected)
    assert any(
        "patients already here (+1)" in text for text in texts(census.panel(replace(ordinary(), moved=as_many), READER))
    )
    still = replace(MOVED, now=MOVED.before + 0.4)
    assert any("Hardly moved" in text for text in texts(census.panel(replace(ordinary(), moved=still), READER)))
    assert not any("→" in text for text in texts(census.panel(replace(ordinary(), moved=None), READER)))


EVERY = tuple(BELOW)
FANS = tuple(figures_of(EVERY))


@pytest.mark.parametrize("name", FANS)
def test_a_fan_that_is_not_there_says_why(name: str) -> None:
    panel, figure = panels_of(EVERY)[name], figures_of(EVERY)[name]
    old = ordinary()
    old = replace(old, cycle=replace(old.cycle, age=timedelta(minutes=70)))
    unknown = "no ward has known beds" if name == "free_beds" else "not in the data received"
    assert texts(panel(empty(), READER))[1:] == [UNKNOWN, unknown]
    assert texts(panel(before_first(), READER))[1:] == [UNKNOWN, "the first forecast is being made"]
    assert texts(panel(old, READER))[1:] == [UNKNOWN, "the forecast is too old to be shown"]
    assert [figure(board, READER) for board in (empty(), before_first(), old)] == [None, None, None]


@pytest.mark.parametrize("name", FANS)
def test_a_fan_is_kept_while_the_feed_is_stale(name: str) -> None:
    assert None not in [figures_of(EVERY)[name](board, READER) for board in (stale(), overfull())]


def test_free_beds_are_unknown_where_no_ward_has_known_beds_and_else_not_told() -> None:
    said = [texts(free_beds.panel(unhelped(), reader))[1:] for reader in (READER, FRENCH)]
    assert said == [[UNKNOWN, "no ward has known beds"], [UNKNOWN, "aucun service dont les lits soient connus"]]
    told = replace(ordinary(), fans={})
    assert texts(free_beds.panel(told, READER))[1:] == [UNKNOWN, "not in the data received"]


def test_a_forecast_that_is_not_a_number_is_said_to_be_unknown() -> None:
    board = ordinary()
    fan = board.fans["ed_census"]
    nothing = replace(fan, quantiles={level: (float("nan"),) * len(fan.valid_at) for level in fan.quantiles})
    said = texts(census.panel(replace(board, fans={"ed_census": nothing}), READER))
    assert said[1] == f"8 chances in 10 of having {UNKNOWN} to {UNKNOWN} patients at 19:00."


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
