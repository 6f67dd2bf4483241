"""The desk: who may do what, what is kept of it, what is shown of whom, and what the forecast carries."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from forecast.archive import SCHEMA_SQL
from forecast.compare_view import ChoiceView, CompareView, EffectView
from forecast.desk import LONGEST_WORDS, MOST_OPEN, Desk
from forecast.desk_page import DeskPage
from forecast.errors import DeskError
from forecast.people import ANYBODY, Person, people_of
from forecast.proposals import Note, fold
from ingest.clock import SimulatedClock
from ingest.database import SCHEMA_SQL as INGEST_SQL
from ingest.database import Database
from ingest.errors import ConfigurationError
from twin.errors import ScenarioError
from twin.hospital import load_hospital
from twin.pathway import TABLES, load_path
from twin.scenarios import Names, Scenario
from twin.supply_file import load_supplies

NOW = datetime(2026, 3, 2, 14, tzinfo=UTC)
HOSPITAL = load_hospital()
NAMES = Names.of([HOSPITAL], [load_path(table, HOSPITAL) for table in TABLES])
ANNA, BEN = (Person(n, n.title(), n.title(), frozenset({"proposer"})) for n in ("anna", "ben"))
MARY = Person("mary", "Mary", "Mary", frozenset({"proposer", "manager"}))
NURSES = {"capacity": [{"pool": "nurse", "add": 2, "until_min": 480}]}


class House:
    """A desk on a file, whose house can be started again."""

    def __init__(self, file: Path) -> None:
        self.file, self.clock = file, SimulatedClock(NOW)
        self.start()

    def start(self) -> None:
        self.database = Database.open(self.file, schemas=(INGEST_SQL, SCHEMA_SQL))
        self.desk = Desk(self.database, self.clock, NAMES, horizon_min=1440.0, zone=HOSPITAL.zone)

    def again(self) -> Desk:
        self.database.close()
        self.start()
        return self.desk

    def passes(self, by: timedelta) -> None:
        self.clock.advance_to(self.clock.now() + by)


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path / "desk.duckdb")


def proposed(house: House, who: Person = ANNA, words: str = "Two more nurses tonight", **more: object) -> str:
    return house.desk.propose(who, words, NURSES, HOSPITAL, **more)  # type: ignore[arg-type]


def test_a_proposal_goes_its_way_and_nothing_is_lost_when_the_house_starts_again(house: House) -> None:
    name = proposed(house)
    house.desk.support(BEN, name)
    house.desk.comment(BEN, name, "  and a\n porter ")
    varied = house.desk.propose(BEN, "Three", {"capacity": [{"pool": "nurse", "add": 3}]}, HOSPITAL, varies=name)
    house.passes(timedelta(hours=1))
    house.desk.decide(MARY, name, "adopted", "worth trying", HOSPITAL, until=NOW + timedelta(hours=9))
    before = house.desk.proposals
    assert house.again().proposals == before
    one = before[name]
    assert (one.state, one.author, set(one.supporters)) == ("adopted", "anna", {"ben"})
    assert [comment.words for comment in one.comments] == ["and a porter"]
    assert one.decision is not None
    assert (one.decision.who, one.decision.reason) == ("mary", "worth trying")
    assert before[varied].varies == name
    assert len(house.desk.exported()) == 5


def test_names_are_not_shown_before_it_is_decided_unless_the_author_signs(house: House) -> None:
    name, signed = proposed(house), proposed(house, signed=True)
    assert not house.desk.proposals[name].shows_names
    assert house.desk.proposals[signed].signed
    house.desk.decide(MARY, name, "declined", "no room", HOSPITAL)
    assert house.desk.proposals[name].shows_names


REFUSED: dict[str, tuple[Callable[[Desk, str], object], str]] = {
    "who may not": (lambda d, n: d.decide(ANNA, n, "adopted", "x", HOSPITAL), "takes the role manager, which Anna"),
    "no reason": (lambda d, n: d.decide(MARY, n, "declined", "  ", HOSPITAL), "say why"),
    "no words": (lambda d, _: d.propose(ANNA, " ", NURSES, HOSPITAL), "say in words"),
    "too many words": (lambda d, _: d.propose(ANNA, "x" * 301, NURSES, HOSPITAL), f"at most {LONGEST_WORDS}"),
    "no lever": (lambda d, _: d.propose(ANNA, "x", {}, HOSPITAL), "choose at least one lever"),
    "one's own support": (lambda d, n: d.support(ANNA, n), "supports it already"),
    "another's withdrawal": (lambda d, n: d.withdraw(BEN, n), "only its author"),
    "no such proposal": (lambda d, _: d.comment(BEN, "proposal-9", "x"), "no proposal proposal-9"),
    "nothing to vary": (lambda d, _: d.propose(BEN, "x", NURSES, HOSPITAL, varies="proposal-9"), "to vary"),
    "adapted by nothing": (lambda d, n: d.decide(MARY, n, "adapted", "x", HOSPITAL), "by another change"),
    "an end gone by": (lambda d, n: d.decide(MARY, n, "adopted", "x", HOSPITAL, until=NOW), "in the future"),
    "nothing carried": (lambda d, n: d.end(MARY, n), "carries nothing"),
}


@pytest.mark.parametrize("case", list(REFUSED))
def test_what_may_not_be_done_is_said_and_nothing_is_kept(house: House, case: str) -> None:
    name, (act, says) = proposed(house), REFUSED[case]
    with pytest.raises(DeskError, match=says):
        act(house.desk, name)
    assert len(house.desk.exported()) == 1
    assert len(house.again().exported()) == 1


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"capacity": [{"pool": "nurze", "add": 1}]}, "unknown pool nurze, likely a typo for nurse"),
        ({"capacity": [{"pool": "nurse", "add": 1, "from_min": -5}]}, "0 or more, but is -5"),
        ({"arrivals": [{"factor": 9}]}, "3 or less|3.0 or less"),
        ({"capacity": [{"pool": "profession:doctor", "factor": 0}]}, "leaves no doctor at all"),
        ({"nonsense": 1}, "unknown key"),
    ],
)
def test_a_change_that_cannot_be_run_is_refused_and_nothing_is_kept(house: House, change: dict, says: str) -> None:  # type: ignore[type-arg]
    with pytest.raises(ScenarioError, match=says):
        house.desk.propose(ANNA, "x", change, HOSPITAL)
    assert house.desk.exported() == []


def test_two_changes_that_together_leave_no_nurse_are_refused(house: House) -> None:
    half = {"capacity": [{"pool": "profession:nurse", "add": -3}]}
    first = house.desk.propose(ANNA, "fewer", half, HOSPITAL)
    house.desk.decide(MARY, first, "adopted", "try", HOSPITAL)
    with pytest.raises(ScenarioError, match="leaves no nurse at all"):
        house.desk.propose(BEN, "fewer still", half, HOSPITAL)


def test_no_more_stand_open_than_can_be_run(house: House) -> None:
    for _ in range(MOST_OPEN):
        proposed(house)
    with pytest.raises(DeskError, match="decide or withdraw one first"):
        proposed(house)
    house.desk.withdraw(ANNA, "proposal-3")
    assert proposed(house) == f"proposal-{MOST_OPEN + 1}"


def test_what_is_decided_or_withdrawn_is_over(house: House) -> None:
    name, other = proposed(house), proposed(house)
    house.desk.withdraw(ANNA, name)
    house.desk.decide(MARY, other, "declined", "no", HOSPITAL)
    for one, state in ((name, "withdrawn"), (other, "declined")):
        with pytest.raises(DeskError, match=f"{one} is {state} already"):
            house.desk.decide(MARY, one, "adopted", "yes", HOSPITAL)
        with pytest.raises(DeskError, match="already"):
            house.desk.support(BEN, one)
    house.desk.comment(BEN, other, "a pity")


def test_the_forecast_carries_the_rest_of_what_was_adopted_until_it_ends(house: House) -> None:
    change = {"capacity": [{"pool": "nurse", "add": 2, "from_clock": "18:00", "until_clock": "23:00"}]}
    name = house.desk.propose(ANNA, "evening", change, HOSPITAL)
    assert house.desk.carried(NOW) == []
    house.desk.decide(MARY, name, "adopted", "yes", HOSPITAL)
    windows = []
    for hours in (0, 2, 4, 8, 9):
        found = house.desk.carried(NOW + timedelta(hours=hours))
        windows.append([(c.from_min, c.until_min) for one in found for c in one.change.capacity])
    assert windows == [[(180.0, 480.0)], [(60.0, 360.0)], [(0.0, 240.0)], [], []]
    house.desk.end(MARY, name)
    assert house.desk.carried(NOW + timedelta(hours=2)) == []


def test_adapted_it_carries_the_other_change(house: House) -> None:
    name = proposed(house)
    other = {"capacity": [{"pool": "nurse", "add": 1, "until_min": 240}]}
    house.desk.decide(MARY, name, "adapted", "one will do", HOSPITAL, change=other)
    [carried] = house.desk.carried(NOW)
    assert carried.changes == other
    assert house.desk.proposals[name].scenario.changes == other


def test_words_with_braces_stay_words(house: House) -> None:
    name = proposed(house, words="More {nurses} & <b>beds</b>")
    assert house.desk.proposals[name].scenario.sentence("fr") == "More {nurses} & <b>beds</b>"


def test_a_fold_that_forgets_who_withdrew_support_is_seen() -> None:
    """The mutant counts everybody who ever supported."""
    told = {"change": NURSES, "signed": False, "varies": None}
    notes = [
        Note(NOW, "p", "proposed", "anna", "x", told),
        Note(NOW, "p", "supported", "ben"),
        Note(NOW, "p", "unsupported", "ben"),
        Note(NOW, "q", "supported", "ben"),
    ]
    assert fold(notes)["p"].supporters == frozenset()
    assert fold([n for n in notes if n.what != "unsupported"])["p"].supporters == {"ben"}
    assert list(fold(notes)) == ["p"]


def test_people_of_a_site_and_the_two_who_stand_in(tmp_path: Path) -> None:
    assert [p.name for p in people_of(None).everybody] == ["staff", "manager"]
    assert ANYBODY.named("staff") is not None
    assert not ANYBODY.named("staff").may("manager")  # type: ignore[union-attr]
    assert ANYBODY.named("") is None
    assert ANYBODY.named("Anna, night shift") == Person(
        "Anna, night shift", "Anna, night shift", "Anna, night shift", frozenset({"proposer"})
    )
    assert ANYBODY.named(" responsable ").may("manager")  # type: ignore[union-attr]
    file = tmp_path / "people.toml"
    file.write_text('[person.anna]\nfr = "Anna"\nen = "Anna"\nroles = ["proposer", "boss"]\n')
    with pytest.raises(ConfigurationError, match=r"person.anna.roles"):
        people_of(file)
    file.write_text('[person.anna]\nfr = "Anna"\nen = "Anna"\nroles = ["proposer"]\n')
    assert [p.name for p in people_of(file).everybody] == ["anna"]
    assert people_of(file).named("Ben") is None, "a site that names its people believes nobody else"


# --- the page ------------------------------------------------------------------------------------------------------


class Told:
    """In place of comparisons: what was asked of them, and an answer once it is there."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.answers = True

    def of(self, scenarios: Sequence[Scenario], query: str) -> CompareView:
        self.asked.append([one.name for one in scenarios])
        said = {"ed_peak": EffectView(50.0, -1.0, -2.0, -0.5, 0.7, 0.1)} if self.answers else {}
        choices = tuple(ChoiceView(one.name, "", "", True, effects=said) for one in scenarios)
        return CompareView(NOW, HOSPITAL.zone, "CHU", "live", (), "doctors", choices, as_of=NOW)


