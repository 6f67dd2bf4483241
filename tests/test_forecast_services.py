"""When a service counts as broken, and how far from it a member stays."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from forecast.services import Service, broken, excess, services_file, services_here
from ingest.errors import ConfigurationError

LEADS = np.arange(0.0, 121.0, 15.0)
TIGHT = Service("boarding", "a", "a", "ed_boarders", 10.0, None, 30.0)


def column(*values: float) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    return np.array(values, dtype=np.float64)[:, None]


def test_it_breaks_where_the_limit_is_crossed_for_long_enough() -> None:
    beyond = column(0, 1, 0, 1, 2, 3, 0, 5, 5)
    first, margin = broken(beyond, LEADS, 30.0)
    assert (first.tolist(), margin.tolist()) == ([45.0], [-1.0])
    assert [broken(beyond, LEADS, minutes)[0][0] for minutes in (0.0, 15.0, 45.0)] == [15.0, 45.0, np.inf]


def test_the_margin_is_what_it_would_have_taken_at_the_worst_stretch() -> None:
    first, margin = broken(column(-9, -4, -4, -4, -7, -2, -8, -9, -9), LEADS, 30.0)
    assert (first.tolist(), margin.tolist()) == ([np.inf], [4.0])
    assert broken(column(*[-1.0] * 9), LEADS, 600.0)[1].tolist() == [1.0], "a window shorter than the stretch"


def test_what_is_not_told_does_not_break() -> None:
    first, margin = broken(column(*[np.nan] * 9), LEADS, 0.0)
    assert np.isinf(first[0])
    assert np.isnan(margin[0])


def test_excess_is_above_zero_beyond_a_limit_of_any_kind() -> None:
    values, there = column(9, 10, 11), {"asked:nurse": column(9, 10, 10)}
    assert excess(TIGHT, values, {}).ravel().tolist() == [-1.0, 0.0, 1.0]
    least = Service("beds", "a", "a", "beds_free:icu", None, 10.0, 0.0)
    assert excess(least, values, {}).ravel().tolist() == [1.0, 0.0, -1.0]
    staff = Service("staff", "a", "a", "asked:nurse", "there", None, 0.0)
    assert excess(staff, values, there).ravel().tolist() == [0.0, 0.0, 1.0]


def test_shipped_services_that_can_be_told_here() -> None:
    measures = {name: column(1, 2) for name in ("ed_census", "ed_boarders", "beds_free:surgery", "asked:nurse")}
    called = {"surgery": ("Chirurgie", "Surgery"), "nurse": ("Infirmiers", "Nurses")}
    found = services_here(services_file(), measures, {"asked:nurse": column(1, 1)}, called)
    assert [(s.name, s.en) for s in found] == [
        ("boarding", "Department: waiting for a bed"), ("beds:surgery", "Beds: Surgery"), ("staff:nurse", "Nurses"),
    ]  # fmt: skip


def test_a_site_s_file_stands_in_place_of_the_shipped_one(tmp_path: Path) -> None:
    file = tmp_path / "services.toml"
    file.write_text('[service.boarding]\nfr = "a"\nen = "b"\nmeasure = "ed_boarders"\nmost = 3\n', encoding="utf-8")
    assert services_file(file)["boarding"].most == 3
    assert "department" in services_file(file)
    file.write_text('[service.boarding]\nfr = "a"\nen = "b"\nmeasure = "ed_boarders"\n', encoding="utf-8")
    with pytest.raises(ConfigurationError, match="a service must have either most or least"):
        services_file(file)
