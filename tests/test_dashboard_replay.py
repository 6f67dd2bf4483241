"""The page of the replay as a component tree: what was known and said, and nothing that the clock has not come to."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import plotly.graph_objects as go
import pytest
from dash.development.base_component import Component
from werkzeug.exceptions import BadRequest

from dashboard import replay_charts
from dashboard.pages.beside import Place, beside
from dashboard.panels import replay
from dashboard.replay_buttons import acted
from dashboard.replay_words import lines, most_moved, whole_words
from dashboard.words import NBSP
from forecast.replay_address import asked_for
from forecast.replay_view import DRAWN, MEASURES, Asked, ReplayView
from tests.component_trees import FRENCH, READER, texts, with_class
from tests.replay_views import (
    AT,
    OTHER_AT,
    VIEWS,
    being_forecast,
    came,
    compared,
    empty,
    half_way,
    looking,
    ordinary_replay,
    outside,
    thinned,
    unsaid,
)


def shown(part: Any) -> Any:
    """What a reader sees: without what is hidden, and without what is kept for afterwards."""
    if isinstance(part, list | tuple):
        return [shown(one) for one in part]
    if isinstance(part, go.Figure):
        return part.to_dict()
    if not isinstance(part, Component):
        return part
    if getattr(part, "hidden", False):
        return None
    values = {name: getattr(part, name) for name in part._prop_names if getattr(part, name, None) is not None}
    values |= {name: value for name, value in part.to_plotly_json()["props"].items() if name.startswith("data-")}
    return type(part).__name__, {name: shown(value) for name, value in values.items() if name != "data-afterwards"}


def panel(view: ReplayView) -> Component:
    return replay.panel(view, READER)


def told(view: ReplayView) -> str:
    return " ".join(texts(panel(view))).replace(NBSP, " ")


def test_what_has_not_come_yet_by_the_clock_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    few, many = (ordinary_replay(higher=higher) for higher in (0.05, 0.6))
    assert shown(panel(few)) == shown(panel(many))
    later = [replace(view, asked=replace(view.asked, to=AT + timedelta(hours=3))) for view in (few, many)]
    assert shown(panel(later[0])) != shown(panel(later[1])), "as far as it has come"
    known = [replace(came(higher=higher), values=_until(higher, AT + timedelta(hours=3))) for higher in (0.05, 0.6)]
    same = [replace(view, came=one) for view, one in zip(later, known, strict=True)]
    assert shown(panel(same[0])) == shown(panel(same[1])), "and no further"
    monkeypatch.setattr(replay_charts, "came", _everything)
    assert shown(panel(few)) != shown(panel(many)), "the mutant: drawn to the end"


def _until(higher: float, last: Any) -> dict[str, tuple[float | None, ...]]:
    """What came until an instant is alike; after it, by how much `higher` says."""
    alike, other = came(higher=0.3), came(higher=higher)
    return {
        m: tuple(a if at <= last else b for at, a, b in zip(alike.at, alike.values[m], other.values[m], strict=True))
        for m in MEASURES
    }


def _everything(view: ReplayView, measure: str, *, until: Any) -> tuple[list[float], list[float]]:
    assert view.came is not None
    del until
    return list(range(len(view.came.at))), [value or 0.0 for value in view.came.values[measure]]


def test_what_was_said_for_an_hour_stands_beside_what_came_in_words() -> None:
    said = told(half_way())
    assert "12:00: said 35 to 55" in said
    assert "it was 63, more than said" in said
    hidden = [one for one in with_class(panel(half_way()), "replay-came") if getattr(one, "hidden", False)]
    assert len(hidden) == 3 * 3, "of each measure 20:00, the next 8:00 and the sum are to come"
    assert "it was 36" in told(ordinary_replay(to=AT + timedelta(hours=1)))


def test_verdicts_are_counted_as_they_are() -> None:
    for higher, words in ((0.05, "at 6 of 6 hours"), (0.6, "at 1 of 6 hours"), (-0.6, "at 1 of 6 hours")):
        found = lines(ordinary_replay(higher=higher), "ed_census")
        assert words in (whole_words(found, READER) or "")
    verdicts = [line.verdict for line in lines(ordinary_replay(higher=0.6), "ed_census")]
    assert verdicts == ["above"] * 5 + ["within"]
    assert whole_words(lines(replace(ordinary_replay(), came=None), "ed_census"), READER) is None


def test_two_instants_stand_side_by_side_with_what_moved() -> None:
    view = compared()
    line = most_moved(lines(view, "ed_census"))
    assert line is not None
    assert line.other is not None
    assert abs(line.middle - line.other[1]) == pytest.approx(max(
        abs(one.middle - one.other[1]) for one in lines(view, "ed_census") if one.other is not None
    ))  # fmt: skip
    said = told(view)
    assert "For 16:00, 73 was expected at 04:00, 59 at 08:00." in said
    assert "04:00: 31" in said, "the figures of then too"
    figure = replay_charts.chart(view, "ed_census", READER)
    assert figure is not None
    assert {"came", "other", "other band", "median"} <= {trace.name for trace in figure.data}
    before = dict(zip(VIEWS["compared"]().versus.said.fans["ed_census"].valid_at, range(999), strict=False))  # type: ignore[union-attr]
    assert before[OTHER_AT] == 0
    last = [line for line in lines(view, "ed_census") if line.valid_at == AT + DRAWN]
    assert last[0].other is None, "the earlier one does not reach so far"


def test_steps_and_the_nearest_issues_are_links_that_keep_what_is_compared() -> None:
    steps = with_class(panel(compared()), "replay-step")
    links = [asked_for(step.href, "Europe/Paris") for step in steps if hasattr(step, "href")]
    assert [link.at for link in links] == [AT + step for step in replay.STEPS]
    assert all(link.versus == OTHER_AT and link.to is None for link in links)
    edge = with_class(panel(replace(compared(), last_at=AT + timedelta(hours=2))), "replay-step")
    assert [hasattr(step, "href") for step in edge] == [True, True, True, False]
    ways = with_class(with_class(panel(unsaid()), "replay-none")[0], "way")
    assert [asked_for(way.href, "Europe/Paris").at for way in ways] == [AT - timedelta(days=4), AT + timedelta(days=2)]


def test_the_language_keeps_the_view() -> None:
    query = "?at=2026-11-03T08:00&vs=2026-11-03T04:00&speed=900&to=2026-11-03T12:00"
    [switch] = with_class(beside(compared(), FRENCH, Place("replay", query=query)), "switch")
    assert switch.children[0].href == "?lang=en&" + query.lstrip("?")


@pytest.mark.parametrize(
    ("view", "words"),
    [
        (empty(), "The log is empty"),
        (looking(), "Being read from the log as it was known then"),
        (outside(), "The log tells of the time from 4 Sept 2026, 09:00 to 24 Nov 2026, 14:34"),
        (outside(), "this could not be read: speed=7"),
        (replace(looking(), state="fault", fault="too few days"), "This instant could not be read: too few days"),
        (unsaid(), "No forecast is kept that was shown at this instant."),
        (being_forecast(), "Being forecast beside the house's own forecasts, which go first."),
        (replace(unsaid(), fault="no luck"), "It could not be computed: no luck"),
        (thinned(), "a few hours are kept"),
        (ordinary_replay(), "Forecast as it was published on 3 Nov 2026, 08:00."),
    ],
)
def test_every_state_says_what_it_is(view: ReplayView, words: str) -> None:
    assert words in told(view)


def test_the_button_can_be_pressed_once() -> None:
    [button] = with_class(panel(unsaid()), "replay-act")
    assert not button.disabled
    [button] = with_class(panel(being_forecast()), "replay-act")
    assert button.disabled
    assert not with_class(panel(ordinary_replay()), "replay-act")


def test_what_was_made_afterwards_says_that_nobody_saw_it() -> None:
    view = ordinary_replay()
    assert view.looked is not None
    assert view.looked.said is not None
    made = replace(view.looked, said=replace(view.looked.said, is_made_afterwards=True))
    assert "nobody had seen it" in told(replace(view, looked=made))


class Noted:
    """Whoever is asked to forecast."""

    def __init__(self, answer: bool = True) -> None:
        self.told: list[Asked] = []
        self.answer = answer

    def asked(self, query: str) -> Asked:
        return asked_for(query, "Europe/Paris")

    def forecast(self, asked: Asked) -> bool:
        self.told.append(asked)
        return self.answer


def test_the_button_asks_for_the_instant_of_the_address_and_nonsense_is_refused() -> None:
    noted = Noted()
    assert acted(noted, {"query": "?at=2026-11-03T08:00"}) == "done"
    assert noted.told == [Asked(AT)]
    assert acted(noted, {"query": "?at=soon"}) == "nothing to do"
    assert acted(Noted(answer=False), {"query": ""}) == "nothing to do"
    assert acted(None, {"query": ""}) == "nothing to do"
    for bad in (None, {"query": 7}, {"query": "?" + "x" * 700}):
        with pytest.raises(BadRequest):
            acted(noted, bad)
