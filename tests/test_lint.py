"""The linters and the rules of the house, run with the tests so that one command is green or red.

Each rule of the house has mutants: small bad sources on which it must fire, beside good ones on which it must not.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests import rules
from tests.secret_scan import secrets
from tests.test_docs import tracked

ROOT = Path(__file__).parents[1]
FOLDERS = ("ingest", "twin", "forecast", "dashboard")
SOURCES = sorted(path.relative_to(ROOT) for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
TESTS = sorted(path.relative_to(ROOT) for path in (ROOT / "tests").rglob("*.py"))

LINTERS = ("ruff check", "ruff format --check", "mypy", "lint-imports --no-logo")

EVERYWHERE: dict[str, tuple[rules.Rule, frozenset[Path]]] = {
    "one clock": (rules.one_clock, frozenset({Path("ingest/clock.py")})),
    "named randomness": (rules.named_randomness, frozenset()),
    # The fabricated hospital copies itself by a pickle, quicker than a deep copy and stays in memory; the house
    # hands its children a situation as their pool itself hands them tasks, in memory of its own.
    "no code from data": (
        rules.no_code_from_data,
        frozenset({Path("twin/fabricated_house.py"), Path("forecast/workers.py")}),
    ),
    # The database's file puts paths and settings, which cannot be bound, into statements; it quotes them itself.
    "constant SQL": (rules.constant_sql, frozenset({Path("ingest/database.py")})),
}
"""Each rule with the files that it does not hold for."""

BAD: dict[str, list[str]] = {
    "one clock": [
        "from datetime import datetime\nstart = datetime.now(UTC)",
        "import datetime as dt\nstart = dt.datetime.utcnow()",
        "from datetime import date\ntoday = date.today()",
        "from time import sleep as nap\nnap(1)",
        "import time\nbegan = time.perf_counter()",
        "import pandas as pd\nnow = pd.Timestamp.now()",
        "from datetime import datetime\nmade: datetime = field(default_factory=datetime.now)",
    ],
    "named randomness": [
        "import random\nx = random.random()",
        "from random import choice\nx = choice([1, 2])",
        "import numpy as np\nnp.random.seed(1)",
        "from numpy.random import normal\nx = normal(0, 1)",
        "import numpy as np\nrng = np.random.default_rng()",
        "from numpy.random import default_rng\nrng = default_rng(None)",
        "import numpy as np\nseeds = np.random.SeedSequence()",
        "from scipy import stats\nx = stats.norm.rvs(size=3)",
        "import uuid\nname = uuid.uuid4()",
    ],
    "no code from data": [
        "import pickle\nstate = pickle.loads(blob)",
        "from pickle import loads\nstate = loads(blob)",
        "value = eval(text)",
        "exec(text)",
        "import pandas as pd\nframe = pd.read_pickle(path)",
    ],
    "constant SQL": [
        'cursor.execute(f"SELECT * FROM event WHERE visit = {visit}")',
        'cursor.execute("SELECT * FROM event WHERE visit = %s" % visit)',
        'cursor.execute("SELECT * FROM event WHERE visit = " + visit)',
        'cursor.sql("SELECT * FROM {}".format(table))',
        'query = f"DELETE FROM {table}"\ncursor.execute(query)',
        'def wipe(table: str) -> None:\n    cursor.execute(f"DELETE FROM {table}")',
        'for table in ("a",):\n    f(table)\ndef wipe(table: str) -> None:\n    cursor.execute(f"DELETE FROM {table}")',
        'for table in given:\n    cursor.execute(f"DELETE FROM {table}")',
        'query = "SELECT 1"\nquery += condition\ncursor.execute(query)',
    ],
}

GOOD: dict[str, list[str]] = {
    "one clock": [
        "from datetime import UTC, datetime\nstart = datetime(2026, 1, 1, tzinfo=UTC)",
        "from ingest.clock import WallClock\nstart = WallClock().now()",
        "moment = event.time.hour",
    ],
    "named randomness": [
        "import numpy as np\nrng = np.random.default_rng(np.random.SeedSequence(7))",
        "import numpy as np\ndef draw(rng: np.random.Generator) -> float: return rng.random()",
        "from scipy import stats\nx = stats.norm.rvs(size=3, random_state=rng)",
        "random = row.random",
    ],
    "no code from data": ["import json\nstate = json.loads(text)", "model.eval()"],
    "constant SQL": [
        'cursor.execute("SELECT * FROM event WHERE visit = ?", [visit])',
        'cursor.execute(f"SELECT {COLUMNS} FROM {log.TABLE}")',
        'cursor.execute("SELECT " + COLUMNS + " FROM event")',
        'query = "SELECT 1"\ncursor.execute(query)',
        'for table in ("issue", "score"):\n    cursor.execute(f"DELETE FROM {table}")',
        'def wipe(table: Literal["issue", "score"]) -> None:\n    cursor.execute(f"DELETE FROM {table}")',
        'Table = Literal["issue"]\ndef wipe(table: Table) -> None:\n    cursor.execute(f"DELETE FROM {table}")',
    ],
}


INSECURE = {
    "S602": "import subprocess\nsubprocess.run(text, shell=True)",
    "S307": "value = eval(text)",
    "S324": "import hashlib\ndigest = hashlib.md5(text)",
    "S501": "import requests\nrequests.get(address, verify=False, timeout=1)",
    "S323": "import ssl\ncontext = ssl._create_unverified_context()",
    "S314": "from xml.etree import ElementTree\ntree = ElementTree.fromstring(text)",
    "S103": "import os\nos.chmod(path, 0o777)",
    "S201": "from flask import Flask\napp = Flask(__name__)\napp.run(debug=True)",
    "PLE2502": 'role = "viewer\u202e"',
}
"""One line of each kind that bandit would stop, by the rule that ruff has for it."""

NO_SECRETS = {
    ("dashboard/README.md", "Secret Keyword"): "the name of a file, in an example",
    ("dashboard/access/accounts.py", "Base64 High Entropy String"): "the letters that passwords are made of",
    ("dashboard/house.py", "Secret Keyword"): "the name of a file",
    ("forecast/README.md", "Secret Keyword"): "the name of a file, in an example",
    ("tests/alert_worlds.py", "Secret Keyword"): "the name of a file",
    ("tests/kafka_broker.py", "Secret Keyword"): "opens the tests' own broker on loopback, and nothing else",
    ("tests/oidc_provider.py", "Secret Keyword"): "of the tests' own provider on loopback",
    ("tests/test_dashboard_access_proxy.py", "Secret Keyword"): "of an account of the tests",
    ("tests/test_dashboard_access_sign_in.py", "Secret Keyword"): "of an account of the tests",
    ("tests/test_forecast_alert_deliveries.py", "Secret Keyword"): "signs the tests' own webhooks",
    ("tests/test_lint.py", "Secret Keyword"): "planted below, to be seen",
    ("tests/test_forecast_alert_deliveries.py", "Hex High Entropy String"): "the digest that must come out of it",
}
"""What looks like a secret and is none: file and kind, with the reason."""

PLANTED = {
    "AWS Access Key": 'who = "AKIA' + "2E0A8F3B" + "244C9986" + '"',
    "GitHub Token": 'who = "ghp_' + "wWPw5k4aXcaT" + "4fNP0UcnZwJU" + "VFk6LO0pINUx" + '"',
    "Private Key": "-----BEGIN RSA " + "PRIVATE KEY-----",
    "Secret Keyword": "database_" + 'password = "correct-horse-7"',
    "Basic Auth Credentials": "https://someone:" + "battery7staple@example.org/x",
    "Hex High Entropy String": 'x = "' + "2b7e151628aed2" + "a6abf7158809cf4f3c" + '"',
}
"""A secret of each kind, put together so that this file holds none."""


@pytest.mark.timeout(400)  # mypy without its cache, on a busy machine
@pytest.mark.parametrize("command", LINTERS)
def test_linter_is_content(command: str) -> None:
    name, *options = command.split()
    run = subprocess.run(
        [str(Path(sys.executable).with_name(name)), *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=390,
        check=False,
    )
    assert run.returncode == 0, f"{command}\n{run.stdout}{run.stderr}"


@pytest.mark.parametrize(("code", "source"), INSECURE.items())
def test_insecure_code_is_stopped(code: str, source: str) -> None:
    """As the linter is set up for the house's own code: a rule that is switched off would let its line pass."""
    ruff = [str(Path(sys.executable).with_name("ruff")), "check", "--output-format", "concise", "--quiet"]
    command = [*ruff, "--stdin-filename", "ingest/mutant.py", "-"]
    run = subprocess.run(command, input=source, cwd=ROOT, capture_output=True, text=True, check=False)
    assert f" {code} " in run.stdout, run.stdout + run.stderr


