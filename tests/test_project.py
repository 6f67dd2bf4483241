"""The project as a thing to install: the lock files, and what a wheel holds."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[1]
FOLDERS = ("ingest", "twin", "forecast", "dashboard")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
RUNTIME = [Requirement(text) for text in PROJECT["project"]["dependencies"]]
TOOLS = [Requirement(text) for text in PROJECT["project"]["optional-dependencies"]["dev"]]
BUILD = [Requirement(text) for text in PROJECT["build-system"]["requires"]]

COMPANIONS = {"werkzeug": "flask", "joserfc": "authlib", "pydantic_core": "pydantic", "dask": "distributed"}
"""Packages that another one pins and hands through: imported name to the dependency that brings it."""
NOT_SHIPPED = {".md", ".png"}
"""Files beside the code that are for its readers."""

Pins = dict[str, list[Version]]


def pins(text: str) -> Pins:
    """Package to the versions that a lock file pins, one for each range of Pythons; raises where a pin has no hash."""
    found: Pins = {}
    for entry in re.split(r"\n(?=[a-z])", re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE).strip()):
        pin = re.match(r"([a-z0-9-]+)==(\S+)[^\n]* \\\n", entry)
        if pin is None or "--hash=sha256:" not in entry:
            raise ValueError(f"a pin must have a version and a hash, but is {entry[:80]!r}")
        found.setdefault(pin[1], []).append(Version(pin[2]))
    return found


def unmet(requirements: list[Requirement], locked: Pins) -> list[str]:
    """The requirements that a lock file does not satisfy."""
    return [
        str(needed)
        for needed in requirements
        if not all(map(needed.specifier.contains, locked.get(canonicalize_name(needed.name), [Version("0")])))
    ]


def test_locks_hold_what_the_project_asks_for() -> None:
    runtime, dev = (pins((ROOT / name).read_text()) for name in ("requirements.lock", "requirements-dev.lock"))
    assert unmet(RUNTIME + BUILD, runtime) == []
    assert unmet(RUNTIME + BUILD + TOOLS, dev) == []


def test_tests_run_on_what_is_shipped() -> None:
    runtime, dev = (pins((ROOT / name).read_text()) for name in ("requirements.lock", "requirements-dev.lock"))
    assert {name: dev.get(name) for name in runtime} == runtime


def test_a_lock_that_is_behind_is_seen() -> None:
    locked = pins(
        "duckdb==1.9.0 \\\n    --hash=sha256:ab\n    # via edtwin\npytz==2026.6 ; x \\\n    --hash=sha256:cd\n"
    )
    assert locked == {"duckdb": [Version("1.9.0")], "pytz": [Version("2026.6")]}
    asked = [Requirement("duckdb>=2"), Requirement("pytz"), Requirement("simpy>=4")]
    assert unmet(asked, locked) == ["duckdb>=2", "simpy>=4"]
    with pytest.raises(ValueError, match="a hash"):
        pins("duckdb==2.0.0\n")


def test_every_import_is_a_declared_dependency() -> None:
    declared = {canonicalize_name(needed.name) for needed in RUNTIME}
    providers = packages_distributions()
    imported = {
        COMPANIONS.get(name, name)
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*.py")
        for name in _imports(path)
    }
    others = imported - set(sys.stdlib_module_names) - set(FOLDERS)
    assert {n for n in others if not declared & {canonicalize_name(p) for p in providers.get(n, [])}} == set()


def test_wheel_holds_everything_that_the_code_reads(tmp_path: Path) -> None:
    """Built from a copy, so that nothing is left in the checkout."""
    copy = tmp_path / "copy"
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    build = "import sys; from setuptools.build_meta import build_wheel; print(build_wheel(sys.argv[1]))"
    run = subprocess.run(
        [sys.executable, "-c", build, str(tmp_path)], cwd=copy, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        held = {name for name in wheel.namelist() if name.startswith(FOLDERS)}
    needed = {path for path in _files_of_the_folders() if Path(path).suffix not in NOT_SHIPPED}
    assert needed - held == set()


def _files_of_the_folders() -> set[str]:
    files = (path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.is_file())
    return {str(path.relative_to(ROOT)) for path in files if "__pycache__" not in path.parts}


def _imports(path: Path) -> set[str]:
    """The top-level names that a file imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
    return names
