"""The wheel, the same bytes whoever builds it: `make wheel` writes it into dist/, beside its bill and their SHA-256.

1. Copy what is shipped into a folder of its own, every file readable and not writable by others.
2. Build there, in a child process, with the setuptools that is locked and the clock at SOURCE_DATE_EPOCH.
3. Write the bill of materials, and the SHA-256 of both.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.assurance.bill import write_bill
from tests.assurance.epoch import SETTING, source_date_epoch
from tests.assurance.locks import ROOT

SHIPPED = ("ingest", "twin", "forecast", "dashboard")
BESIDE = ("pyproject.toml", "README.md", "LICENSE")
BUILD = "import os, sys; os.umask(0o022); from setuptools.build_meta import build_wheel; build_wheel(sys.argv[1])"


def build_wheel(out: Path, *, epoch: int, source: Path = ROOT) -> Path:
    """The wheel of a checkout, in folder `out`; raises RuntimeError with the builder's words where it fails."""
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "source"
        copy_shipped(source, copy)
        made = Path(folder) / "made"
        made.mkdir()
        environment = os.environ | {SETTING: str(epoch), "PYTHONHASHSEED": "0"}
        run = subprocess.run(
            [sys.executable, "-c", BUILD, str(made)],
            cwd=copy,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if run.returncode:
            raise RuntimeError(f"the wheel could not be built: {run.stderr.strip()}")
        return Path(shutil.copy(next(made.glob("*.whl")), out))


def copy_shipped(source: Path, copy: Path) -> None:
    """What a wheel is built from, with the same modes wherever it was checked out."""
    for folder in SHIPPED:
        shutil.copytree(source / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name in BESIDE:
        shutil.copy(source / name, copy)
    for path in copy.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)


def sha256(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main() -> int:
    """Build into the folder that is named (by default dist/) and say what was made."""
    out = Path(sys.argv[1] if len(sys.argv) > 1 else "dist")
    try:
        made = [build_wheel(out, epoch=source_date_epoch()), write_bill(out)]
    except (ValueError, RuntimeError) as error:
        print(f"wheel: {error}", file=sys.stderr)
        return 2
    sums = "".join(f"{sha256(path)}  {path.name}\n" for path in made)
    (out / "SHA256SUMS").write_text(sums, encoding="utf-8")
    print(sums, end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
