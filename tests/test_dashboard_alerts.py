"""The strip of alarms on the wall, the page of the alerts, and the window in which they are answered."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from werkzeug.exceptions import BadRequest

from dashboard.alert_desk import SNOOZES_MIN, answered
from dashboard.alert_words import rival_name
from dashboard.app import WallSettings, build_app
from dashboard.panels import alarms, alerts
from dashboard.panels.alerts import setting_words
from dashboard.words import Reader
from forecast.analytic import RIVAL
from forecast.baselines import BASELINES
from forecast.boosted import RIVAL as BOOSTED
from forecast.pages import AlertSetting, Measured
from tests.alert_views import CROWDED, SETTING, alarmed, alarmed_more, held_alerts, no_alerts, ordinary_alerts
from tests.alert_worlds import MIN, NOON, department
from tests.boards import MADE_AT, ordinary
from tests.component_trees import FRENCH, READER, classes, texts, with_class

# --- the strip


def role(strip: Any) -> str:
    return str(strip.role)


def test_a_wall_without_alarms_has_no_strip() -> None:
    assert texts(alarms.panel(ordinary(), READER)) == []


def test_an_alarm_says_what_when_and_that_nobody_has_it() -> None:
    strip = alarms.panel(alarmed(), READER)
    assert texts(strip) == [
        "■", "ALERT · Crowded department", "around 16:44, in 2 h 10",
        "6 in 10 to exceed 60 present before 21:30 · not acknowledged",
    ]  # fmt: skip
    assert (role(strip), with_class(strip, "alarms-strip")[0].href) == ("alert", "/alerts?lang=en")


def test_more_alarms_than_there_is_room_for_are_counted_and_who_has_one_is_said() -> None:
    said = texts(alarms.panel(alarmed_more(), FRENCH))
    assert said[-1] == "et 1 de plus"
    assert "Dès maintenant plus de 11 patients en attente d'un lit · Dr Lemaire, cadre de garde s'en charge" in said
    owned = [replace(a, acknowledged_at=MADE_AT, acknowledged_by="x") for a in alarmed_more().alarms]
    assert role(alarms.panel(replace(ordinary(), alarms=tuple(owned)), FRENCH)) == "status"


@pytest.mark.parametrize(("ahead", "said"), [(0, "from now on"), (20, "around 14:54, in 20 min")])
def test_the_lead_time_counts_down(ahead: int, said: str) -> None:
    first = (MADE_AT, MADE_AT + ahead * MIN, MADE_AT + 300 * MIN)
    assert said in texts(alarms.panel(replace(ordinary(), alarms=(replace(CROWDED, first=first),)), READER))


# --- the page


def test_the_page_shows_the_alarms_before_all_else_with_their_buttons() -> None:
    page = alerts.panel(ordinary_alerts(), READER)
    assert [c for c in classes(page) if c in ("alarm-card", "alerts-rules", "alerts-log")] == [
        "alarm-card", "alarm-card", "alarm-card", "alerts-rules", "alerts-log",
    ]  # fmt: skip
    acts = [(b.to_plotly_json()["props"]["data-act"], texts(b)[0]) for b in with_class(page, "act")]
    snoozes = [("snooze", f"Snooze {text}") for text in ("30 min", "1 h 00", "2 h 00", "4 h 00")]
    assert acts == [("acknowledge", "I take it on"), *snoozes, *snoozes], "a watch, and one that is taken, ask for less"


def test_the_page_says_how_good_a_rule_is_beside_its_rivals() -> None:
    said = texts(alerts.panel(ordinary_alerts(), READER))
    assert "At this setting, in 56 days: 0.9 false alarms a week, 1 h 02 notice, 8 of 10 events." in said
    table = [texts(row) for row in _rows(alerts.panel(ordinary_alerts(), READER))]
    assert table[0][:3] == ["edtwin", "80 %", "55 to 95"]
    assert ["as usual", "—", "—", "—"] in table


def test_a_setting_without_a_hit_has_no_notice_to_tell() -> None:
    own = Measured("edtwin", 0.4, 0, 11, (0.0, 0.0, 0.0), (0.4, 0.0, 1.0), None)
    said = setting_words(AlertSetting(MADE_AT, 35.0, 1.0, own), READER)
    assert said == "At this setting, in 35 days: 0.4 false alarms a week, 0 of 11 events."


@pytest.mark.parametrize("reader", [READER, FRENCH])
def test_every_rival_has_a_name_that_is_not_its_own_in_the_code(reader: Reader) -> None:
    names = (*BASELINES, RIVAL, BOOSTED)
    assert len({rival_name(name, reader) for name in names} - set(names)) == len(names)
    assert rival_name("of_tomorrow", reader) == "of_tomorrow", "one that nobody named is seen"


def _rows(page: Any) -> list[Any]:
    [table] = with_class(page, "alerts-table")
    return list(table.children[1].children)


def test_no_chance_that_keeps_to_the_budget_is_said() -> None:
    none = replace(SETTING, own=replace(SETTING.own, p_alert=None))
    assert alerts.setting_words(none, READER) == "In 56 days no chance keeps to 1 false alarms a week."


def test_messages_given_up_are_counted_and_a_replay_tells_nobody() -> None:
    assert {"1 waiting", "2 given up", "the webhook answered 503"} <= set(
        texts(alerts.panel(ordinary_alerts(), READER))
    )
    said = texts(alerts.panel(no_alerts(), READER))
    assert "This is a replay: nobody is told." in said
    assert "Nothing is likely to go over what it must not. Judged at 14:30." in said


def test_a_page_of_data_that_are_too_old_says_that_nothing_is_raised() -> None:
    assert any("too old" in text for text in texts(alerts.panel(held_alerts(), READER)))
    assert not any("too old" in text for text in texts(alerts.panel(ordinary_alerts(), READER)))


# --- the window

ASK = {"alarm": f"crowded-{NOON:%Y%m%dT%H%M%SZ}", "act": "acknowledge", "minutes": None, "language": "en"}


def test_an_answer_is_written_and_said() -> None:
    with department() as d:
        d.after(0, 0.5)
        assert answered(d.alerts, ASK, " ", None, READER).startswith("✗ Say who you are")
        assert (
            answered(d.alerts, {**ASK, "act": "snooze", "minutes": 30}, "Dr", "", READER) == "✓ Snoozed for 30\xa0min."
        )
        assert answered(d.alerts, ASK, "Dr", "note", READER) == "✓ Acknowledged. Nobody else is told."
        d.after(90, 0.0)
        assert answered(d.alerts, ASK, "Dr", "", READER) == "✗ This alarm is over already."
        assert [line.split()[1] for line in d.log] == ["raised", "snoozed", "acknowledged", "cleared"]


@pytest.mark.parametrize(
    "asked",
    [{"alarm": 3}, {"act": "clear"}, {"act": "snooze", "minutes": 31}, {"alarm": "x" * 99}, {"act": "snooze"}],
)
def test_nonsense_is_refused_and_writes_nothing(asked: dict[str, Any]) -> None:
    with department() as d:
        d.after(0, 0.5)
        with pytest.raises(BadRequest):
            answered(d.alerts, {**ASK, **asked}, "Dr", "", READER)
        with pytest.raises(BadRequest):
            answered(d.alerts, ASK, ["Dr"], "", READER)
        assert len(d.log) == 1


def test_the_snoozes_that_are_offered_are_those_that_are_taken() -> None:
    assert alerts.SNOOZES_MIN == SNOOZES_MIN


def test_the_callback_of_the_window_acts() -> None:
    with department() as d:
        d.after(0, 0.5)
        client = build_app(ordinary, WallSettings(), alerts=d.alerts).server.test_client()
        body = {
            "output": "desk-said.children", "outputs": {"id": "desk-said", "property": "children"},
            "inputs": [{"id": "desk-do", "property": "n_clicks", "value": 1}], "changedPropIds": ["desk-do.n_clicks"],
            "state": [{"id": "desk-what", "property": "data", "value": ASK},
                      {"id": "desk-who", "property": "value", "value": "Dr"},
                      {"id": "desk-note", "property": "value"}],
        }  # fmt: skip
        answer = client.post("/_dash-update-component", json=body)
        assert answer.get_json()["response"]["desk-said"]["children"].startswith("✓")
        assert d.alerts.alarms[0].acknowledged_by == "Dr"
        body["state"][0]["value"] = {**ASK, "language": "xx"}  # type: ignore[index]
        assert client.post("/_dash-update-component", json=body).status_code == 400


def test_a_house_that_watches_nothing_says_so() -> None:
    client = build_app(ordinary, WallSettings()).server.test_client()
    body = {
        "output": "desk-said.children", "outputs": {"id": "desk-said", "property": "children"},
        "inputs": [{"id": "desk-do", "property": "n_clicks", "value": 1}], "changedPropIds": ["desk-do.n_clicks"],
        "state": [{"id": "desk-what", "property": "data", "value": ASK}, {"id": "desk-who", "property": "value"},
                  {"id": "desk-note", "property": "value"}],
    }  # fmt: skip
    answer = client.post("/_dash-update-component", json=body)
    assert answer.get_json()["response"]["desk-said"]["children"] == "✗ Nothing is watched here."


def test_names_are_said_in_the_readers_language() -> None:
    assert "ALERTE · Urgences pleines" in texts(alarms.panel(alarmed(), Reader("fr", "Europe/Paris")))