def test_no_file_holds_a_secret() -> None:
    texts = {str(path.relative_to(ROOT)): path for path in tracked() if path.suffix not in (".png", ".lock")}
    found = list(secrets({name: path.read_text(encoding="utf-8", errors="replace") for name, path in texts.items()}))
    assert [place for place in found if (place[0], place[2]) not in NO_SECRETS] == []


@pytest.mark.parametrize(("kind", "line"), PLANTED.items())
def test_a_planted_secret_is_seen(kind: str, line: str) -> None:
    assert ("ingest/x.py", 2, kind) in list(secrets({"ingest/x.py": f"import os\n{line}\n"}))
    assert list(secrets({"ingest/x.py": "import os\nname = 'a'\n"})) == []


def test_make_lint_runs_the_same_linters() -> None:
    recipe = (ROOT / "Makefile").read_text().split("\nlint:")[1].split("\n\n")[0]
    assert tuple(line.removeprefix("\t$(BIN)/") for line in recipe.splitlines()[1:]) == LINTERS


@pytest.mark.parametrize("name", EVERYWHERE)
def test_sources_keep_the_rule(name: str) -> None:
    rule, excepted = EVERYWHERE[name]
    assert _faults(rule, [path for path in SOURCES if path not in excepted]) == []


def test_tests_are_repeatable() -> None:
    """Tests may wait, measure and pickle, and shuffle by a Random that Hypothesis hands them; unseeded chance, no."""
    faults = _faults(rules.named_randomness, TESTS)
    assert [fault for fault in faults if "random.Random is" not in fault] == []


@pytest.mark.parametrize(("name", "source"), [(name, source) for name in BAD for source in BAD[name]])
def test_rule_fires_on_mutant(name: str, source: str) -> None:
    assert list(EVERYWHERE[name][0](ast.parse(source)))


@pytest.mark.parametrize(("name", "source"), [(name, source) for name in GOOD for source in GOOD[name]])
def test_rule_lets_good_code_pass(name: str, source: str) -> None:
    assert list(EVERYWHERE[name][0](ast.parse(source))) == []


def _faults(rule: rules.Rule, paths: list[Path]) -> list[str]:
    trees = ((path, ast.parse((ROOT / path).read_text(encoding="utf-8"))) for path in paths)
    return [f"{path}:{line}: {fault}" for path, tree in trees for line, fault in rule(tree)]
