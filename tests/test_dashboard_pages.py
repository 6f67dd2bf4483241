"""The pages beside the wall as component trees: every state, empty, ordinary, overfull, in both languages."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from dash.development.base_component import Component

from dashboard.app import Pages, WallSettings, build_app
from dashboard.feed_words import TONES
from dashboard.pages.beside import BESIDE, Place, beside
from dashboard.panels import feeds, footer, header, quarantine
from dashboard.parts import MARKS
from dashboard.reason_words import MENDS, doubt_words, reason_words
from dashboard.states import ORDER
from dashboard.words import LANGUAGES, UNKNOWN, Reader
from forecast.board import FeedState
from forecast.pages import DoubtView, FeedsView, Published
from ingest.events import BY_KIND
from tests import feed_views as views
from tests.boards import MADE_AT, ordinary, overfull
from tests.component_trees import FRENCH, READER, classes, rows, texts, with_class
from tests.test_dashboard_app import SCREEN, refresh


def cards(component: Component) -> list[list[str]]:
    return [texts(card) for card in with_class(component, "card")]


# ---------------------------------------------------------------------------------------------------------------- feeds


def test_an_ordinary_source_says_how_it_does_and_that_nothing_is_to_be_done() -> None:
    panel = feeds.panel(views.feeds_in("live"), READER)
    [said] = cards(panel)
    assert said[:6] == [
        *("HL7 messages (MLLP)", MARKS["good"], "LIVE"),
        *("messages come: the last less than a minute ago", "Nothing to do.", "Is this silence normal?"),
    ]
    assert "88 messages in the last hour, usually 108 at this hour" in said
    assert texts(with_class(panel, "account")[0]) == [
        *("48,213", "read", "=", "44,120", "kept", "+", "61", "known already"),
        *("+", "3,990", "ignored by a rule", "+", "42", "rejected"),
    ]
    facts = [" ".join(texts(fact)) for fact in with_class(panel, "fact")]
    assert facts == [
        "Last message less than a minute ago (14:33)",
        "Connections 2",
        "Delay on the way 19 of 20 come within 14 s",
        "Clock of the source right, or at most 1 s behind",
        "Waiting to be read 0",
        "Silent units and kinds none",
    ]


@pytest.mark.parametrize(
    ("state", "name", "said", "to_do"),
    [
        ("quiet", "CALME", "aucun mouvement depuis 18 min, comme d'habitude à cette heure", "Rien à faire."),
        ("late", "EN RETARD", "muet depuis 12 min : plus que d'habitude à cette heure", "Attendre quelques minutes"),
        ("catching_up", "RATTRAPAGE", "1 840 messages restent à lire, fini dans 4 min environ", "Attendre :"),
        ("inconsistent", "INCOHÉRENT", "les messages arrivent, mais ce qu'ils disent se contredit", "Vérifier par"),
        ("stale", "PÉRIMÉ", "muet depuis 52 min : ce qui est affiché est le dernier état connu", "Compter par téléph"),
        ("off", "ARRÊT", "rien depuis 5 h 12 : plus rien de ce qui est connu n'est fiable", "Appliquer la procédure"),
    ],
)
def test_every_state_has_its_words_its_shape_and_what_to_do(state: FeedState, name: str, said: str, to_do: str) -> None:
    panel = feeds.panel(views.feeds_in(state), FRENCH)
    head = texts(with_class(panel, "source-head")[0])
    assert head[1:] == [MARKS[TONES[state]], name]
    assert texts(with_class(panel, "source-said")[0])[0].replace("\u202f", " ") == said
    assert texts(with_class(panel, "source-advice")[0])[0].startswith(to_do)
    assert state in classes(with_class(panel, "source")[0])


def test_every_state_has_words_of_its_own() -> None:
    for reader in (READER, FRENCH):
        names = [texts(with_class(feeds.panel(views.feeds_in(s), reader), "source-head")[0])[2] for s in ORDER]
        assert len(set(names)) == len(ORDER)


def test_a_late_delivery_is_told_from_a_silence() -> None:
    late = views.view(views.source(state="late", age=timedelta(0), lag=timedelta(minutes=21), is_lagging=True))
    assert "messages come late: 21 min on the way" in texts(feeds.panel(late, READER))
    again = views.view(views.source(state="stale", age=timedelta(0)))
    assert "messages come again: the last less than a minute ago" in texts(feeds.panel(again, READER))


def test_a_fault_is_read_out_to_who_can_mend_it() -> None:
    stopped = views.view(views.source(state="stale", age=timedelta(hours=1), fault="records 4 to 9 are missing"))
    assert "Call the IT service on duty and read them this: records 4 to 9 are missing" in texts(
        feeds.panel(stopped, READER)
    )


def test_silent_units_and_kinds_are_named_in_the_words_of_the_ward() -> None:
    panel = feeds.panel(views.feeds_in("late"), FRENCH)
    assert "Gériatrie aiguë (9 h 00), résultats d'examens (2 h 00)" in texts(panel)
    many = texts(feeds.panel(views.overfull_feeds(), READER))
    assert any(text.endswith(", …") and text.count("General medicine") == feeds.SILENT_SHOWN for text in many)


def test_nothing_known_is_a_dash_or_a_reason_and_never_a_zero() -> None:
    said = texts(feeds.panel(views.empty_feeds(), READER))
    assert "nothing was ever heard of it" in said
    assert "0 messages in the last hour; what is usual is not yet learned" in said
    assert "never yet" in said
    assert said.count("too few messages to tell") == 2
    assert with_class(feeds.panel(views.empty_feeds(), READER), "usual-line") == []
    assert texts(feeds.panel(views.view(), READER)) == [UNKNOWN, "no source is set up"]


def test_the_bars_are_what_came_and_the_line_is_what_is_usual() -> None:
    panel = feeds.panel(views.feeds_in("stale"), READER)
    heights = [bar.style["height"] for bar in with_class(panel, "came")]
    assert len(heights) == len(with_class(panel, "usual-line")) == 24
    assert (heights[-1], max(float(height[:-1]) for height in heights)) == ("0.0%", 100.0)
    assert len(with_class(panel, "unfinished")) == 1
    assert [texts(tick)[0] for tick in with_class(panel, "tick")] == ["18:00", "00:00", "06:00", "12:00"]


def test_the_worst_stands_first_and_files_have_their_account() -> None:
    panel = feeds.panel(views.ordinary_feeds(), READER)
    assert [said[0] for said in cards(panel)] == [
        "Kafka topic ed.labs",
        "HL7 messages (MLLP)",
        "What came by files and by sources that do not run now?",
    ]
    assert rows(panel)[1] == "adt-2025.csv | 181,400 | 181,002 | 0 | 0 | 398"


def test_every_kind_of_event_has_words_in_both_languages() -> None:
    from dashboard.feed_words import kind_name

    for kind in BY_KIND:
        assert kind_name(kind, READER) != kind
    assert kind_name("Unheard", READER) == "Unheard"


# ----------------------------------------------------------------------------------------------------------- quarantine


def test_the_quarantine_says_why_how_many_when_where_and_how_to_mend_it() -> None:
    said = cards(quarantine.panel(views.ordinary_quarantine(), READER, 1))
    assert said[0][:2] == [MARKS["warn"], "42 messages could not be read and wait here"]
    assert said[1] == [
        *("31", "It names a place that we do not know yet."),
        "mllp: first 21 Nov 2026, 12:34, last 24 Nov 2026, 14:25",
        "Add the word to the mapping of mllp, then read the messages again:",
        "edtwin retry-rejected --reason unknown_class",
        "Rule unknown_class; for example mllp@17000, mllp@17037, mllp@17074",
    ]
    assert not any("retry-rejected" in text for text in said[3])  # what is damaged no mapping mends


def test_rows_of_a_file_are_read_again_with_their_file() -> None:
    row = replace(views.reason("unknown_value", 6, name="adt"), places=("adt.csv:row 12",))
    said = texts(quarantine.panel(views.quarantine(row), FRENCH, 1))
    assert "edtwin ingest, avec le même fichier" in said


def test_an_empty_quarantine_says_so() -> None:
    assert texts(quarantine.panel(views.quarantine(), READER, 1)) == [
        UNKNOWN,
        "Nothing waits: every message could be read.",
    ]


def test_many_reasons_are_turned_page_by_page() -> None:
    many = views.overfull_quarantine()
    pages = [quarantine.panel(many, READER, n) for n in (1, 2, 3, 99)]
    assert [len(with_class(page, "reason")) for page in pages] == [8, 8, 8, 8]
    assert [texts(with_class(page, "turning")[0]) for page in pages] == [
        ["next", "page 1 of 3"], ["previous", "next", "page 2 of 3"], *[["previous", "page 3 of 3"]] * 2,
    ]  # fmt: skip
    counts = [texts(card)[0] for page in pages[:3] for card in with_class(page, "reason")]
    assert len(set(counts)) == 24
    assert with_class(quarantine.panel(views.ordinary_quarantine(), READER, 1), "turning") == []


def test_what_was_doubtful_is_told_on_the_last_page_and_with_nothing_waiting() -> None:
    """A message that bears the number of another one is kept, and must not be kept in silence."""
    doubts = (DoubtView("mllp", "control_id_reused", 3), DoubtView("mllp", "unmapped_unit", 1))
    said = cards(quarantine.panel(replace(views.quarantine(), doubts=doubts), READER, 1))
    assert said[1][:3] == [
        "What was taken although something of it is doubtful?",
        "3",
        "They bear the number of another message that says something else; both were kept. "
        "Ask the sender which is right.",
    ]
    assert said[1][-1] == "mllp, rule unmapped_unit"
    many = replace(views.overfull_quarantine(), doubts=doubts)
    assert [len(with_class(quarantine.panel(many, READER, n), "doubts")) for n in (1, 2, 3)] == [0, 0, 1]
    assert with_class(quarantine.panel(views.ordinary_quarantine(), READER, 1), "doubts") == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_doubt_has_words(language: str) -> None:
    reader = Reader(language, "Europe/Paris")  # type: ignore[arg-type]
    codes = ("control_id_reused", "unmapped_unit", "unmapped_mode", "day_only", "odd_time", "triggers_differ")
    unknown = doubt_words("never heard of", reader)
    assert len({doubt_words(code, reader) for code in codes} | {unknown}) == len(codes) + 1


def test_what_became_of_our_own_forecasts_stands_with_the_feeds() -> None:
    well = Published("edtwin.forecasts", published=144, overtaken=1, last_at=MADE_AT)
    said = cards(feeds.panel(replace(views.ordinary_feeds(), published=well), READER))[2]
    assert said[:5] == ["Do our forecasts go out (topic edtwin.forecasts)?", "published", "144", "not taken", "0"]
    assert said[-1] == "24 Nov 2026, 14:34"
    broken = replace(well, failed=2, last_error="ConnectionRefused")
    said = cards(feeds.panel(replace(views.ordinary_feeds(), published=broken), READER))[2]
    assert said[1:3] == [MARKS["warn"], "The last one was not taken (ConnectionRefused); the next one is tried."]
    assert not with_class(feeds.panel(views.ordinary_feeds(), READER), "published")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reason_has_words_and_an_unknown_one_is_damage(language: str) -> None:
    reader = Reader(language, "Europe/Paris")  # type: ignore[arg-type]
    damaged = reason_words("two_messages", reader)
    assert [code for code in MENDS if reason_words(code, reader) == damaged] == []


# ------------------------------------------------------------------------------------------------------ the whole pages


@pytest.mark.parametrize("make", [*views.FEEDS.values(), *views.QUARANTINES.values()])
@pytest.mark.parametrize("reader", [READER, FRENCH])
def test_no_page_says_nothing_or_none(make: Any, reader: Reader) -> None:
    view = make()
    said = texts(beside(view, reader, Place("feeds" if isinstance(view, FeedsView) else "quarantine")))
    assert len(said) > 7
    assert not any("None" in text or "nan" in text.lower().split() for text in said)


def test_a_page_leads_to_the_wall_and_to_every_other_page() -> None:
    page = beside(views.ordinary_feeds(), READER, Place("feeds"))
    ways = [(texts(way)[0], way.href) for way in with_class(page, "way")]
    own = [("Wall", "/wall?lang=en"), ("Telephone", "/phone?lang=en"), ("Alerts", "/alerts?lang=en")]
    assert ways[:5] == [*own, ("Floor", "/floor?lang=en"), ("Known", "/known?lang=en")]
    others = [f"/{name}?lang=en" for name, one in BESIDE.items() if name != "feeds" and not one.of_exercises]
    plain = ["/wall?lang=en", "/phone?lang=en", "/known?lang=en", "/report?lang=en"]
    assert sorted(href for _, href in ways) == sorted([*plain, *others])


def test_in_an_exercise_a_page_leads_to_its_pages_first() -> None:
    page = beside(replace(views.ordinary_feeds(), mode="exercise"), READER, Place("feeds"))
    ways = [way.href for way in with_class(page, "way")]
    assert {"/instructor?lang=en", "/debrief?lang=en"} <= set(ways)
    assert len(ways) == len(BESIDE) + 3, "the wall, the telephone's page, what is known, every other page, the report"


def test_the_wall_leads_to_both_pages() -> None:
    assert [link.href for link in with_class(header.panel(ordinary(), READER), "quiet-link")] == ["/feeds?lang=en"]
    assert [link.href for link in with_class(footer.panel(overfull(), READER), "quiet-link")] == ["/quarantine?lang=en"]


@pytest.mark.parametrize("path", ["", "milestones"])  # with one, the last words are its name
def test_the_walls_last_line_does_not_end_with_a_comma_before_a_path_is_chosen(path: str) -> None:
    board = ordinary()
    said = texts(footer.panel(replace(board, cycle=replace(board.cycle, path=path)), READER))[-1]
    assert said.endswith("path by milestones") == bool(path)
    assert not said.rstrip().endswith(",")


def test_before_the_first_view_a_page_says_so() -> None:
    assert "waking up" in texts(beside(None, READER, Place("feeds")))[1]


# ----------------------------------------------------------------------------------------------------- by the callback


def client(pages: Pages) -> Any:
    return build_app(ordinary, WallSettings(), pages=pages).server.test_client()


def test_a_page_is_filled_in_place_of_the_wall_and_only_when_it_changes() -> None:
    view = views.ordinary_feeds()
    here = client({"feeds": lambda: view})
    screen = {**SCREEN, "path": "/feeds", "number": 1}
    first = refresh(here, screen)
    assert (first["wall"]["className"], first["page"]["className"]) == ("elsewhere", "page")
    assert refresh(here, screen, first["version"]["data"]) == {"beat": {"children": "3"}}
    assert "page" in refresh(here, {**screen, "path": "/quarantine"}, first["version"]["data"])


@pytest.mark.parametrize(("path", "number"), [(7, 1), (None, 1), ("/feeds", 0), ("/feeds", "2"), ("/feeds", True)])
def test_a_place_that_is_nonsense_is_refused(path: Any, number: Any) -> None:
    assert refresh(client({}), {**SCREEN, "path": path, "number": number}) == 400


def test_another_path_is_the_wall() -> None:
    assert "slot-now" in refresh(client({}), {**SCREEN, "path": "/elsewhere"})
