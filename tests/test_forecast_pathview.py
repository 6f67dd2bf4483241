"""The page of the path as a value: learned where something is learned, else the site's, else what is shipped."""

from __future__ import annotations

from dataclasses import replace

import pytest

from forecast import pathview
from forecast.pathview import PathViews
from tests.boards import MADE_AT, ordinary
from tests.histories import calibration
from tests.path_views import CRAMPED, OTHER_WARDS
from twin.explanation import ABOVE, WARDS
from twin.site import site_from


def test_what_is_learned_goes_before_what_a_site_says_and_that_before_what_is_shipped() -> None:
    board = ordinary()
    found = [PathViews(site_from(text)).view(board, learned) for text, learned in (
        ("", None), ('name = "Valmont"', None), (CRAMPED, None), (CRAMPED, calibration()),
    )]  # fmt: skip
    assert [view.source for view in found] == ["shipped", "shipped", "site", "learned"]
    assert [len(view.explained.steps) for view in found if view.explained] == [70, 70, 70, 18]
    assert found[3].learned_at == calibration().as_of
    assert found[3].learned_visits == calibration().report["visits"]


def test_a_site_that_is_not_whole_says_what_it_lacks_until_something_is_learned() -> None:
    views = PathViews(site_from(OTHER_WARDS))
    assert views.view(ordinary(), None).explained is None
    assert views.view(ordinary(), None).lacks != ()
    learned = views.view(ordinary(), calibration())
    assert learned.explained is not None
    assert learned.lacks == ()


def test_who_is_where_now_is_the_board_s_word() -> None:
    board = ordinary()
    now = PathViews(site_from("")).view(board, None).now
    assert now is not None
    wards = {unit.unit: unit.census for unit in board.units if unit.census is not None}
    assert now == {**wards, WARDS: sum(wards.values()), ABOVE: board.now.present}
    empty = replace(board, units=(), now=replace(board.now, present=None))
    assert PathViews(site_from("")).view(empty, None).now == {}


def test_a_view_changes_once_a_minute_and_is_worked_out_once_a_calibration(monkeypatch: pytest.MonkeyPatch) -> None:
    worked_out: list[object] = []
    explain = pathview.explained

    def counting(site: object, learned: object = None) -> object:
        worked_out.append(learned)
        return explain(site, learned)  # type: ignore[arg-type]

    monkeypatch.setattr(pathview, "explained", counting)
    views, board = PathViews(site_from("")), replace(ordinary(), made_at=MADE_AT.replace(second=41))
    seen = [views.view(board, learned) for learned in (None, None, calibration(), calibration())]
    assert {view.made_at for view in seen} == {MADE_AT.replace(second=0, microsecond=0)}
    assert worked_out == [None, calibration()]
