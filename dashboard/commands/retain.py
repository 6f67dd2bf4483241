"""End what happened too long ago to be kept: figures of its days stay, events, messages and rows go.

A house that runs is stopped first; one that is fed does it by itself, once a month, at a quiet hour of the night.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from dashboard.audit.wiring import record_command
from dashboard.commands.forgotten import finished
from dashboard.commands.said import progress, say
from dashboard.commands.typed import settings_of
from dashboard.formats import readers_of
from dashboard.house import House, open_house, require_data
from dashboard.retaining import OPEN, Limit, due, limit_of
from dashboard.settings import Settings
from ingest.clock import Clock, local
from ingest.days import Days
from ingest.erasure import held_in
from ingest.failpoints import failpoint
from ingest.rebuild import require_journalled
from ingest.retention import Ender, kept_after, outlived
from ingest.rewriting import rewrite
from twin.day_figures import day_figures

_days_kept = failpoint("retaining: days")
Report = Callable[[int, int], None]


def add_options(command: argparse.ArgumentParser) -> None:
    """The options of `edtwin retain`."""
    command.add_argument("--backups", type=Path, metavar="DIR", help="folder of the backups, which are marked")
    command.add_argument("--look", action="store_true", help="tell what would go, and end nothing")
    command.add_argument("--finish", action="store_true", help="go on with one that was not finished")
    command.add_argument("--mllp-mapping", type=Path, metavar="M.toml", help="mapping of the HL7 messages")


@dataclass(frozen=True)
class Retained:
    """What was done."""

    until: str | None = None
    """What happened before this instant is gone."""
    days: int = 0
    """Days whose figures are new."""
    events: int = 0
    visits: int = 0
    records: int = 0
    rows: int = 0
    mixed: int = 0
    backups: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    """Files that still hold one of the visits."""


def run(options: argparse.Namespace) -> int:
    """End them, or tell; 2 where a file is left that still holds one of the visits."""
    settings = require_data(settings_of(options))
    if options.finish:
        found = Retained(backups=finished(settings, options.backups))
        record_command(settings, "retain", "finished", "done", backups_marked=len(found.backups))
        say(options, vars(found) | {"ended": True}, lambda: "the end of what is not kept is finished")
    else:
        with progress("figures of days") as report:
            found = retained(settings, options.backups, look=options.look, report=report)
        say(options, vars(found) | {"ended": not options.look}, lambda: _text(found, is_done=not options.look))
    return 2 if found.left else 0


def retained(
    settings: Settings, backups: Path | None = None, *, look: bool = False, clock: Clock | None = None,
    report: Report = lambda done, of: None,
) -> Retained:  # fmt: skip
    """End what happened before the limit of the settings.

    1. Find what is kept, and that the journal tells of all.
    2. Journal the figures of the days that end. From here on nothing of before comes in again.
    3. Write the journal anew without them. From here on it is done, whatever happens (`--finish`).
    4. Make the database anew from it; every older database of the folder is removed; mark the backups.
    5. Look for what is left, in the bytes of every file.

    Whoever is killed between 2 and 3 does 3 the next time.
    """
    with open_house(settings, clock) as house:
        if not look and not due(house):
            return Retained()
        require_journalled(house.log)
        limit = limit_of(house)
        kept = kept_after(house.database, limit.until, limit.until - OPEN)  # 1
        events, names = outlived(house.database, kept)
        found = Retained(limit.until.isoformat(), 0, events, len(names.visits))
        if look:
            return found
        found = replace(found, days=_keep_days(house, limit, report))  # 2
        _days_kept()
        ender = Ender(kept, readers_of(settings))
        rewrite(house.journal.folder, house.journal.segments(), ender.change, "ended")  # 3
    found = replace(found, records=ender.emptied, rows=ender.rows, mixed=ender.mixed)
    marked = finished(settings, backups)  # 4
    left = held_in(settings.data, names.visits | names.patients)  # 5
    found = replace(found, backups=marked, left=tuple(str(p.relative_to(settings.data)) for p in left))
    told = {name: getattr(found, name) for name in ("until", "days", "events", "visits", "records", "rows", "mixed")}
    record_command(settings, "retain", "", "done", **told, backups_marked=len(found.backups), files_left=len(left))
    return found


def _keep_days(house: House, limit: Limit, report: Report) -> int:
    """The days from the last that has figures, or from the first, to the limit; how many that were."""
    before, span = house.log.ended(), house.log.span()
    if span is None or (before is not None and before.until >= limit.until):
        return 0
    zone = house.hospital.zone
    first = local(before.until if before else span.first_occurred_at, zone).date()
    table = day_figures(house.log, first, limit.day, zone, house.clock.now(), report)
    house.log.keep_days(Days(limit.until, table))
    return (limit.day - first).days


def _text(found: Retained, *, is_done: bool) -> str:
    if found.until is None:
        return "nothing is due: events are kept by keep_events_months, and end with a month"
    told = f"{found.events} events of {found.visits} visits happened before {found.until} and are not kept"
    if not is_done:
        return f"{told}; nothing was ended"
    lines = [f"{told}: {found.records} messages and {found.rows} rows of extracts; the database is made anew"]
    lines.append(f"figures of {found.days} days are new: edtwin export days")
    if found.mixed:
        lines.append(f"{found.mixed} messages stay that tell of others too, until all of what they tell is over")
    lines += [f"still in the backup {name}, until it expires" for name in found.backups]
    lines += [f"STILL IN {name}: see to it" for name in found.left]
    return "\n".join(lines)
