"""Points of view: what each looks at, and what a site may write in their place."""

from __future__ import annotations

from pathlib import Path

import pytest

from forecast.errors import ForecastError
from forecast.points_of_view import points_of_view
from ingest.errors import ConfigurationError

SHIPPED = points_of_view()
THERE = ("wait_p90_min", "wait_p90_min:1", "wait_p90_min:2", "left_unseen", "ed_peak", "staff_over_h:doctor", "nights")
OWN = """
[criterion.meals_short]
fr = "Repas manquants"
en = "Meals short"
unit = "repas|meals"
step = 1
better = "less"

[view.kitchen]
fr = "Cuisine"
en = "Kitchen"
criteria = ["meals_short", "nights"]
"""


def test_five_points_of_view_are_shipped_with_words_in_both_languages() -> None:
    assert list(SHIPPED.views) == ["doctors", "nurses", "beds", "support", "direction"]
    assert all(view.said("fr") and view.said("en") for view in SHIPPED.views.values())


def test_a_star_stands_for_what_there_is_and_what_is_not_told_is_left_out() -> None:
    found = SHIPPED.chosen(SHIPPED.view("doctors").criteria, THERE, {"doctor": ("Médecins", "Doctors")})
    assert [one.name for one in found] == [
        "wait_p90_min:1", "wait_p90_min:2", "left_unseen", "ed_peak", "staff_over_h:doctor",
    ]  # fmt: skip
    assert found[0].en == "Wait that 9 in 10 do not exceed, triage 1"
    assert found[-1].fr == "Heures demandées en plus de l'effectif : Médecins"


def test_which_way_is_better_is_told_by_a_sign() -> None:
    less, more = SHIPPED.chosen(["ed_peak", "beds_free_least"], ("ed_peak", "beds_free_least"), {})
    assert (less.sign, more.sign) == (1.0, -1.0)
    assert (more.unit_in("fr"), more.unit_in("en"), less.unit_in("fr")) == ("lits", "beds", "patients")


def test_a_site_writes_its_own(tmp_path: Path) -> None:
    file = tmp_path / "views.toml"
    file.write_text(OWN, encoding="utf-8")
    found = points_of_view(file)
    assert list(found.views)[-1] == "kitchen"
    assert [c.name for c in found.chosen(found.view("kitchen").criteria, (*THERE, "meals_short"), {})] == [
        "meals_short", "nights",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            '"meals_short", "nights"',
            '"meals_shrt"',
            "view.kitchen.criteria: unknown criterion meals_shrt, likely",
        ),
        ('better = "less"', 'better = "fewer"', "better"),
        ("step = 1", "step = 0", "step"),
    ],
)
def test_a_faulty_file_is_said(tmp_path: Path, old: str, new: str, said: str) -> None:
    file = tmp_path / "views.toml"
    file.write_text(OWN.replace(old, new), encoding="utf-8")
    with pytest.raises((ForecastError, ConfigurationError), match=said):
        points_of_view(file)


def test_a_view_or_a_criterion_that_there_is_not_is_said() -> None:
    with pytest.raises(ForecastError, match=r"view must be one of doctors, .*, but is chef"):
        SHIPPED.view("chef")
    with pytest.raises(ForecastError, match="unknown criterion ed_peek, likely a typo for ed_peak"):
        SHIPPED.chosen(["ed_peek"], THERE, {})
