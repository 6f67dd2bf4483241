"""The API's reading of the board: what the wall shows, nothing that it hides, and nothing sent twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from jsonschema import Draft202012Validator

from dashboard import api_board
from dashboard.api import PREFIX
from forecast.board import Board, Check
from forecast.values import LEVELS, Forecast, Series
from tests.alert_views import ordinary_alerts
from tests.api_worlds import World, json_of, refused, world_of
from tests.boards import ISSUED_AT, MADE_AT, off, ordinary
from tests.boards import stale as stale_board
from tests.trust_views import nothing_yet, ordinary_trust

LEADS = np.array([0.0, 60.0, 120.0])
SCHEMAS = {
    "/board": "BoardSaid", "/forecast": "ForecastSaid", "/forecast/ed_census": "ForecastSaid",
    "/verification": "VerificationSaid", "/alerts": "AlertsSaid",
}  # fmt: skip


def told(middle: float) -> Series:
    """A measure that stays, with a spread."""
    return Series(np.full(3, middle), {level: np.full(3, middle + 10 * (level - 0.5)) for level in LEVELS})


def published() -> Forecast:
    """Two measures, of which past forecasts correct one; and another scenario, which is not told."""
    usual = {
        "ed_census": told(44.0),
        "wait_min:3A": Series(np.full(3, np.nan), dict.fromkeys(LEVELS, np.full(3, np.nan))),
    }
    scenarios = {"as_usual": usual, "arrivals_up_20": {"ed_census": told(52.0)}}
    raw = {"as_usual": {"ed_census": told(46.0)}}
    return Forecast(ISSUED_AT, ISSUED_AT, ISSUED_AT, LEADS, scenarios, {}, {"run": {"members": 1000}}, raw=raw)


@pytest.fixture
def world() -> Iterator[World]:
    with world_of() as made:
        made.shown |= {"forecast": published(), "trust": ordinary_trust()}
        yield made


def breaks(answer: Any, schema: str, world: World) -> list[str]:
    whole = json_of(world.get("/openapi.json"))
    there = {"$ref": f"#/components/schemas/{schema}", "components": whole["components"]}
    return [error.message for error in Draft202012Validator(there).iter_errors(answer)]


@pytest.mark.parametrize("path", list(SCHEMAS))
def test_every_answer_is_as_the_document_says(world: World, path: str) -> None:
    answer = json_of(world.get(path))
    assert breaks(answer, SCHEMAS[path], world) == []
    assert breaks({**answer, "more": 1}, SCHEMAS[path], world)  # what the document does not tell is seen


@pytest.mark.parametrize("path", list(SCHEMAS))
def test_who_asks_again_is_told_that_nothing_is_new(world: World, path: str) -> None:
    first = world.get(path)
    again = world.client.get(PREFIX + path, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    packed = world.client.get(PREFIX + path, headers={"Accept-Encoding": "gzip"})  # compressed, it is the same answer
    assert packed.headers["ETag"] == first.headers["ETag"]
    other = world.client.get(PREFIX + path, headers={"If-None-Match": 'W/"another"'})
    assert (other.status_code, other.data) == (200, first.data)


def test_a_board_of_the_same_minute_is_the_same_answer_and_another_is_not(world: World) -> None:
    def etag(board: Board) -> str:
        world.shown["board"] = board
        return world.get("/board").headers["ETag"]

    first = etag(ordinary())
    seconds = timedelta(seconds=7)
    feed = replace(ordinary().feed, age=timedelta(seconds=47))
    assert etag(replace(ordinary(), made_at=MADE_AT + seconds, feed=feed)) == first
    assert etag(replace(ordinary(), now=replace(ordinary().now, present=42))) != first


def test_the_board_says_what_the_wall_shows(world: World) -> None:
    answer = json_of(world.get("/board"))
    assert answer["now"] == {**vars(ordinary().now), "beds_free": 9}
    assert answer["units"][2] == {
        "unit": "cardiology", "fr": "Cardiologie", "en": "Cardiology", "beds": 20, "census": 19, "free": 1,
        "free_ahead": {"240": [-1.0, 1.0, 3.0], "480": [-1.0, 1.0, 4.0], "1050": [1.0, 2.0, 6.0]},
    }  # fmt: skip
    assert (answer["feed"]["state"], answer["feed"]["age_min"]) == ("live", 0)
    assert answer["forecast"] == {"state": "fresh", "issued_at": ISSUED_AT.isoformat(), "age_min": 4}


def counted(answer: Any) -> list[Any]:
    """Every count of people and of free beds that an answer tells."""
    wards = [unit[name] for unit in answer["units"] for name in ("census", "free")]
    ahead = [three for unit in answer["units"] for three in unit["free_ahead"].values()]
    return [value for value in [*answer["now"].values(), *wards, *ahead] if value is not None]


def test_what_the_wall_takes_away_is_not_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.shown["board"] = replace(off(), units=ordinary().units, now=ordinary().now)
    assert counted(json_of(world.get("/board"))) == []
    assert refused(world.get("/forecast")) == (
        503,
        f"the forecast of {ISSUED_AT.isoformat()} is withheld: the data are too old",
    )
    monkeypatch.setattr(api_board, "numbers_shown", lambda _: True)  # the mutant
    assert counted(json_of(world.get("/board")))


def test_a_forecast_that_is_too_old_is_refused_and_one_of_stale_data_too(world: World) -> None:
    for age, says in ((timedelta(minutes=59), None), (timedelta(minutes=61), "too old to be shown")):
        world.shown["board"] = replace(ordinary(), cycle=replace(ordinary().cycle, age=age))
        answer = world.get("/forecast")
        if says is None:
            assert answer.status_code == 200
        else:
            assert says in refused(answer)[1]
            assert answer.headers["Retry-After"] == "60"
    world.shown["board"] = stale_board()
    assert json_of(world.get("/board"))["feed"]["state"] == "stale"


def test_of_a_ward_whose_count_cannot_be_nothing_is_forecast(world: World) -> None:
    world.shown["board"] = replace(ordinary(), checks=(Check("unit:cardiology", "over_beds"),))
    answer = json_of(world.get("/board"))
    assert answer["checks"] == [{"tile": "unit:cardiology", "code": "over_beds"}]
    assert [unit["unit"] for unit in answer["units"] if not unit["free_ahead"]] == ["cardiology"]


def test_the_forecast_tells_what_is_published_and_what_was_simulated(world: World) -> None:
    answer = json_of(world.get("/forecast"))
    census, wait = answer["measures"]["ed_census"], answer["measures"]["wait_min:3A"]
    assert list(answer["measures"]) == ["ed_census", "wait_min:3A"]
    assert (census["mean"], census["raw_mean"]) == ([44.0] * 3, [46.0] * 3)
    assert (census["quantiles"]["0.9"], census["raw_quantiles"]["0.9"]) == ([48.0] * 3, [50.0] * 3)
    assert (wait["unit"], wait["mean"], wait["raw_quantiles"]) == ("min", [None] * 3, None)
    assert answer["valid_at"] == [(ISSUED_AT + timedelta(hours=h)).isoformat() for h in range(3)]
    assert answer["parameters"] == {"run": {"members": 1000}}


def test_one_measure_is_what_the_whole_says_of_it(world: World) -> None:
    whole, one = json_of(world.get("/forecast")), json_of(world.get("/forecast/ed_census"))
    assert one == {**whole, "measures": {"ed_census": whole["measures"]["ed_census"]}}
    assert refused(world.get("/forecast/ed_censsu")) == (
        404,
        "the forecast has no measure ed_censsu, likely a typo for ed_census",
    )


def test_verification_has_the_figures_of_the_page_of_trust(world: World) -> None:
    answer, view = json_of(world.get("/verification")), ordinary_trust()
    assert view.judged is not None
    assert list(answer["measures"]) == [one.measure for one in view.judged.measures]
    for one in view.judged.measures:
        for at, said in zip(one.leads, answer["measures"][one.measure], strict=True):
            assert (said["lead_min"], said["n"]) == (at.lead_min, at.n)
            assert said["skill"] == {name: pytest.approx(value, abs=5e-5) for name, value in at.skill.items()}
            assert said["crps"] == pytest.approx(at.crps, abs=5e-5)
            assert said["share_now"] == view.shares.get(one.measure, {}).get(at.lead_min, 1.0)


def test_before_anything_is_judged_there_is_no_measure(world: World) -> None:
    world.shown["trust"] = nothing_yet()
    answer = json_of(world.get("/verification"))
    assert (answer["n_issues"], answer["measures"], answer["first_at"]) == (0, {}, None)


def test_alarms_are_told_without_who_took_them_on(world: World) -> None:
    view = ordinary_alerts()
    who = "Marie Curie"
    view = replace(view, alarms=tuple(replace(one, acknowledged_by=who, note="call Mr X") for one in view.alarms))
    world.shown["alerts"] = view
    answer = world.get("/alerts")
    assert len(json_of(answer)["alarms"]) == len(view.alarms) > 0
    assert [text for text in (who, "Mr X") if text in answer.text] == []
    assert "p_alert" in answer.text


@pytest.mark.parametrize("path", list(SCHEMAS))
def test_before_there_is_anything_the_house_says_when_to_ask_again(world: World, path: str) -> None:
    world.shown.clear()
    answer = world.get(path)
    status, why = refused(answer)
    assert (status, answer.headers["Retry-After"]) == (503, "60")
    assert why.endswith("yet: ask again in a minute")


@pytest.mark.parametrize("path", list(SCHEMAS))
def test_nothing_can_be_written(world: World, path: str) -> None:
    status, why = refused(world.post(path, {}))
    assert (status, why) == (405, "POST is not answered here, but GET")
