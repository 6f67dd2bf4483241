"""Simulated houses with faults, seed after seed: `python -m tests.simulate [--seeds 1-20] [--days 7] [--minutes 3]`.

    python -m tests.simulate --bug "never synced"        # a fault is planted; the seed that finds it is printed
    python -m tests.simulate --seeds 12                  # the same again, to the last bit

Prints a line a seed: what was done, and a digest of all that happened. Where something is wrong: what, the seed and the
commit, by which it happens again; and the exit status is 1.
"""

from __future__ import annotations

import argparse
import logging
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from ingest.clock import stopwatch
from tests.planted_faults import BUGS
from tests.simulated_house import POINTS, Outcome, Trial, simulate
from twin.kernel import warm


def main(arguments: Sequence[str] | None = None) -> int:
    """Trial after trial, until the seeds or the minutes are over or something is wrong."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=_seeds, default=range(1, 21), help="one, or the first and the last (1-20)")
    parser.add_argument("--days", type=float, default=7.0)
    parser.add_argument("--minutes", type=float, default=180.0, help="no trial is begun after so many")
    parser.add_argument("--bug", choices=BUGS, default="", help="a fault to plant in the house")
    asked = parser.parse_args(arguments)
    warm()
    logging.disable(logging.CRITICAL)  # what a house complains of is what is tried
    try:
        return _tried(asked)
    finally:
        logging.disable(logging.NOTSET)


def _tried(asked: argparse.Namespace) -> int:
    """The exit status: 1 where something is wrong."""
    died: set[str] = set()
    for outcome in _outcomes(asked.seeds, asked.days, asked.bug, asked.minutes):
        died |= {name.removeprefix("died: ") for name in outcome.reached if name.startswith("died: ")}
        print(_told(outcome), flush=True)
        if outcome.wrong:
            print(_wrong(outcome), flush=True)
            return 1
    print(f"died at {len(died & POINTS)} of {len(POINTS)} failpoints")
    return 0


def _outcomes(seeds: Sequence[int], days: float, bug: str, minutes: float) -> Iterator[Outcome]:
    begun = stopwatch()
    for seed in seeds:
        if stopwatch() - begun > 60 * minutes:
            return
        with TemporaryDirectory() as folder:
            yield simulate(Path(folder), Trial(seed=seed, days=days, bug=bug))


def _seeds(text: str) -> range:
    first, _, last = text.partition("-")
    return range(int(first), int(last or first) + 1)


def _told(outcome: Outcome) -> str:
    counts = ", ".join(f"{count} {what}" for what, count in sorted(outcome.counts.items()))
    return f"seed {outcome.trial.seed}, {outcome.trial.days:g} days: {outcome.digest[:12]}; {counts}"


def _wrong(outcome: Outcome) -> str:
    first = "\n".join(f"  {what}" for what in outcome.wrong[:5])
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    planted = f" bug={outcome.trial.bug!r}" if outcome.trial.bug else ""
    again = f"seed={outcome.trial.seed} days={outcome.trial.days:g}{planted} commit={commit.stdout.strip()}"
    return f"{len(outcome.wrong)} wrong, the first:\n{first}\nthe same again: {again}"


if __name__ == "__main__":
    sys.exit(main())
