"""Erase one patient, by the pseudonym or by the number itself on standard input: the journal, and what is made of it.

A house that runs is stopped first. What backups hold is marked there, until they expire.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dashboard.audit.wiring import record_command
from dashboard.commands.forgotten import finished
from dashboard.commands.said import say
from dashboard.commands.typed import settings_of
from dashboard.errors import CommandError
from dashboard.formats import readers_of
from dashboard.house import SECRET, House, open_house, require_data
from dashboard.settings import Settings
from ingest.erasure import Eraser, Known, holding, known_as
from ingest.pseudonyms import NumberKind, Pseudonyms, open_secret
from ingest.rebuild import require_journalled
from ingest.rewriting import rewrite

STDIN = "-"
_LONGEST = 200
_KINDS: tuple[NumberKind, ...] = ("patient", "visit")


def add_options(command: argparse.ArgumentParser) -> None:
    """The options of `edtwin erase`."""
    command.add_argument("pseudonym", nargs="?", metavar="PSEUDONYM", help="of the patient, or of one visit; - reads "
                         "the number itself from standard input")  # fmt: skip
    command.add_argument("--site", action="append", metavar="NAME", help="of the mappings, for a number that is read")
    command.add_argument("--backups", type=Path, metavar="DIR", help="folder of the backups, which are marked")
    command.add_argument("--look", action="store_true", help="tell what is known of the patient, and erase nothing")
    command.add_argument("--finish", action="store_true", help="go on with an erasure that was not finished")
    command.add_argument("--mllp-mapping", type=Path, metavar="M.toml", help="mapping of the HL7 messages")


@dataclass(frozen=True)
class Erased:
    """What was done. Nothing in it says who was erased."""

    visits: int = 0
    events: int = 0
    records: int = 0
    rows: int = 0
    blurred: int = 0
    backups: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    """Files that still hold one of the names: a person has to see to them."""


def run(options: argparse.Namespace) -> int:
    """Erase, or tell; 2 where a file is left that still holds the patient."""
    settings = require_data(settings_of(options))
    if options.finish == (options.pseudonym is not None):
        raise CommandError("erase takes a pseudonym, or - for a number on standard input, or --finish")
    if options.finish:
        found = Erased(backups=finished(settings, options.backups))
    else:
        found = erased(settings, list(_asked(settings, options)), options.backups, look=options.look)
    if not options.look:
        told = {"visits": found.visits, "events": found.events, "records": found.records + found.blurred,
                "backups_marked": len(found.backups), "files_left": len(found.left)}  # fmt: skip
        record_command(settings, "erase", "finished" if options.finish else "", "done", **told)
    say(options, vars(found) | {"erased": not options.look}, lambda: _text(found, is_done=not options.look))
    return 2 if found.left else 0


def erased(settings: Settings, names: Sequence[str], backups: Path | None, *, look: bool = False) -> Erased:
    """Erase whom the first of the names stands for that is known.

    1. Find what the log knows them by, visit by visit, and that the journal tells of them.
    2. Write the journal anew without them. From here on it is done, whatever happens (`--finish`).
    3. Make the database anew from it; every older database of the folder is removed.
    4. Mark the backups.
    5. Look for what is left, in the bytes of every file.

    Raises CommandError where nothing is known of any of them.
    """
    with open_house(settings) as house:
        require_journalled(house.log)
        known, trial = _known(house, names)  # 1
        found = Erased(len(known.visits), len(known.events), trial.emptied, trial.rows, trial.blurred)
        if look:
            return found
        rewrite(house.journal.folder, house.journal.segments(), Eraser(known, readers_of(settings)).change)  # 2
    marked = finished(settings, backups)  # 3, 4: `forgotten.py`
    left = holding(settings.data, known.names)  # 5
    return replace(found, backups=marked, left=tuple(str(path.relative_to(settings.data)) for path in left))


def _known(house: House, names: Sequence[str]) -> tuple[Known, Eraser]:
    """Whom the first name stands for that the log knows; or, where it knows none, that a message was rejected of."""
    found = sorted((known_as(house.database, name) for name in names), key=lambda one: not one.events)
    for known in found:
        trial = Eraser(known, readers_of(house.settings))
        changed = sum(trial.change(record) != record for record in house.journal.records())
        if changed:
            return known, trial
    raise CommandError("nobody is known by this pseudonym or number (a number is of a site: see --site)")


def _asked(settings: Settings, options: argparse.Namespace) -> Iterator[str]:
    """The pseudonym; of a number that is read, those that it may have. The number is kept nowhere."""
    if options.pseudonym != STDIN:
        yield options.pseudonym
        return
    number = sys.stdin.readline(_LONGEST).strip()
    if not number:
        raise CommandError("standard input must have the number in its first line, but has nothing")
    secret = open_secret(settings.data / SECRET, create=False)
    for site in options.site or ["edtwin"]:
        for kind in _KINDS:
            yield Pseudonyms(secret, site).one(kind, number)


def _text(found: Erased, *, is_done: bool) -> str:
    known = f"{found.visits} visits, {found.events} events"
    if not is_done:
        return f"the log knows {known} of them; nothing was erased"
    lines = [f"erased: {known}; {found.records} messages and {found.rows} rows of extracts; the database is made anew"]
    if found.blurred:
        lines.append(f"{found.blurred} messages that tell of others too have chance numbers in place of theirs")
    lines += [f"still in the backup {name}, until it expires" for name in found.backups]
    lines += [f"STILL IN {name}: see to it" for name in found.left]
    return "\n".join(lines)
