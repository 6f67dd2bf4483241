"""Make a synthetic period of a hospital that does not exist, as a wide extract or as events."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from dashboard.commands.common import instant, progress, say
from ingest.clock import WallClock
from ingest.errors import UnreadableInputError
from ingest.eventfile import write_events
from twin.fabricate import FabricatedHospital, Fabrication, Faults, Silence, fabricate
from twin.fabricated_hospital import FabricationError

_WRITERS = ("wide", "events")


def add_options(command: argparse.ArgumentParser) -> None:
    """The options of `edtwin fabricate`."""
    command.add_argument("--days", type=int, default=60)
    command.add_argument("--seed", type=int, default=1)
    command.add_argument("--start", type=instant, metavar="T", help="default: so many days ago, at midnight")
    command.add_argument("--kind", choices=("roomy", "congested"), default="roomy")
    command.add_argument("--size", choices=("small", "medium", "large"), default="large")
    command.add_argument("--as", dest="form", choices=_WRITERS, default="wide", help="one row a visit, or the events")
    command.add_argument(
        "--faults", nargs="+", default=(), metavar="FAULT",
        help="of the feed: silence=HOUR+HOURS, duplicates=SHARE, skew=MINUTES, frozen=UNIT@HOUR",
    )  # fmt: skip
    command.add_argument("--out", type=Path, required=True, metavar="FILE", help=".csv or .parquet")


def run(options: argparse.Namespace) -> None:
    """Fabricate and write."""
    hospital = FabricatedHospital(kind=options.kind, size=options.size)
    start = options.start or _days_ago(options.days)
    with progress("fabricating") as report:
        made = fabricate(
            hospital, start=start, days=options.days, seed=options.seed, faults=faults(options.faults),
            progress=lambda share: report(round(share * 100), 100),
        )  # fmt: skip
    _write(made, options.form, options.out)
    told = {
        "file": str(options.out),
        "events": len(made.events),
        "from": made.start_at.isoformat(),
        "to": made.end_at.isoformat(),
    }
    say(options, told, lambda: f"{told['events']} events from {told['from']} to {told['to']} in {told['file']}")


def faults(texts: tuple[str, ...]) -> Faults:
    """Faults as people type them; raises FabricationError for one that cannot be read."""
    named: dict[str, object] = {}
    silences = []
    for text in texts:
        name, _, value = text.partition("=")
        try:
            if name == "silence":
                hour, _, hours = value.partition("+")
                silences.append(Silence(float(hour), float(hours)))
            elif name == "frozen":
                unit, _, hour = value.partition("@")
                named |= {"frozen_unit": unit, "frozen_from_hour": float(hour or 0)}
            else:
                named[{"duplicates": "duplicates_share", "skew": "clock_skew_min"}[name]] = float(value)
        except (KeyError, ValueError) as error:
            raise FabricationError(
                f"a fault must be silence=HOUR+HOURS, duplicates=SHARE, skew=MINUTES or frozen=UNIT@HOUR, but is {text}"
            ) from error
    return Faults(silences=tuple(silences), **named)  # type: ignore[arg-type]


def _write(made: Fabrication, form: str, out: Path) -> None:
    writers: dict[tuple[str, str], Callable[[Path], None]] = {
        ("wide", ".csv"): made.write_wide_csv,
        ("wide", ".parquet"): made.write_parquet,
        ("events", ".parquet"): lambda path: write_events(made.table(), path),
    }
    writer = writers.get((form, out.suffix))
    if writer is None:
        raise UnreadableInputError(f"--out must end in .csv or .parquet (events: .parquet), but is {out}")
    out.parent.mkdir(parents=True, exist_ok=True)
    writer(out)


def _days_ago(days: int) -> datetime:
    midnight = WallClock().now().replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight - timedelta(days=days)
