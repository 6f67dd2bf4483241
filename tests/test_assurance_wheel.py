"""The wheel: the same bytes whoever builds it, wherever and whenever."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.assurance import wheel
from tests.assurance.epoch import SETTING
from tests.assurance.locks import ROOT

EPOCH = 1_790_000_000
A_YEAR_S = 365 * 86_400


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A small project of the same shape: a module in each folder, and what lies beside them."""
    root = tmp_path / "checkout"
    for folder in wheel.SHIPPED:
        (root / folder).mkdir(parents=True)
        (root / folder / "__init__.py").write_text(f'"""{folder}."""\n')
    (root / "dashboard" / "__main__.py").write_text("def main() -> int: return 0\n")
    for name in wheel.BESIDE:
        shutil.copy(ROOT / name, root)
    return root


def elsewhere(checkout: Path) -> Path:
    """The same checkout in another place, a year later, by somebody whose files are closed to others."""
    copy = Path(shutil.copytree(checkout, checkout.parent / "another place" / "copy"))
    for path in copy.rglob("*"):
        then = path.stat().st_mtime + A_YEAR_S
        os.utime(path, (then, then))
        path.chmod(0o700 if path.is_dir() else 0o600)
    return copy


def test_two_builds_are_one_wheel(checkout: Path, tmp_path: Path) -> None:
    first = wheel.build_wheel(tmp_path / "a", epoch=EPOCH, source=checkout)
    closed = os.umask(0o077)
    try:
        second = wheel.build_wheel(tmp_path / "b", epoch=EPOCH, source=elsewhere(checkout))
    finally:
        os.umask(closed)
    assert wheel.sha256(first) == wheel.sha256(second)


def test_a_build_of_another_time_is_another_wheel(checkout: Path, tmp_path: Path) -> None:
    builds = [wheel.build_wheel(tmp_path / str(epoch), epoch=epoch, source=checkout) for epoch in (EPOCH, EPOCH + 2)]
    assert wheel.sha256(builds[0]) != wheel.sha256(builds[1])


@pytest.mark.soak
def test_files_taken_as_they_are_make_another_wheel(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = wheel.build_wheel(tmp_path / "a", epoch=EPOCH, source=checkout)
    monkeypatch.setattr(wheel, "copy_shipped", lambda source, copy: shutil.copytree(source, copy))
    careless = wheel.build_wheel(tmp_path / "b", epoch=EPOCH, source=elsewhere(checkout))
    assert wheel.sha256(honest) != wheel.sha256(careless)


def test_a_build_that_fails_says_why(checkout: Path, tmp_path: Path) -> None:
    (checkout / "pyproject.toml").write_text("[project]\nname = 7\n")
    with pytest.raises(RuntimeError, match="the wheel could not be built"):
        wheel.build_wheel(tmp_path / "a", epoch=EPOCH, source=checkout)


@pytest.mark.soak
def test_make_wheel_writes_wheel_bill_and_sums(tmp_path: Path) -> None:
    """The whole project twice by the command, the second time under another user's mask."""
    sums = [_command(tmp_path / name, umask) for name, umask in (("a", 0o022), ("b", 0o077))]
    assert sums[0] == sums[1]
    assert [line.split("  ")[1] for line in sums[0].splitlines()] == [
        "edtwin-0.1.0-py3-none-any.whl",
        "edtwin-0.1.0.cdx.json",
    ]


def _command(out: Path, umask: int) -> str:
    run: subprocess.CompletedProcess[str] = subprocess.run(
        [sys.executable, "-m", "tests.assurance.wheel", str(out)],
        cwd=ROOT,
        env=os.environ | {SETTING: str(EPOCH)},
        umask=umask,
        capture_output=True,
        text=True,
        check=True,
    )
    assert (out / "SHA256SUMS").read_text() == run.stdout
    return run.stdout
