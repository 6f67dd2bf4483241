"""Words that lead to what they mean; settings and the house explained."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from dash.development.base_component import Component

from dashboard.about_view import as_it_stands
from dashboard.app import WallSettings, build_app
from dashboard.backup_view import Standing
from dashboard.pages.beside import ADDRESSES, BESIDE, GROUPS
from dashboard.pages.wall import BELOW, filling
from dashboard.panels import about as about_panel
from dashboard.panels import alerts, compare, feeds, learned, settings_page, trust_page
from dashboard.panels import terms as terms_panel
from dashboard.settings import Settings
from dashboard.settings_told import FRENCH, group_of, settings_view
from dashboard.settings_view import SettingRow
from dashboard.terms import grouped, in_words, label, terms
from dashboard.words import LANGUAGES, NBSP, Language, Reader
from tests.alert_views import ALERTS
from tests.boards import ordinary
from tests.compare_views import COMPARED
from tests.feed_views import FEEDS
from tests.learned_views import LEARNED
from tests.term_views import AT, HIDDEN, PLACE, SET, about, failing, settings, unsaved
from tests.trust_views import VIEWS as TRUSTS

FRENCH_READER, ENGLISH_READER = Reader("fr", "Europe/Paris"), Reader("en", "Europe/Paris")


def told(component: Any) -> str:
    """Everything a component holds, as text."""
    return json.dumps(component.to_plotly_json(), default=lambda one: one.to_plotly_json(), ensure_ascii=False)


def test_every_term_stands_on_the_page_under_its_own_name() -> None:
    for reader in (FRENCH_READER, ENGLISH_READER):
        page = told(terms_panel.panel(reader))
        assert all(f'"id": "{name}"' in page for name in terms().term)
        assert sum(map(len, grouped(reader).values())) == len(terms().term) >= 40


def test_a_label_leads_to_its_term_and_none_is_made_up() -> None:
    found = label("census", "Présents", FRENCH_READER)
    assert found.to_plotly_json()["props"]["href"] == "/words?lang=fr#census"
    with pytest.raises(KeyError, match="nobody"):
        label("nobody", "Personne", FRENCH_READER)


def test_terms_belong_to_a_group_that_there_is() -> None:
    assert {of.group for of in terms().term.values()} == set(terms().group)


def test_french_has_the_spaces_that_do_not_break() -> None:
    for name in terms().term:
        found = in_words(name, FRENCH_READER)
        for text in (found.meaning, found.how):
            assert not any(f" {sign}" in text for sign in ":;!?\N{RIGHT-POINTING DOUBLE ANGLE QUOTATION MARK}"), name
    assert f"présentes{NBSP}?" not in in_words("census", ENGLISH_READER).meaning


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_script_is_told_every_term(language: Language) -> None:
    client = build_app(ordinary, WallSettings()).server.test_client()
    answer = client.get(f"/words/{language}.json")
    assert set(answer.json["terms"]) == set(terms().term)
    assert answer.json["terms"]["census"] == vars(in_words("census", Reader(language, "UTC")))
    assert client.get("/words/de.json").status_code == 404


def test_every_setting_is_explained_in_french() -> None:
    french = tomllib.loads(FRENCH.read_text(encoding="utf-8"))
    assert set(french) == set(Settings.model_fields)
    assert all(french[name] != of.description for name, of in Settings.model_fields.items())


def test_every_setting_stands_on_the_page_once() -> None:
    names = [row.name for _, rows in settings().groups for row in rows]
    assert sorted(names) == sorted(Settings.model_fields)
    page = told(settings_page.panel(settings(), FRENCH_READER))
    assert all(f'"{name}"' in page for name in names)


def test_what_opens_a_door_is_not_shown() -> None:
    for reader in (FRENCH_READER, ENGLISH_READER):
        page = told(settings_page.panel(settings(), reader))
        assert not any(secret in page for secret in (HIDDEN, Path(HIDDEN).name, "edtwin-reader", "broker.example"))
        assert "/srv" not in page


def test_a_page_that_showed_what_opens_a_door_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dashboard.settings_told.NOT_SHOWN", ())
    page = told(settings_page.panel(settings_view(SET, made_at=AT, **PLACE), FRENCH_READER))
    assert "edtwin-reader" in page


def test_what_the_site_has_changed_stands_first_with_what_is_shipped() -> None:
    rows = {row.name: row for _, of in settings().groups for row in of}
    assert rows["members"] == SettingRow(
        "members", "300", "simulations d'un ensemble", "runs of an ensemble", "1000", is_changed=True, is_shown=True
    )
    assert rows["kafka_password_file"].value is None
    page = told(settings_page.panel(settings(), ENGLISH_READER))
    assert page.index('"members"') < page.index('"every_min"')
    assert "9 settings differ" in page


def test_groups_are_those_of_the_names() -> None:
    assert [group_of(name) for name in ("kafka_ca", "mllp_port", "fhir_token", "executor_ca", "members", "people")] == [
        "kafka", "hl7", "fhir", "machine", "forecast", "site",
    ]  # fmt: skip


def test_the_page_about_names_what_runs() -> None:
    page = told(about_panel.panel(about(), FRENCH_READER))
    assert all(text in page for text in ("simpy", about().code, "dispositif médical"))


def test_the_page_about_says_how_backups_stand() -> None:
    good, none, bad = (told(about_panel.panel(view(), ENGLISH_READER)) for view in (about, unsaved, failing))
    assert "Last good backup" in good
    assert "none: no folder is set (backup_folder)" in none
    assert "none yet" in bad
    assert "failed: the log says why" in bad


def test_the_page_about_is_drawn_anew_each_minute_since_the_last_record_of_the_audit_moves_on() -> None:
    """A page is filled anew when the instant that its view was made at is another."""
    standing = Standing(None, None, 0, None, None)
    views = [as_it_stands(unsaved(), AT + timedelta(seconds=s), standing, f"{s} · ab") for s in (0, 59, 60)]
    assert [view.made_at for view in views] == [AT, AT, AT + timedelta(minutes=1)]
    assert ["60 · ab" in told(about_panel.panel(view, ENGLISH_READER)) for view in views] == [False, False, True]


PLAIN = {
    "Unit", "Check", "Seen", "Expected", "of how many", "Left out", "Visits", "Figure", "before", "now", "Share",
    "Patients present, forecast at", "indicator", "last known", "next 24 h", "Ward", "Beds", "Stays that ended",
    "Days of stay", "Most leave at", "Source", "since", "told", "has it", "snoozed", "published", "not taken",
    "left out, a newer one was ready", "Last one published",
    "75 and over, from the coming midnight to 8:00 in the department", "as now", "as usual",
    "counts without queues",
    "as usual, shifted by today", "edtwin",
    "forecasts that met their truth", "",
}  # fmt: skip
"""Labels that say all that they mean."""
FIGURES = re.compile(r"^([+\d]|(Mon|Tue|Wed|Thu|Fri|Sat|Sun)$)")
"""Labels that are hours ahead, or days."""


def labels(component: Any) -> Iterator[Any]:
    """Every label: heads of columns, names of facts and of tiles; heads of rows are names of what is compared."""
    if isinstance(component, list | tuple):
        for one in component:
            yield from labels(one)
    elif isinstance(component, Component):
        kind, name = type(component).__name__, getattr(component, "className", "") or ""
        heads_a_row = '"scope": "row"' in told(component) and kind == "TableTh"
        if (kind in ("TableTh", "Th", "Dt") and not heads_a_row) or name == "label":
            yield component
        yield from labels(getattr(component, "children", None))


def text_of(component: Any) -> str:
    """What it says."""
    if isinstance(component, list | tuple):
        return " ".join(map(text_of, component))
    if isinstance(component, Component):
        return text_of(getattr(component, "children", None))
    return "" if component is None else str(component)


def unexplained(page: Any) -> set[str]:
    """Labels of a page that neither lead to a term nor say all that they mean."""
    found = [
        one
        for one in labels(page)
        if '"className": "term"' not in told(one) and '"className": "scenario' not in told(one)
    ]
    return {text for text in map(text_of, found) if text not in PLAIN and not FIGURES.match(text)}


def pages() -> Iterator[Any]:
    """Pages with figures, in English."""
    panels = filling(ordinary(), ENGLISH_READER, tuple(BELOW)).panels
    yield from (panels[name] for name in ("now", "census", *BELOW, "wards", "scenarios"))
    yield filling(ordinary(), replace(ENGLISH_READER, narrow=True)).panels["trust"]
    examples: list[tuple[Mapping[str, Callable[[], Any]], Callable[[Any, Reader], Any]]] = [
        (ALERTS, alerts.panel), (FEEDS, feeds.panel), (LEARNED, learned.panel), (TRUSTS, trust_page.panel),
        (COMPARED, compare.panel),
    ]  # fmt: skip
    for views, panel in examples:
        yield from (panel(view(), ENGLISH_READER) for view in views.values())


def test_every_label_leads_to_what_it_means() -> None:
    assert set().union(*(unexplained(page) for page in pages())) == set()


def test_a_label_without_a_term_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dashboard.panels.wards.label", lambda name, text, reader: text)
    assert {"Beds taken", "Free now"} <= unexplained(filling(ordinary(), ENGLISH_READER).panels["wards"])
    monkeypatch.setattr("dashboard.panels.scenarios.label", lambda name, text, reader: text)
    assert {"What helps most:", "Scenario"} <= unexplained(filling(ordinary(), ENGLISH_READER).panels["scenarios"])


def test_every_page_stands_in_one_group_of_ways() -> None:
    named = [name for _, names in GROUPS for name in names]
    assert sorted(named) == sorted([*ADDRESSES, *BESIDE])
