"""Lock files as the build reads them, and that nothing is installed past them."""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.assurance.locks import ROOT, Pin, read_lock, runtime_pins
from tests.test_project import pins

OWN = ("--editable .", "--no-build-isolation .")
"""How edtwin itself is installed, beside what is locked."""
NOT_THE_SAME = {"BY_UV": "Hash mismatch", "BY_PIP": "DO NOT MATCH THE HASHES"}
"""What each of those that install says of a wheel that was changed."""


def past_the_lock(commands: str) -> list[str]:
    """The installing commands that do not hold every package to its hash, as a wheel."""
    each = [one.strip() for one in re.split(r"\n|\|\||&&|;", commands)]
    return [one for one in each if re.search(r"\bpip\b.*\binstall\b", one) and not _is_held(one)]


def test_whatever_make_installs_is_held_to_its_hash(tmp_path: Path) -> None:
    """As make would run it: its own words, with its variables filled in."""
    says = _make("--dry-run", "--always-make", f"VENV={tmp_path / 'none'}", "test", "up", "fuzz")
    assert says.count("--require-hashes") == 7, "uv itself; three locks by it, or else by pip"
    assert past_the_lock(says) == []


def test_whatever_the_container_installs_is_held_to_its_hash() -> None:
    says = (ROOT / "docker-compose.yml").read_text(encoding="utf-8") + (ROOT / ".ci" / "run").read_text(
        encoding="utf-8"
    )
    assert says.count("--require-hashes") == 1
    assert past_the_lock(says) == []


@pytest.mark.parametrize(
    "line",
    [
        "python -m pip install -r requirements.lock",
        "pip install --require-hashes -r requirements.lock",
        "pip install --only-binary :all: -r requirements.lock",
        "python -m pip --quiet install lightgbm",
        "pip install --editable .",
        "build/uv/bin/uv pip install -r requirements.lock",
    ],
)
def test_an_installation_past_the_lock_is_seen(line: str) -> None:
    assert past_the_lock(f"mkdir x\n{line}\n") == [line]


def test_what_is_held_does_not_hide_what_is_not() -> None:
    held = "uv pip install --require-hashes --only-binary :all: -r a.lock"
    assert past_the_lock(f"{held} || {{ echo pip does; pip install -r a.lock; }}") == ["pip install -r a.lock"]


@pytest.mark.parametrize("by", NOT_THE_SAME)
@pytest.mark.parametrize(
    ("forged", "held", "installed"),
    [pytest.param(False, True, True, marks=pytest.mark.soak), (True, True, False), (True, False, True)],
)
def test_a_wheel_that_was_changed_is_not_installed(
    tmp_path: Path, forged: bool, held: bool, installed: bool, by: str
) -> None:
    """By the very command of the Makefile, without its index; the mutant is that command without its hashes."""
    wheel = _wheel(tmp_path, "said = 1")
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    if forged:
        _wheel(tmp_path, "said = 2")
    lock, there = tmp_path / "requirements.lock", tmp_path / "there"
    lock.write_text(f"tiny==1.0 \\\n    --hash=sha256:{digest}\n" if held else "tiny==1.0\n")
    command = shlex.split(_make("--eval", f"say: ; @echo $({by})", "say", f"BIN={Path(sys.executable).parent}"))
    if not (shutil.which(command[0]) or (ROOT / command[0]).exists()):
        pytest.skip(f"there is no {command[0]}: pip installs all")
    if not held:
        command.remove("--require-hashes")
    offline = ["--no-index", "--find-links", str(tmp_path), "--target", str(there), "-r", str(lock)]
    run = subprocess.run([*command, *offline], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (there / "tiny.py").exists() == installed, run.stderr
    assert (NOT_THE_SAME[by] in run.stderr) == (not installed)


def test_a_lock_is_read_whole() -> None:
    text = (
        "click==8.5.1 \\\n    --hash=sha256:" + "a" * 64 + " \\\n    --hash=sha256:" + "b" * 64 + "\n    # via flask\n"
        "numpy==2.4.6 ; python_full_version < '3.12' \\\n    --hash=sha256:" + "c" * 64 + "\n"
        "    # via\n    #   edtwin (pyproject.toml)\n    #   scipy\n"
    )
    assert read_lock(text) == (
        Pin("click", "8.5.1", None, ("a" * 64, "b" * 64), ("flask",)),
        Pin("numpy", "2.4.6", "python_full_version < '3.12'", ("c" * 64,), ("edtwin", "scipy")),
    )


def test_the_whole_lock_is_read() -> None:
    """Each package that the other reader of locks finds, with the same versions."""
    other = pins((ROOT / "requirements.lock").read_text(encoding="utf-8"))
    ours = {name: [str(version) for version in found] for name, found in other.items()}
    mine: dict[str, list[str]] = {}
    for pin in runtime_pins():
        mine.setdefault(pin.name, []).append(pin.version)
    assert mine == ours


@pytest.mark.parametrize("entry", ["click==8.5.1\n", "click \\\n    --hash=sha256:" + "a" * 64])
def test_a_pin_without_version_or_hash_is_refused(entry: str) -> None:
    with pytest.raises(ValueError, match=r"a version and a hash, but is 'click"):
        read_lock(entry)


def _is_held(line: str) -> bool:
    own = "--no-deps" in line and line.removesuffix("'").endswith(OWN)
    return own or ("--require-hashes" in line and "--only-binary :all:" in line and ".lock" in line)


def _make(*words: str) -> str:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    run = subprocess.run(
        ["make", "--no-print-directory", *words], cwd=ROOT, env=kept, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


def _wheel(folder: Path, source: str) -> Path:
    """The smallest wheel that pip takes."""
    path = folder / "tiny-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("tiny.py", source)
        wheel.writestr("tiny-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
        wheel.writestr("tiny-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr("tiny-1.0.dist-info/RECORD", "")
    return path
