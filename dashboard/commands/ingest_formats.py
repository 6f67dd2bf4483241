"""The formats of `edtwin ingest` that have a kind of mapping of their own: how each is read, and its account."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from dashboard.house import House
from ingest.batch import ExtractAccount
from ingest.census import CensusAccount, ingest_census
from ingest.census_mapping import load_census_mapping
from ingest.errors import UnreadableInputError
from ingest.fhir_files import ingest_fhir
from ingest.fhir_mapping import load_fhir_mapping
from ingest.places import ingest_places
from ingest.places_mapping import load_places_mapping

Read = Callable[[House], dict[str, Any]]
MOST_SHOWN = 20
"""Gaps and frozen runs that the account lists; all are counted."""
_ACCOUNT = ("read", "stored", "duplicate", "ignored", "rejected")


def account_of(account: ExtractAccount) -> dict[str, Any]:
    """The account by name: read = stored + duplicate + ignored + rejected, and why."""
    return {name: getattr(account, name) for name in _ACCOUNT} | {
        "reasons": dict(account.reasons),
        "ignored_by_name": dict(account.ignored_by_name),
        "clock_changes": dict(account.flags),
    }


def check_format(mapping: Path, expected: str, known: Collection[str]) -> None:
    """Raises UnreadableInputError for a mapping of another format: one sentence, where its keys would all be faults."""
    try:
        source = tomllib.loads(mapping.read_text(encoding="utf-8")).get("source")
    except (OSError, ValueError):  # what is wrong with it is told by who loads it
        return
    stated = source.get("format") if isinstance(source, dict) else None
    if stated != expected and stated in known:
        raise UnreadableInputError(f"{mapping}: the mapping is for {stated} extracts, not for {expected}")


def _fhir(file: Path, mapping: Path, extracted_at: datetime | None) -> Read:
    """FHIR by a mapping; what is doubtful besides the hours of a clock change is told with them."""
    loaded = load_fhir_mapping(mapping)
    return lambda house: account_of(
        ingest_fhir(file, loaded, house.log, house.pseudonyms(), now=house.clock.now(), extracted_at=extracted_at)
    )


def _places(file: Path, mapping: Path, extracted_at: datetime | None) -> Read:
    loaded = load_places_mapping(mapping)
    return lambda house: account_of(
        ingest_places(file, loaded, house.log, house.pseudonyms(), now=house.clock.now(), extracted_at=extracted_at)
    )


def _census(file: Path, mapping: Path, extracted_at: datetime | None) -> Read:
    loaded = load_census_mapping(mapping)
    return lambda house: _of_census(
        ingest_census(file, loaded, house.log, house.pseudonyms(), now=house.clock.now(), extracted_at=extracted_at)
    )


def _of_census(account: CensusAccount) -> dict[str, Any]:
    gaps = {
        "stretches": len(account.gaps),
        "readings": sum(gap.readings * gap.series for gap in account.gaps),
        "longest": [_shown(gap) for gap in account.gaps[:MOST_SHOWN]],
    }
    frozen = {
        "runs": len(account.frozen),
        "readings": sum(run.readings for run in account.frozen),
        "longest": [_shown(run) for run in account.frozen[:MOST_SHOWN]],
    }
    flags = {name: count for name, count in account.flags.items() if name != "frozen"}
    return account_of(account) | {"clock_changes": flags, "gaps": gaps, "frozen": frozen}


def _shown(stretch: Any) -> dict[str, Any]:
    values = {name: getattr(stretch, name) for name in type(stretch).__dataclass_fields__}
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in values.items()}


def doubts(account: Mapping[str, Any]) -> list[str]:
    """What is doubtful in an aggregate feed, in sentences; none for any other account."""
    if "gaps" not in account:
        return []
    gaps, frozen = account["gaps"], account["frozen"]
    lines = [
        f"  gaps: {gaps['readings']} readings missing, in {gaps['stretches']} stretches",
        f"  frozen: {frozen['readings']} readings, in {frozen['runs']} runs",
    ]
    longest = [("gap", gap) for gap in gaps["longest"][:3]] + [("frozen", run) for run in frozen["longest"][:3]]
    return lines + [f"    {word} of {s['readings']} from {s['since']} ({s['series']})" for word, s in longest]


FORMATS: Mapping[str, Callable[[Path, Path, datetime | None], Read]] = {
    "fhir": _fhir,
    "census": _census,
    "places": _places,
}
"""What reads a file by the mapping at a path, by format."""
