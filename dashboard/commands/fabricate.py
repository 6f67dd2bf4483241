"""Make a synthetic period of a hospital that does not exist, as a wide extract or as events."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from dashboard.commands.said import progress, say, written
from dashboard.commands.typed import instant
from dashboard.errors import CommandError
from ingest.clock import WallClock
from ingest.eventfile import write_events
from twin.fabricate import FabricatedHospital, Fabrication, Faults, LevelShift, Silence, fabricate
from twin.fabricated_hospital import UNITS, FabricationError

_WRITERS = ("wide", "events")


def add_options(command: argparse.ArgumentParser) -> None:
    """The options of `edtwin fabricate`."""
    command.add_argument("--days", type=int, default=60, help="how long the period is (default %(default)s)")
    command.add_argument("--seed", type=int, default=1, help="another seed, another period (default %(default)s)")
    command.add_argument("--start", type=instant, metavar="T", help="default: so many days ago, at midnight")
    command.add_argument(
        "--kind", choices=("roomy", "congested"), default="roomy", help="short of staff and beds, or not"
    )
    command.add_argument(
        "--size", choices=("small", "medium", "large"), default="large", help="90, 150 or 220 arrivals a day"
    )
    command.add_argument("--as", dest="form", choices=_WRITERS, default="wide", help="one row a visit, or the events")
    command.add_argument(
        "--faults", nargs="+", default=(), metavar="FAULT",
        help="of the feed: silence=HOUR+HOURS, duplicates=SHARE, skew=MINUTES, frozen=UNIT@HOUR",
    )  # fmt: skip
    command.add_argument(
        "--shift", metavar="arrivals=1.15@90",
        help="more arrivals or longer stays from so many days after the start on; both: arrivals=1.15,stays=1.1@90",
    )  # fmt: skip
    command.add_argument("--stores", action="store_true", help="also counts and deliveries of stocks, as events")
    command.add_argument("--out", type=Path, required=True, metavar="FILE", help=".csv or .parquet")


def run(options: argparse.Namespace) -> None:
    """Fabricate and write."""
    write = _writer(options.form, options.out)
    if options.stores and options.form != "events":
        raise CommandError("--stores must be given with --as events: an extract of visits has no stocks")
    hospital = FabricatedHospital(kind=options.kind, size=options.size)
    start = options.start or _days_ago(options.days)
    with progress("fabricating") as report:
        made = fabricate(
            hospital, start=start, days=options.days, seed=options.seed, faults=faults(options.faults),
            shift=shift(options.shift), stores=float(options.stores),
            progress=lambda share: report(round(share * 100), 100),
        )  # fmt: skip
    with written(options.out) as file:
        write(made, file)
    told = {
        "file": str(options.out),
        "events": len(made.events),
        "from": made.start_at.isoformat(),
        "to": made.end_at.isoformat(),
    }
    say(options, told, lambda: f"{options.days} days from {told['from']}, {told['events']} events, in {told['file']}")


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
                _check_unit(unit)
                named |= {"frozen_unit": unit, "frozen_from_hour": float(hour or 0)}
            else:
                named[{"duplicates": "duplicates_share", "skew": "clock_skew_min"}[name]] = float(value)
        except (KeyError, ValueError) as error:
            raise FabricationError(
                f"a fault must be silence=HOUR+HOURS, duplicates=SHARE, skew=MINUTES or frozen=UNIT@HOUR, but is {text}"
            ) from error
    return Faults(silences=tuple(silences), **named)  # type: ignore[arg-type]


def shift(text: str | None) -> LevelShift | None:
    """A level shift as people type it; raises FabricationError for one that cannot be read."""
    if text is None:
        return None
    factors, _, day = text.partition("@")
    try:
        named = {name: float(value) for name, value in (part.split("=") for part in factors.split(","))}
        return LevelShift(float(day), **named)
    except (TypeError, ValueError) as error:
        raise FabricationError(
            f"a level shift must be like arrivals=1.15@90 or arrivals=1.15,stays=1.1@90, but is {text}"
        ) from error


def _check_unit(unit: str) -> None:
    if unit not in UNITS:
        raise FabricationError(f"a frozen unit must be one of {', '.join(UNITS)}, but is {unit}")


_FORMS: dict[tuple[str, str], Callable[[Fabrication, Path], None]] = {
    ("wide", ".csv"): Fabrication.write_wide_csv,
    ("wide", ".parquet"): Fabrication.write_parquet,
    ("events", ".parquet"): lambda made, path: write_events(made.table(), path),
}


def _writer(form: str, out: Path) -> Callable[[Fabrication, Path], None]:
    writer = _FORMS.get((form, out.suffix))
    if writer is None:
        raise CommandError(f"--out must end in .csv or .parquet (events: .parquet), but is {out}")
    return writer


def _days_ago(days: int) -> datetime:
    midnight = WallClock().now().replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight - timedelta(days=days)
