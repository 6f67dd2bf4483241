"""The charts as files: the registry, the ways to the files, their addresses, the page that lists them."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dashboard.app import Pages, WallSettings, build_app
from dashboard.charts import CHARTS
from dashboard.data_page import data_view
from dashboard.data_ways import WALL, address
from dashboard.pages.beside import BESIDE, Place, beside
from dashboard.pages.wall import BELOW, figures_of, filling
from dashboard.tidy import Point, Tidy, as_csv, as_parquet
from tests.boards import MADE_AT, off, ordinary
from tests.chart_views import PAGES, PHONE, READER, VIEWS, ZONE
from tests.compare_views import COMPARED
from tests.component_trees import texts, with_class


def ways(component: Any) -> set[str]:
    """The files that a page leads to, without the language."""
    return {urlsplit(link.href).path for link in with_class(component, "data-way")}


@pytest.mark.parametrize("page", sorted({one.page for one in CHARTS} - {WALL}))
def test_every_chart_has_its_files_beside_it(page: str) -> None:
    panel = beside(VIEWS[page](), READER, Place(page))
    wanted = {f"/data/{page}/{one.name}.{form}" for one in CHARTS if one.page == page for form in ("csv", "parquet")}
    assert ways(panel) == wanted
    drawings = sum(len(with_class(panel, kind)) for kind in ("trust-chart", "supply-chart", "plot", "checks-chart"))
    assert len(with_class(panel, "data-ways")) >= max(drawings, 1)  # a picture without its figures is seen


def test_on_the_wall_titles_lead_to_the_files_and_a_telephone_has_links() -> None:
    wide, narrow = (filling(ordinary(), reader, tuple(BELOW)) for reader in (READER, PHONE))
    for name in (one.name for one in CHARTS if one.page == WALL):
        assert ways(wide.panels[name]) == set()
        assert [link.href for link in with_class(wide.panels[name], "quiet-link")] == ["/data?lang=en"]
        assert ways(narrow.panels[name]) == {f"/data/wall/{name}.csv", f"/data/wall/{name}.parquet"}


def test_every_row_names_a_page_and_is_there_once() -> None:
    names = [(one.page, one.name) for one in CHARTS]
    assert len(set(names)) == len(names)
    assert {page for page, _ in names} - {WALL, *BESIDE} == set()
    assert {name for page, name in names if page == WALL} >= set(figures_of(tuple(BELOW)))


def untold(charts: Iterable[Any], readme: str) -> list[str]:
    """Charts that the table of the README does not name in the row of their page."""
    rows = {row[1]: row[2] for row in re.finditer(r"^\| `(\w+)` \| (`.*) \|$", readme, re.MULTILINE)}
    return [f"{one.page}/{one.name}" for one in charts if f"`{one.name}`" not in rows.get(one.page, "")]


def test_every_chart_is_in_the_readme() -> None:
    page = (Path(__file__).parents[1] / "dashboard" / "README.md").read_text(encoding="utf-8")
    section = page.split("\n## The figures behind the charts")[1].split("\n## ")[0]
    assert untold(CHARTS, section) == []
    assert untold([replace(CHARTS[0], name="gone")], section) == ["wall/gone"]  # the mutant


@pytest.fixture(scope="module")
def client() -> Any:
    return build_app(ordinary, WallSettings(), pages=PAGES).server.test_client()


@pytest.mark.parametrize("chart", CHARTS, ids=lambda one: f"{one.page}-{one.name}")
def test_every_file_is_the_table_in_the_hospitals_time(client: Any, chart: Any) -> None:
    view = VIEWS[chart.page]()
    part = chart.parts(view)[-1]
    table = chart.data(view, part)
    got = client.get(address(chart.page, chart.name, "csv", part=part, query="?lang=en"))
    assert (got.status_code, got.mimetype) == (200, "text/csv")
    name = re.fullmatch(r'attachment; filename="(.+)"', got.headers["Content-Disposition"])
    assert name is not None
    assert name[1].startswith(f"{chart.page}-{chart.name}-")
    assert name[1].endswith("-2026-11-24T1434.csv")
    rows = list(csv.DictReader(io.StringIO(got.text)))
    assert [(row["series"], row["unit"]) for row in rows] == [(p.series, p.unit) for p in table.points]
    assert [None if row["value"] == "" else float(row["value"]) for row in rows] == [p.value for p in table.points]
    if table.along == "time":
        assert {row["time"][-6:] for row in rows if row["time"]} == {"+01:00"}
        told = [datetime.fromisoformat(row["time"]) if row["time"] else None for row in rows]
        assert told == [p.at for p in table.points]
    packed = client.get(address(chart.page, chart.name, "parquet", part=part))
    read = pq.read_table(io.BytesIO(packed.data))
    assert read.column_names == list(table.columns)
    assert read.column("value").to_pylist() == [p.value for p in table.points]
    assert read.column(0).to_pylist() == [p.at for p in table.points]
    if table.along == "time":
        assert read.schema.field("time").type == pa.timestamp("us", tz=ZONE)


def test_the_hour_that_comes_twice_has_its_offset() -> None:
    twice = [datetime.fromisoformat(f"2026-10-25T0{h}:30:00+00:00") for h in (0, 1)]
    table = Tidy("time", tuple(ordinary_point(at) for at in twice))
    rows = list(csv.DictReader(io.StringIO(as_csv(table, ZONE).decode())))
    assert [row["time"] for row in rows] == ["2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00"]
    read = pq.read_table(io.BytesIO(as_parquet(table, ZONE))).column("time").to_pylist()
    assert [at.astimezone(UTC) for at in read] == twice


def ordinary_point(at: datetime) -> Any:
    return Point(at, "observed", 1.0, "patients")


MISSING: dict[str, tuple[str, int, str]] = {
    "no chart": ("/data/wall/censsu.csv?lang=en", 404, "There is no such chart. All of them stand at /data."),
    "no form": ("/data/wall/census.xlsx?lang=en", 404, "There is no such chart."),
    "no page": ("/data/nowhere/census.csv?lang=en", 404, "There is no such chart."),
    "no part": ("/data/trust/skill.csv?lang=en&of=ed_nothing", 404, "Nothing is drawn now."),
    "french": ("/data/trust/skill.csv?of=x", 404, "Rien n'est tracé en ce moment."),
    "endless": (f"/data/wall/census.csv?lang=en&x={'y' * 700}", 400, "This address is too long."),
}


@pytest.mark.parametrize("case", list(MISSING))
def test_what_is_not_there_is_said(client: Any, case: str) -> None:
    path_, status, says = MISSING[case]
    got = client.get(path_)
    assert got.status_code == status
    assert says in got.text


def test_what_the_wall_hides_is_in_no_file_and_before_the_first_board_there_is_none() -> None:
    dead = build_app(off, WallSettings()).server.test_client()
    assert dead.get("/data/wall/census.csv").status_code == 404
    nothing = build_app(lambda: None, WallSettings()).server.test_client()
    assert nothing.get("/data/wall/census.csv").status_code == 503
    assert nothing.get("/data/trust/skill.csv?of=ed_census").status_code == 503


def test_a_page_that_is_asked_gives_what_it_was_asked_for() -> None:
    asked: list[str] = []

    def view(query: str) -> Any:
        asked.append(query)
        return COMPARED["doctors"]()

    pages: Pages = {"compare": view}
    there = build_app(ordinary, WallSettings(), pages=pages).server.test_client()
    panel = beside(COMPARED["doctors"](), READER, Place("compare"))
    href = next(link.href for link in with_class(panel, "data-way") if "csv" in link.href)
    assert there.get(href).status_code == 200
    told = parse_qs(asked[0].removeprefix("?"))
    assert (told["view"], told["with"]) == (["doctors"], ["one_more_doctor,escalation_beds,winter_peak"])


def test_the_page_lists_every_chart_and_what_there_is_of_it() -> None:
    view = data_view(ordinary(), lambda name: None if name == "supplies" else VIEWS[name](), {"compare", "robustness"})
    assert view is not None
    assert [(one.chart.page, one.chart.name) for one in view.charts] == [(one.page, one.name) for one in CHARTS]
    states = {one.chart.page: one.state for one in view.charts}
    assert states == {
        WALL: "drawn", "feeds": "drawn", "supplies": "away", "compare": "asks", "robustness": "asks", "trust": "drawn",
        "checks": "drawn", "path": "drawn", "learned": "drawn",
    }  # fmt: skip
    panel = beside(view, READER, Place("data"))
    drawn_now = {f"/data/{one.chart.page}/{one.chart.name}.csv" for one in view.charts if one.state == "drawn"}
    assert {name for name in ways(panel) if name.endswith(".csv")} == drawn_now
    assert texts(panel).count("Its page shows nothing yet.") == 1
    assert data_view(None, lambda _: None, ()) is None
    dead = data_view(off(), lambda _: None, ())
    assert dead is not None
    assert {one.state for one in dead.charts if one.chart.page == WALL} == {"empty"}


def test_a_new_minute_is_a_new_page_and_a_new_second_is_not() -> None:
    def made(at: datetime) -> Any:
        return data_view(replace(ordinary(), made_at=at), lambda _: None, ())

    assert made(MADE_AT).made_at == made(MADE_AT + timedelta(seconds=59)).made_at
    assert made(MADE_AT).made_at != made(MADE_AT + timedelta(seconds=60)).made_at
