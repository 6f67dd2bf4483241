"""The example notebook, run cell by cell by a kernel of its own against a house and an export; kept without outputs."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from werkzeug.serving import make_server

from dashboard.house import open_house
from dashboard.settings import load_settings
from forecast.export import Source
from forecast.export_file import write
from forecast.exports import TABLES
from forecast.values import LEVELS, Forecast, Series
from ingest.clock import WallClock
from tests.api_worlds import world_of
from tests.commands import fabricated, ingested
from tests.trust_views import ordinary_trust
from twin.calibrate import calibrate
from twin.memory import Memory

NOTEBOOKS = sorted((Path(__file__).parents[1] / "dashboard" / "notebooks").glob("*.ipynb"))
END = datetime(2026, 3, 16, 12, tzinfo=UTC)
LEADS = np.arange(0.0, 24 * 60 + 1, 60.0)
pytestmark = pytest.mark.filterwarnings("ignore")  # of the kernel's own libraries, not of ours


def forecast() -> Forecast:
    """A census that rises by one an hour."""
    middle = 30.0 + LEADS / 60.0
    told = Series(middle, {level: middle + 20 * (level - 0.5) for level in LEVELS})
    return Forecast(END, END, END, LEADS, {"as_usual": {"ed_census": told}}, {}, {})


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The census of two days, exported."""
    folder = ingested(fabricated(tmp_path_factory.mktemp("notebook")))
    out = folder.with_name("export")
    out.mkdir()
    with open_house(load_settings(None, data=folder)) as house:
        learned = calibrate(Memory(house.log).at(END), house.hospital, END)
        source = Source(house.log, house.database, WallClock().now(), lambda: learned)
        file = out / "census.parquet"
        write(TABLES["census"], source, END - timedelta(days=2), END, file, "parquet", pseudonyms=False)
    return out


@contextmanager
def house() -> Iterator[str]:
    """A house that answers the API: its address."""
    with world_of() as world:
        world.shown |= {"forecast": forecast(), "trust": ordinary_trust()}
        server = make_server("127.0.0.1", 0, world.server, threaded=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join(30)
            server.server_close()


@dataclass
class Ran:
    """A notebook after its last cell."""

    cells: list[Any]

    def of(self, name: str, kind: str) -> Any:
        """What a cell gave in a kind of output."""
        [cell] = [cell for cell in self.cells if cell["id"] == name]
        return next(out["data"][kind] for out in cell["outputs"] if kind in out.get("data", {}))


def run(notebook: Any, export: Path, monkeypatch: pytest.MonkeyPatch) -> Ran:
    with house() as address:
        monkeypatch.setenv("EDTWIN_HOUSE", address)
        monkeypatch.setenv("EDTWIN_EXPORT", str(export))
        NotebookClient(notebook, timeout=100, kernel_name="python3").execute(cwd=str(export))
    return Ran(notebook["cells"])


def opened(path: Path) -> Any:
    return nbformat.read(path, as_version=4)


def not_clean(notebook: Any) -> list[str]:
    """Cells that keep what they gave, and faults of the form."""
    nbformat.validate(notebook)
    kept = [c for c in notebook["cells"] if c["cell_type"] == "code" and (c["outputs"] or c["execution_count"])]
    return [cell["id"] for cell in kept]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_kept_without_outputs(path: Path) -> None:
    notebook = opened(path)
    assert not_clean(notebook) == []
    notebook["cells"][1]["execution_count"] = 1
    assert not_clean(notebook) == ["setup"]  # the mutant


def test_it_runs_to_its_end_and_draws_what_the_house_says(export: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    [path] = NOTEBOOKS
    ran = run(opened(path), export, monkeypatch)
    assert "128" in ran.of("now", "text/plain")  # arrivals today
    assert "Cardiology" in ran.of("wards", "text/plain")
    drawn = {trace["name"]: trace for trace in traces(ran.of("census", "application/vnd.plotly.v1+json"))}
    assert drawn["forecast (median)"]["y"] == [30.0 + h for h in range(25)]
    assert drawn["0.1 to 0.9"]["y"] == [38.0 + h for h in range(25)]
    observed = drawn["observed"]["y"]
    assert len(observed) == 95  # quarters of the last day, as far as the export goes
    assert max(observed) > 0
    assert drawn["observed"]["x"][-1].startswith("2026-03-16T12:45:00")  # local time
    view = ordinary_trust().judged
    assert view is not None
    found = view.of("ed_census")
    assert found is not None
    skills = {trace["name"]: trace for trace in traces(ran.of("skill", "application/vnd.plotly.v1+json"))}
    for rule in found.rivals:
        assert skills[rule]["y"] == [pytest.approx(at.skill[rule], abs=5e-5) for at in found.leads]
        assert skills[rule]["x"] == [at.lead_min / 60 for at in found.leads]


def traces(figure: Any) -> list[dict[str, Any]]:
    """The named lines of a figure, their numbers as lists."""
    told = json.loads(figure) if isinstance(figure, str) else figure
    return [{**trace, "name": trace.get("name", "")} for trace in told["data"]]


def test_a_cell_that_fails_is_seen(export: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    notebook = opened(NOTEBOOKS[0])
    cell = next(cell for cell in notebook["cells"] if cell["id"] == "census")
    cell["source"] = cell["source"].replace("/forecast/ed_census", "/forecast/ed_censsu")  # the mutant
    with pytest.raises(CellExecutionError, match="404"):
        run(notebook, export, monkeypatch)
