"""The import contracts of pyproject.toml: a tiny house keeps them all, and each wrong import breaks its own.

That the real house keeps them is shown in tests/test_lint.py.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

HOUSE = {
    "ingest/clock.py": "",
    "ingest/database.py": "import duckdb",
    "ingest/log.py": "import ingest.database",
    "twin/state.py": "import ingest.log",
    "twin/model.py": "import simpy\nimport twin.state",
    "twin/kernel.py": "import numba\nimport twin.model",
    "twin/fabricate.py": "import ingest.clock\nimport twin.fabricated_law",
    "twin/fabricated_law.py": "",
    "forecast/board.py": "",
    "forecast/archive.py": "import ingest.database\nimport forecast.board",
    "forecast/ensemble.py": "import twin.model",
    "dashboard/figures.py": "import plotly.graph_objects\nimport forecast.board",
    "dashboard/app.py": "import dash\nimport dashboard.panels.census",
    "dashboard/serve.py": "import waitress\nimport forecast.archive\nimport twin.fabricate\nimport dashboard.app",
    "dashboard/panels/census.py": "import dash\nimport ingest.clock\nimport forecast.board\nimport dashboard.figures",
}

ARROWS = "The arrows: ingest <- twin <- forecast <- dashboard"
DATABASE = "One door to the database"
ENGINE = "One engine file: SimPy is the model's"
COMPILED = "One compiled engine: numba is the kernel's"
DRAWING = "Only the dashboard draws"
PANELS = "Panels see only their page's view"
JUDGE = "The fabricated hospital knows nothing of the twin"
JUDGED = "The twin knows nothing of the fabricated hospital"

MUTANTS = [
    ("ingest/log.py", "import twin.state", ARROWS),
    ("twin/state.py", "from forecast import board", ARROWS),
    ("forecast/board.py", "def late():\n    import dashboard.app", ARROWS),
    ("ingest/log.py", "import duckdb", DATABASE),
    ("forecast/archive.py", "from duckdb import connect", DATABASE),
    ("twin/state.py", "import simpy", ENGINE),
    ("twin/model.py", "import numba", COMPILED),
    ("forecast/board.py", "from plotly import graph_objects", DRAWING),
    ("ingest/log.py", "import flask", DRAWING),
    ("forecast/board.py", "import waitress", DRAWING),
    ("dashboard/panels/census.py", "import forecast.archive", PANELS),
    ("dashboard/panels/census.py", "from ingest import log", PANELS),
    ("dashboard/figures.py", "import twin.state", PANELS),
    ("twin/fabricate.py", "import twin.model", JUDGE),
    ("twin/fabricated_law.py", "import twin.state", JUDGE),
    ("twin/model.py", "import twin.fabricated_law", JUDGED),
    ("forecast/ensemble.py", "import twin.fabricate", JUDGED),
]

CONTRACTS = re.findall(r'^name = "(.*)"\ntype = ', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)


def test_tiny_house_keeps_every_contract(tmp_path: Path) -> None:
    assert _broken(_build(tmp_path, HOUSE)) == set()


def test_contract_may_stand_before_its_modules(tmp_path: Path) -> None:
    assert _broken(_build(tmp_path, {"ingest/clock.py": ""})) == set()


@pytest.mark.parametrize(("file", "line", "contract"), MUTANTS)
def test_wrong_import_breaks_its_contract(tmp_path: Path, file: str, line: str, contract: str) -> None:
    house = HOUSE | {file: f"{HOUSE[file]}\n{line}\n"}
    assert contract in _broken(_build(tmp_path, house))


def test_every_contract_has_a_mutant() -> None:
    assert set(CONTRACTS) == {contract for _, _, contract in MUTANTS}


def _build(root: Path, house: dict[str, str]) -> Path:
    for folder in ("ingest", "twin", "forecast", "dashboard", "dashboard/panels"):
        (root / folder).mkdir()
        (root / folder / "__init__.py").touch()
    for file, text in house.items():
        (root / file).write_text(text)
    return root


def _broken(house: Path) -> set[str]:
    """The names of the contracts that the house in a folder breaks; anything but kept or broken fails."""
    run = subprocess.run(
        [
            str(Path(sys.executable).with_name("lint-imports")),
            "--no-cache",
            "--no-logo",
            "--config",
            str(ROOT / "pyproject.toml"),
        ],
        cwd=house,
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    verdicts = dict(re.findall(r"^(.+?) (KEPT|BROKEN)\b", run.stdout, re.MULTILINE))
    assert len(verdicts) == len(CONTRACTS), run.stdout + run.stderr
    return {name for name, verdict in verdicts.items() if verdict == "BROKEN"}
