"""Fuzzing by coverage: `python -m tests.fuzz [TARGET ..] [--seconds 600] [--runs N] [--corpus FOLDER] [--planted]`.

Each target of `fuzz_targets.py` runs in a process of its own under atheris, which follows what each input makes the
code do and builds on those that make it do something new. Its corpus stays in build/fuzz/TARGET and is gone on with the
next time; an input that breaks a guarantee is kept in build/fuzz/TARGET/found and ends the run with status 1. With
`--planted` the bug of the target is planted, and it must be found.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from importlib.util import find_spec
from pathlib import Path

NAMES = ("framer", "hl7", "fhir", "mapping", "configuration", "callback")
PACKAGES = ["ingest", "dashboard", "tomllib"]
"""What is followed; only what a target imports of them."""
SLOWEST_S, MOST_MB, LONGEST_BYTES = 10, 4096, 8192
CHILD = "--child"


def options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", help=f"of {', '.join(NAMES)}; none: all, one after the other")
    parser.add_argument("--seconds", type=int, default=600, help="for each target")
    parser.add_argument("--runs", type=int, default=-1, help="inputs at most for each target")
    parser.add_argument("--corpus", type=Path, default=Path("build/fuzz"), help="where inputs are kept")
    parser.add_argument("--planted", action="store_true", help="with the target's bug, which must be found")
    return parser.parse_args()


def main() -> int:
    """Fuzz each target in turn: 0 where nothing was found, 1 where something was, 2 where it cannot be done."""
    if find_spec("atheris") is None:
        print("fuzz: atheris is not installed: make fuzz installs it", file=sys.stderr)
        return 2
    told = options()
    if unknown := [name for name in told.targets if name not in NAMES]:
        print(f"fuzz: a target must be one of {', '.join(NAMES)}, but is {unknown[0]!r}", file=sys.stderr)
        return 2
    ended = {name: _fuzzed(name, told) for name in told.targets or NAMES}
    found = [name for name, status in ended.items() if status == 1]
    broken = [name for name, status in ended.items() if status == 2]
    print(f"fuzz: something was found by: {', '.join(found)}" if found else "fuzz: nothing was found", flush=True)
    if broken:
        print(f"fuzz: ended before its time, and nothing was kept: {', '.join(broken)}", file=sys.stderr)
    return max(ended.values())


def _fuzzed(name: str, told: argparse.Namespace) -> int:
    """0 where nothing was found, 1 where an input that breaks a guarantee was, 2 where the run itself broke off."""
    corpus = told.corpus / name
    found = corpus / "found"
    found.mkdir(parents=True, exist_ok=True)
    before = set(found.iterdir())
    print(f"fuzz: {name}, {told.seconds} s at most; inputs in {corpus}", flush=True)
    limits = [f"-max_total_time={told.seconds}", f"-timeout={SLOWEST_S}", f"-rss_limit_mb={MOST_MB}"]
    sizes = [f"-runs={told.runs}", f"-max_len={LONGEST_BYTES}", f"-artifact_prefix={found}/", "-verbosity=1"]
    child = [sys.executable, "-m", "tests.fuzz", CHILD, name, str(int(told.planted)), *limits, *sizes, str(corpus)]
    status = subprocess.run(child, check=False).returncode
    if set(found.iterdir()) - before:
        return 1
    return 2 if status else 0


def fuzz_one(name: str, planted: bool, arguments: Sequence[str]) -> None:
    """Fuzz a target in this process, until libFuzzer ends it."""
    import atheris  # an extra: not everybody has it

    with atheris.instrument_imports(include=PACKAGES):
        from tests.fuzz_targets import TARGETS
    target = TARGETS[name]
    corpus = Path(arguments[-1])
    for number, seed in enumerate(target.seeds()):
        (corpus / f"seed-{number}").write_bytes(seed)
    with target.plant() if planted else nullcontext():
        atheris.Setup([name, *arguments], target.check)
        atheris.Fuzz()


if __name__ == "__main__":
    if sys.argv[1:2] == [CHILD]:
        fuzz_one(sys.argv[2], sys.argv[3] == "1", sys.argv[4:])
    else:
        sys.exit(main())
