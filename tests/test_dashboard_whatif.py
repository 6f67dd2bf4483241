"""The page of what-if: what it sends is checked, what it shows is true of the answer, what is kept or sent is said."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

import numpy as np
import pytest
from dash import html
from werkzeug.exceptions import BadRequest

from dashboard import whatif_charts
from dashboard.panels import whatif as panel
from dashboard.whatif_asked import Asked, asked_of, named, offered
from dashboard.whatif_desk import _shown, kept
from dashboard.whatif_words import Effect, effects, sentence
from dashboard.words import Reader
from forecast.errors import QuestionError
from forecast.values import series
from forecast.whatif_ask import Asking
from forecast.whatif_levers import Question
from forecast.whatif_view import AnswerView, ComparedView, Curve, StandingView
from tests.component_trees import texts
from tests.histories import NOON
from tests.whatif_house import HOW, VIEW, asking_of
from twin.scenarios import Scenario, catalogue

FR, EN = Reader("fr", "Europe/Paris"), Reader("en", "Europe/Paris")
VIEWER = "0123456789abcdef"
DOCTOR = catalogue()["one_more_doctor"]
LEADS = np.arange(0.0, 1441.0, 15.0)
TOLD: dict[str, Any] = {
    "viewer": VIEWER, "preset": "extra_doctor", "numbers": {"number": 2}, "values": {"arrivals": 120}, "at": None,
    "measure": "ed_waiting", "n": 3, "language": "en", "rem_px": 20, "narrow": False,
}  # fmt: skip


def curve(values: Any) -> Curve:
    told = series(values)
    return Curve(told.mean, told.quantiles)


def compared(differences: list[float], usual: float = 20.0) -> ComparedView:
    """Members that differ from as usual by so much, at every lead after 0."""
    base = np.full((LEADS.size, len(differences)), usual)
    moved = np.where(LEADS[:, None] > 0, np.array(differences)[None], 0.0)
    return ComparedView(curve(base), curve(base + moved), curve(moved), (moved < 0).mean(axis=1),
                    (moved > 0).mean(axis=1), np.full(LEADS.size, 0.4))  # fmt: skip


def answer(differences: list[float], measure: str = "ed_waiting", members: int = 200) -> AnswerView:
    return AnswerView(
        DOCTOR.sentence("fr"), DOCTOR.sentence("en"), NOON, LEADS, {measure: compared(differences)}, members, 1000
    )


def said(component: Any) -> str:
    return " ".join(texts(component))


# --- what the page sends


def test_a_question_is_read_as_it_is_sent() -> None:
    asked = asked_of(TOLD, "Europe/Paris")
    assert asked.question == Question("extra_doctor", {"number": 2.0}, {"arrivals": 120.0})
    assert (asked.viewer, asked.measure, asked.number, asked.reader) == (VIEWER, "ed_waiting", 3, EN)
    assert asked.moment("Europe/Paris") is None
    assert asked_of({**TOLD, "theme": "light"}).word != asked.word, "charts are drawn anew in another theme"
    past = asked_of({**TOLD, "at": "2025-01-20T08:00"}).moment("Europe/Paris")
    assert past == datetime.fromisoformat("2025-01-20T07:00+00:00")


@pytest.mark.parametrize(
    "wrong",
    [
        {"viewer": "me"}, {"viewer": None}, {"preset": 7}, {"preset": "x" * 401}, {"at": "yesterday"}, {"at": 5},
        {"numbers": None}, {"values": {"doctor": "two"}}, {"values": {"doctor": True}},
        {"values": {"doctor": float("inf")}}, {"values": {f"v{i}": 1 for i in range(61)}}, {"measure": "secrets"},
        {"n": True}, {"n": "1"}, {"rem_px": 1e9}, {"rem_px": "20"}, {"narrow": 1}, {"language": "de"},
        {"theme": "blue"},
    ],
    ids=str,
)  # fmt: skip
def test_nonsense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadRequest):
        asked_of({**TOLD, **wrong})


@pytest.mark.parametrize("nothing", [None, [], "x", 3])
def test_what_is_no_question_is_refused(nothing: Any) -> None:
    for read in (asked_of, named):
        with pytest.raises(BadRequest):
            read(nothing)


def test_a_time_that_is_none_is_said() -> None:
    with pytest.raises(QuestionError, match="2025-13-45T99:99 is no moment"):
        asked_of({**TOLD, "at": "2025-13-45T99:99"}).moment("Europe/Paris")


# --- what is said


@pytest.mark.parametrize(
    ("differences", "en", "fr"),
    [
        ([-9.0] * 5 + [-6.0] * 4 + [0.0], r"\d to 9 fewer patients waiting at \d\d:00, fewer 9 times in 10\.",
         r"\d à 9 patients en attente de moins à \d+ h ; moins 9 fois sur 10\."),
        ([3.0] * 10, r"3 more patients waiting at .*, more almost always\.", r"3 patients en attente de plus à .*"),
        ([-4.0] * 5 + [3.0] * 5, r"On average 0\.5 fewer patients waiting at .*, fewer 5 times in 10\.",
         r"En moyenne 0,5 patients en attente de moins .* 5 fois sur 10\."),
        ([0.0] * 10, r"Nothing changes here\.", r"Rien ne change ici\."),
        ([-0.1] * 2 + [0.1] * 2, r"Hardly anything changes here: .*", r"Presque rien ne change ici.*"),
    ],
)  # fmt: skip
def test_the_sentence_says_how_many_when_and_how_often(differences: list[float], en: str, fr: str) -> None:
    told = answer(differences)
    for pattern, reader in ((en, EN), (fr, FR)):
        text = sentence(told, "ed_waiting", reader).replace("\N{NO-BREAK SPACE}", " ")
        assert re.fullmatch(pattern, text), text
    opposite = sentence(answer([-d for d in differences]), "ed_waiting", EN)
    assert opposite != sentence(told, "ed_waiting", EN) or not any(abs(d) > 0.5 for d in differences)


def test_a_measure_that_is_not_told_is_said() -> None:
    assert sentence(answer([1.0]), "ed_boarders", EN) == "The data do not tell this here."


def test_the_sentence_speaks_of_where_the_change_is_clearest() -> None:
    found = compared([-8.0] * 10)
    late = found.difference.mean.copy()
    late[LEADS < 700] = -0.1
    far = replace(found, difference=replace(found.difference, mean=late))
    told = AnswerView(DOCTOR.sentence("fr"), DOCTOR.sentence("en"), NOON, LEADS, {"ed_waiting": far}, 10, 10)
    assert "at 01:00" in sentence(told, "ed_waiting", EN)  # 12 h after 12 UTC
    assert "at 15:00" in sentence(answer([-8.0] * 10), "ed_waiting", EN)


def test_the_answer_says_how_sure_it_is() -> None:
    few = said(panel.told(StandingView("asked", answer([-3.0] * 9 + [1.0])), "ed_waiting", EN))
    assert "1 more emergency doctor, from now on." in few
    assert "200 of 1,000 runs, still tightening" in few
    assert "the mean is known to ±0.4" in few
    assert "1,000 of 1,000 runs, whole" in said(panel.told(StandingView("asked", answer([1.0], members=1000)), "m", EN))


@pytest.mark.parametrize(
    ("standing", "text"),
    [
        (StandingView("waking"), "the first forecast is being made"),
        (StandingView("rebuilding"), "being rebuilt from what was known then"),
        (StandingView("full"), "Too many people are asking"),
        (StandingView("asked"), "Being run"),
        (StandingView("failed", fault_fr="non", fault_en="no such"), "This cannot be answered: no such"),
    ],
)
def test_until_there_is_an_answer_it_says_why(standing: StandingView, text: str) -> None:
    assert text in said(panel.told(standing, "ed_census", EN))


def test_where_there_is_no_lever_no_number_is_shown() -> None:
    told = replace(answer([-3.0]), why_fr="rien", why_en="no such thing")
    whole = said(panel.told(StandingView("asked", told), "ed_waiting", EN))
    assert "not applicable: no such thing" in whole
    assert "fewer" not in whole
    assert "There is no answer yet." in said(panel.table(told, EN))


def test_the_table_tells_better_from_worse() -> None:
    fewer, more = ([d] * 10 for d in (-5.0, 5.0))
    shown = {
        (measure, name): panel.judged(effects(compared(d), LEADS, [240])[0], measure)[0]
        for measure in ("ed_waiting", "beds_free") for name, d in (("fewer", fewer), ("more", more))
    }  # fmt: skip
    assert shown == {
        ("ed_waiting", "fewer"): "good", ("ed_waiting", "more"): "bad", ("beds_free", "fewer"): "bad",
        ("beds_free", "more"): "good",
    }  # fmt: skip
    assert panel.judged(effects(compared([-2.0, 2.0]), LEADS, [240])[0], "ed_waiting") == ("unsure", "")
    table = said(panel.table(answer(fewer), EN))
    assert "−5 −5 to −5 100%" in table
    assert said(panel.table(answer(fewer), replace(EN, narrow=True))).count("+") < table.count("+ ") + 7


def test_effects_beyond_the_horizon_are_left_out() -> None:
    assert [e.lead_min for e in effects(compared([1.0]), LEADS, [60, 9999])] == [60]
    unknown = Effect(60, float("nan"), 0.0, 0.0, 0.0, 0.0)
    assert not unknown.is_known


# --- the charts


def test_charts_show_both_and_the_difference() -> None:
    told = answer([-5.0] * 10)
    both, apart = whatif_charts.both(told, "ed_waiting", EN), whatif_charts.difference(told, "ed_waiting", EN)
    assert both is not None
    assert apart is not None
    ends = [trace.y[-1] for trace in both.data if trace.fill is None]
    assert list(ends) == [20.0, 15.0]
    low, high = apart.layout.yaxis.range
    assert low < -5 < 0 < high
    assert whatif_charts.both(told, "ed_boarders", EN) is None


def test_a_change_that_changes_nothing_has_no_band_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    def bands(told: AnswerView) -> int:
        drawn = whatif_charts.both(told, "ed_waiting", EN)
        assert drawn is not None
        return sum(trace.fill is not None for trace in drawn.data)

    assert (bands(answer([0.0] * 10)), bands(answer([-5.0] * 10))) == (1, 2)
    monkeypatch.setattr(whatif_charts, "_alike", lambda *_: False)
    assert bands(answer([0.0] * 10)) == 2, "the mutant: one band on the other"


# --- with the engine


@pytest.fixture(scope="module")
def asking() -> Iterator[Asking]:
    with asking_of() as found:
        yield found


def asked(number: int = 1, **changes: Any) -> Asked:
    return asked_of({**TOLD, "measure": "ed_census", "n": number, **changes}, VIEW.zone)


def waited(asking: Asking, question: Asked) -> dict[str, Any]:
    """What is shown once every member has been asked."""
    import threading

    for _ in range(3000):
        out = _shown(asking, question, None)
        if out["state"]["whole"] or out["state"]["failed"]:
            return out
        threading.Event().wait(0.02)
    raise AssertionError("it never came")


def test_a_question_is_answered_and_then_only_beats(asking: Asking) -> None:
    first = waited(asking, asked())
    assert f"{HOW.members} of {HOW.members} runs, whole" in said(first["said"])
    assert len(first["chart"].data) == 4
    again = _shown(asking, asked(2), first["state"])
    assert again["state"] == {**first["state"], "n": 2}
    assert {name for name, value in again.items() if value is not again["said"]} == {"state"}
    other = _shown(asking, asked(3, language="fr"), first["state"])  # another language is another page
    assert "simulations" in said(other["said"])


def test_what_cannot_be_asked_is_said_and_nothing_is_run(asking: Asking) -> None:
    out = _shown(asking, asked(values={"dragons": 1}), None)
    assert said(out["said"]).endswith("This hospital has no slider dragons.")
    assert out["chart-place"] == "chart none"
    french = _shown(asking, asked(values={"dragons": 1}, language="fr"), None)
    assert said(french["said"]).endswith("Cet hôpital n'a pas de réglage dragons.")


def test_a_past_moment_is_made_and_answered(asking: Asking) -> None:
    out = waited(asking, asked(at="2025-01-26T13:00"))
    assert out["state"]["whole"]


def test_before_the_house_is_there_it_waits() -> None:
    assert "waking up" in said(_shown(None, asked(), None)["said"])
    assert offered(None, EN) is None


def test_what_can_be_asked_is_offered_in_the_readers_language(asking: Asking) -> None:
    found = {reader.language: offered(asking, reader) for reader in (FR, EN)}
    for language, told in found.items():
        assert told is not None
        assert told["language"] == language
        assert [group["kind"] for group in told["groups"]] == ["staff", "beds", "people", "discharges"]
        names = [preset["name"] for preset in told["presets"]]
        assert "as_usual" not in names
        assert {"extra_doctor", "epidemic_clusters"} <= set(names)
        assert (told["first"], told["last"]) == ("2025-01-26T13:00", "2025-01-26T13:00")
        [extra] = [preset for preset in told["presets"] if preset["name"] == "extra_doctor"]
        assert [number["name"] for number in extra["numbers"]] == ["number", "hours"]
    assert found["fr"]["groups"][0]["name"] == "Personnel et salles"  # type: ignore[index]


# --- kept, or sent to the desk


class _Desk:
    """Takes what is proposed."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, str, Scenario, datetime]] = []

    def propose(self, who: str, words: str, scenario: Scenario, as_of: datetime, varies: str | None = None) -> str:
        if not who:
            raise QuestionError("Qui êtes-vous ?", "Who are you?")
        self.taken.append((who, words, scenario, as_of))
        self.varies = varies
        return "proposal-1"


