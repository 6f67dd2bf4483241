"""The fan: what is drawn, where, and in which words."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dashboard.figures import fan, ticks
from dashboard.words import NBSP, Reader
from tests.boards import ISSUED_AT, MADE_AT, ordinary

READER = Reader("fr", "Europe/Paris")
CENSUS = ordinary().fans["ed_census"]


def drawn(**changes: Any) -> Any:
    return fan(replace(CENSUS, **changes), READER, now_at=MADE_AT, wide=True)


def trace(figure: Any, name: str) -> Any:
    return next(line for line in figure.data if line.name == name)


def test_a_fan_draws_each_thing_once_and_the_widest_band_first() -> None:
    names = [line.name for line in drawn().data]
    bands = ["p05", "p95", "p10", "p90", "p25", "p75"]
    assert names == [*bands, "usual", "median", "earlier", "observed", "peak"]


def test_bands_are_the_intervals_they_are_called() -> None:
    """Each is filled from its upper edge down to the edge drawn before it, the lower one of the same interval."""
    figure = drawn()
    low, high = trace(figure, "p10"), trace(figure, "p90")
    assert list(low.y) == [round(value, 1) for value in CENSUS.quantiles[0.1]]
    assert list(high.y) == [round(value, 1) for value in CENSUS.quantiles[0.9]]
    assert low.x0 == high.x0 == round((CENSUS.valid_at[0] - MADE_AT) / timedelta(hours=1), 2)
    filled = [(figure.data[k - 1].name, one.name) for k, one in enumerate(figure.data) if one.fill == "tonexty"]
    assert filled == [("p05", "p95"), ("p10", "p90"), ("p25", "p75")]


def test_uneven_places_are_drawn_where_they_are() -> None:
    """The mutant: a step between the first and the last, whatever lies between them."""
    gap = (*CENSUS.valid_at[:3], *(at + timedelta(hours=2) for at in CENSUS.valid_at[3:]))
    assert list(trace(drawn(valid_at=gap), "median").x)[2:4] == [0.68, 2.93]
    assert trace(drawn(), "median").x is None


def test_the_past_ends_now_and_is_twelve_hours() -> None:
    past = trace(drawn(), "observed")
    assert (past.x0, round(past.x0 + past.dx * (len(past.y) - 1), 2)) == (-11.82, -0.07)
    assert past.y[-1] == CENSUS.past[-1]


def test_what_is_absent_is_a_gap_and_not_zero() -> None:
    holes = (*CENSUS.past[:-2], None, float("nan"))
    assert list(trace(drawn(past=holes), "observed").y[-2:]) == [None, None]


def test_a_fan_without_extras_draws_without_them() -> None:
    figure = drawn(earlier=None, capacity=None, peak=None, peak_at=None)
    assert [line.name for line in figure.data][6:] == ["usual", "median", "observed"]
    assert [note.text for note in figure.layout.annotations] == ["maintenant"]


def test_landmarks_have_their_words() -> None:
    texts = [note.text for note in drawn().layout.annotations]
    assert texts[:2] == ["maintenant", "38 places"]
    assert texts[2].startswith("pic ")


FREE_BEDS = ordinary().fans["beds_free"]


def test_a_small_chart_marks_its_peak_and_of_free_beds_the_fewest() -> None:
    """The number stands at its place; the mutant, beds marked at their most, would stand elsewhere."""
    waiting = ordinary().fans["ed_waiting"]
    for found, name, value in [(waiting, "peak", 18), (FREE_BEDS, "fewest", 4)]:
        figure = fan(found, READER, now_at=MADE_AT, wide=False)
        assert [round(y) for y in trace(figure, name).y] == [value]
        assert [note.text for note in figure.layout.annotations] == ["maintenant", str(value)]
    most = replace(FREE_BEDS, lowest=None, peak=(14.0, 16.0, 18.0), peak_at=FREE_BEDS.valid_at[50])
    assert "fewest" not in [line.name for line in fan(most, READER, now_at=MADE_AT, wide=False).data]


def test_the_word_of_a_peak_that_is_nearly_now_does_not_stand_on_that_of_now() -> None:
    waiting = ordinary().fans["ed_waiting"]
    for step, anchors in [(1, ["right", "left"]), (50, ["right", "center"])]:
        found = replace(waiting, peak_at=waiting.valid_at[step])
        notes = fan(found, READER, now_at=MADE_AT, wide=False).layout.annotations
        assert [note.xanchor for note in notes] == anchors
        assert notes[1].xshift == (8 if step == 1 else 0)


def test_a_small_chart_has_room_for_its_words() -> None:
    """No hour stands on another, and no value under the word at now."""
    figure = fan(FREE_BEDS, READER, now_at=MADE_AT, wide=False)
    assert list(figure.layout.xaxis.ticktext) == [f"12{NBSP}h", f"0{NBSP}h", f"12{NBSP}h"]
    assert max(figure.layout.yaxis.tickvals) < figure.layout.annotations[0].y
    assert list(figure.layout.yaxis.tickvals) == [0, 5, 10, 15]


def test_more_beds_taken_than_there_are_is_drawn_below_zero() -> None:
    """The mutant: an axis that begins at 0 would cut them off."""
    fewer = {level: tuple(value - 10 for value in values) for level, values in FREE_BEDS.quantiles.items()}
    figure = fan(replace(FREE_BEDS, quantiles=fewer), READER, now_at=MADE_AT, wide=False)
    assert figure.layout.yaxis.range[0] == min(fewer[0.05]) < 0
    assert fan(FREE_BEDS, READER, now_at=MADE_AT, wide=False).layout.yaxis.range[0] == 0


def test_everything_drawn_is_inside_the_chart() -> None:
    figure = drawn(capacity=90)
    top = figure.layout.yaxis.range[1]
    highest = max(value for line in figure.data for value in line.y if value is not None)
    assert top > max(highest, 90)


def test_letters_and_lines_grow_with_the_screen() -> None:
    large = fan(CENSUS, replace(READER, rem_px=40.0), now_at=MADE_AT, wide=True)
    assert large.layout.font.size == 2 * drawn().layout.font.size
    assert trace(large, "median").line.width == 2 * trace(drawn(), "median").line.width


def test_the_repeated_hour_is_an_hour_long() -> None:
    """Ticks stand at full local hours, and 0 h to 6 h is seven hours on the night the clocks go back."""
    first = datetime(2026, 10, 24, 19, 34, tzinfo=UTC)
    values, texts = ticks(first, first + timedelta(hours=14), READER, every_hours=6, now_at=first)
    assert texts == [f"0{NBSP}h", f"6{NBSP}h"]
    assert values[1] - values[0] == pytest.approx(7)


def test_a_chart_in_local_hours_would_be_wrong_that_night() -> None:
    """The mutant: hours counted on the wall's clock instead of passed."""
    first = datetime(2026, 10, 24, 19, 34, tzinfo=UTC)
    naive = [6 - 0]
    values, _ = ticks(first, first + timedelta(hours=14), READER, every_hours=6, now_at=first)
    assert [round(values[1] - values[0])] != naive


def test_a_day_of_a_fan_stays_small() -> None:
    assert len(drawn().to_json()) < 25_000
    assert ISSUED_AT in CENSUS.past_at
