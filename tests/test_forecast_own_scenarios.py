"""Scenarios that people save: kept, read again, told as a file; refused with a sentence."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from forecast.archive import SCHEMA_SQL
from forecast.errors import QuestionError
from forecast.own_scenarios import KnownScenarios, OwnScenarios, as_toml
from ingest.clock import SimulatedClock
from ingest.database import Database
from tests.histories import NOON
from twin.scenarios import Scenario, catalogue, composed, pick, scenarios_of

SHIPPED = catalogue()
BOTH = composed([SHIPPED["mass_casualty"], SHIPPED["earlier_discharges"], SHIPPED["fast_track"]])


@pytest.fixture
def database() -> Iterator[Database]:
    with Database.open(None, [SCHEMA_SQL], threads=1) as opened:
        yield opened


def own(database: Database) -> OwnScenarios:
    return OwnScenarios(database, SimulatedClock(NOON))


def test_what_is_saved_is_read_again(database: Database) -> None:
    saved = own(database).save("busy_night", "Nuit.", "Night {busy}.", BOTH, who="A. Nurse", taken=SHIPPED)
    [(name, found)] = own(database).all().items()
    assert name == "busy_night"
    assert found == saved
    assert found.changes == BOTH.changes
    assert (found.sentence("fr"), found.sentence("en")) == ("Nuit.", "Night {busy}.")
    assert found.with_values({}) == found


def test_one_language_is_enough(database: Database) -> None:
    saved = own(database).save("night", "", " Night. ", BOTH, taken=SHIPPED)
    assert (saved.sentence("fr"), saved.sentence("en")) == ("Night.", "Night.")


@pytest.mark.parametrize("scenario", [s for s in SHIPPED.values() if s.changes], ids=lambda s: s.name)
def test_as_text_it_is_a_catalogues_file(scenario: Scenario) -> None:
    told = as_toml(Scenario("mine", scenario.change.model_copy(update={"fr": 'Un "texte" é', "en": "b"})))
    assert reads_back(told, scenario)
    assert not reads_back(told, SHIPPED["as_usual"])


def reads_back(text: str, scenario: Scenario) -> bool:
    return scenarios_of(text, place="text")["mine"].changes == scenario.changes


@pytest.mark.parametrize(
    ("name", "fr", "en", "why"),
    [
        ("Nuit", "a", "b", "The name must be 2 to 40 small letters"),
        ("n", "a", "b", "The name must be"),
        ("as_usual", "a", "b", "There is a scenario as_usual already"),
        ("night", " ", "", "A sentence is needed"),
        ("night", "x" * 301, "", "300 characters at most"),
        ("night", "a\nb", "", "all of which can be read"),
    ],
)
def test_what_is_not_as_it_must_be_is_refused_and_not_kept(
    database: Database, name: str, fr: str, en: str, why: str
) -> None:
    with pytest.raises(QuestionError) as refused:
        own(database).save(name, fr, en, BOTH, taken=SHIPPED)
    assert why in refused.value.en
    assert refused.value.fr
    assert own(database).all() == {}


def test_nothing_is_nothing_to_keep(database: Database) -> None:
    with pytest.raises(QuestionError, match="nothing to keep"):
        own(database).save("night", "a", "", SHIPPED["as_usual"], taken=SHIPPED)


def test_a_name_is_given_once(database: Database) -> None:
    own(database).save("night", "a", "", BOTH, taken=SHIPPED)
    with pytest.raises(QuestionError, match="already"):
        own(database).save("night", "b", "", BOTH, taken=SHIPPED)  # whatever the page knows of
    assert own(database).all()["night"].sentence("fr") == "a"


def test_one_of_another_form_is_left_out_and_told(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    own(database).save("night", "a", "", BOTH, taken=SHIPPED)
    with database.transaction() as cursor:
        cursor.execute("UPDATE own_scenario SET told = ?", [json.dumps({"fr": "a", "dragons": 1})])
    assert own(database).all() == {}
    assert "the saved scenario night is of another form" in caplog.text


def test_what_is_saved_later_is_known_too_and_takes_no_name_of_the_catalogue(database: Database) -> None:
    known = KnownScenarios(own(database), SHIPPED)
    assert ("busy_night" in known, len(known), list(known)) == (False, len(SHIPPED), list(SHIPPED))
    own(database).save("busy_night", "Nuit.", "Night.", BOTH, taken={})
    own(database).save("fast_track", "Autre.", "Another.", BOTH, taken={})
    assert list(known) == [*SHIPPED, "busy_night"]
    assert known["fast_track"] == SHIPPED["fast_track"]
    [both] = pick(known, ["busy_night+ten_beds_closed"])
    assert both.changes == composed([BOTH, SHIPPED["ten_beds_closed"]]).changes