def test_what_is_saved_can_be_picked_by_its_name(asking: Asking) -> None:
    told = kept(asking, asked(), "busy_evening", "Soirée.", "", "A. Nurse", is_sent=False)
    text = said(html.Div(told))
    assert "edtwin forecast --scenario busy_evening" in text
    assert '[scenario.busy_evening] fr = "Soirée." en = "Soirée."' in text.replace("\n", " ")
    assert "busy_evening" in {scenario.name for scenario in asking.offer().presets}  # type: ignore[union-attr]
    picked = asked(preset="busy_evening", numbers={}, values={})
    assert asking.scenario(picked.question).changes == asking.scenario(asked().question).changes
    assert kept(asking, asked(), "busy_evening", "x", "", "", is_sent=False).startswith("\N{BALLOT X} There is a scen")


def test_the_desk_is_handed_the_scenario_where_there_is_one(asking: Asking) -> None:
    assert "There is no desk" in kept(asking, asked(), "", "a", "b", "me", is_sent=True)
    desk = _Desk()
    with asking_of(desk=desk) as with_desk:
        assert (
            kept(with_desk, asked(), "", "a", "b", "me", is_sent=True)
            == "\N{CHECK MARK} It stands on the desk as proposal 1."
        )
        assert kept(with_desk, asked(), "", "a", "b", "", is_sent=True) == "\N{BALLOT X} Who are you?"
        [(who, words, scenario, as_of)] = desk.taken
        assert (who, words, as_of) == ("me", "b", NOON)
        assert scenario == asking.scenario(asked().question)
        kept(with_desk, asked(), "", "un", "", "me", is_sent=True, varies="proposal-7")
        assert (desk.taken[-1][1], desk.varies) == ("un", "proposal-7"), "said in one language, it is taken in that"
