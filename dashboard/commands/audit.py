"""Who looked at what and who changed what: print the audit, or `verify` that nothing in it was touched."""

from __future__ import annotations

import argparse
from datetime import date
from itertools import islice

from dashboard.audit.records import KINDS, Written, as_json
from dashboard.audit.verify import Verified, records_of, verify
from dashboard.audit.wiring import anchor_of, folder_of
from dashboard.commands.said import say
from dashboard.commands.typed import settings_of
from dashboard.errors import CommandError
from dashboard.settings import Settings


def add_options(command: argparse.ArgumentParser) -> None:
    """The options of `edtwin audit`."""
    command.add_argument("action", nargs="?", choices=("show", "verify"), default="show", help="what to do")
    command.add_argument("--day", type=_day, metavar="YYYY-MM-DD", help="of one day alone (UTC)")
    command.add_argument("--person", metavar="NAME", help="of one person alone; the role, where nobody signs in")
    command.add_argument("--kind", choices=KINDS, help="of one kind alone")
    command.add_argument("--last", type=int, metavar="N", help="the last N of them")
    command.add_argument("--noted", metavar="HASH", help="of verify: a hash that was noted elsewhere must be there")


def run(options: argparse.Namespace) -> int:
    """Print, or verify: 2 where something was touched."""
    settings = settings_of(options)
    if not folder_of(settings).is_dir():
        raise CommandError(f"{folder_of(settings)} holds no audit: there is none before a house has run")
    if options.action == "verify":
        return _verified(settings, options)
    found = [one for one in records_of(folder_of(settings)) if _is_asked(one, options)]
    found = found[-options.last :] if options.last else found
    say(options, {"records": [as_json(one) for one in found]}, lambda: "\n".join(map(_line, found)) or "nothing")
    return 0


def _verified(settings: Settings, options: argparse.Namespace) -> int:
    found = verify(folder_of(settings), anchor_of(settings), options.noted)
    value = {
        "whole": found.is_whole, "records": found.records, "last": found.head.number, "hash": found.head.hash,
        "faults": list(found.faults), "remarks": list(found.remarks),
    }  # fmt: skip
    say(options, value, lambda: "\n".join(_told(found)))
    return 0 if found.is_whole else 2


def _told(found: Verified) -> list[str]:
    if found.is_whole:
        first = f"whole: {found.records} records, the last is {found.head.number}, {found.head.hash}"
    else:
        first = f"TOUCHED: {len(found.faults)} faults in {found.records} records"
    more = len(found.faults) - _SHOWN
    faults = [f"  {fault}" for fault in islice(found.faults, _SHOWN)]
    return [first, *faults, *([f"  and {more} more"] if more > 0 else []), *(f"  {one}" for one in found.remarks)]


_SHOWN = 20


def _is_asked(one: Written, options: argparse.Namespace) -> bool:
    deed = one.deed
    return (
        (options.day is None or deed.at.date() == options.day)
        and (options.person is None or options.person in (deed.who, deed.role))
        and (options.kind is None or deed.kind == options.kind)
    )


def _line(one: Written) -> str:
    deed = one.deed
    who = deed.role if deed.who is None else f"{deed.who} ({deed.role})"
    told = " ".join(f"{name}={value}" for name, value in deed.told.items() if not isinstance(value, dict))
    words = [deed.what, deed.about, "" if deed.outcome == "done" else deed.outcome.upper(), told]
    where = " ".join(word for word in (one.house, deed.place) if word)
    return f"{one.number:7} {deed.at:%Y-%m-%d %H:%M:%S} {deed.kind:7} {who}, {where}: {' '.join(filter(None, words))}"


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"a day must be like 2026-11-24, but is {text!r}") from error