def page_of(house: House, told: Told) -> DeskPage:
    return DeskPage(house.desk, ANYBODY, told, HOSPITAL, load_supplies(), house.clock, "live")  # type: ignore[arg-type]


def test_the_page_shows_the_open_ones_first_and_no_name_before_a_decision(house: House) -> None:
    first, second = proposed(house), proposed(house, words="Open the day room")
    house.desk.comment(BEN, first, "yes")
    told = Told()
    view = page_of(house, told).view("")
    assert told.asked == [[first, second]]
    assert [(card.number, card.state) for card in view.proposals] == [(2, "open"), (1, "open")]
    assert all(card.author is None and card.choice and card.choice.effects for card in view.proposals)
    assert [comment.who for comment in view.proposals[1].comments] == [None]
    assert view.proposals[0].changes == (
        ("Infirmiers des box : +2, jusqu'à 23:00", "Nurses of the boxes: +2, until 23:00"),
    )
    house.desk.decide(MARY, first, "adopted", "yes", HOSPITAL)
    view = page_of(house, told).view("")
    assert [(card.number, card.state) for card in view.proposals] == [(2, "open"), (1, "adopted")]
    shown = view.proposals[1]
    assert shown.author is not None
    assert (shown.author.en, shown.comments[0].who.en) == ("anna", "ben")  # type: ignore[union-attr]
    assert shown.decision is not None
    assert shown.decision.carried


def test_a_signed_proposal_shows_its_author_and_a_new_comparison_hides_nothing_that_was_said(house: House) -> None:
    proposed(house, signed=True)
    told = Told()
    page = page_of(house, told)
    assert page.view("").proposals[0].author is not None
    told.answers = False
    assert page.view("").proposals[0].choice.effects  # type: ignore[union-attr]
    proposed(house)
    newest, older = page.view("").proposals
    assert not newest.choice.effects  # type: ignore[union-attr]
    assert older.choice.effects  # type: ignore[union-attr]


def test_the_page_is_another_as_soon_as_somebody_does_something(house: House) -> None:
    """The mutant knows whole minutes only: what was done is seen after the next one."""
    page = page_of(house, Told())
    name = proposed(house)
    before = page.view("").made_at
    house.passes(timedelta(seconds=5))
    house.desk.comment(BEN, name, "yes")
    assert page.view("").made_at == before + timedelta(seconds=5)
