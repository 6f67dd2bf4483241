"""Check the installation, the configuration (all faults at once), the database and the feed."""

from __future__ import annotations

import argparse
import platform
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version

from dashboard.commands.common import say, settings_of
from dashboard.house import DATABASE, SECRET, House, open_house, scenario_catalogue, workers_of
from dashboard.settings import Settings
from forecast.executors import LOCAL
from ingest.errors import EdtwinError
from ingest.log import Span
from ingest.pseudonyms import open_secret
from twin.hospital import DEFAULT, load_hospital
from twin.pathway import TABLES, load_path
from twin.scenarios import pick

PACKAGES = ("edtwin", "duckdb", "simpy", "dash", "apscheduler", "pandas")


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    thing: str
    well: bool
    said: str


def add_options(command: argparse.ArgumentParser) -> None:
    """`edtwin doctor` has no options of its own."""


def run(options: argparse.Namespace) -> int:
    """Look at everything; 2 where something is not as it must be."""
    found = list(_findings(options))
    well = all(finding.well for finding in found)
    say(options, {"well": well, "findings": [vars(f) for f in found]}, lambda: "\n".join(map(_line, found)))
    return 0 if well else 2


def _findings(options: argparse.Namespace) -> Iterator[Finding]:
    yield Finding("installation", True, ", ".join([f"Python {platform.python_version()}", *map(_version, PACKAGES)]))
    try:
        settings = settings_of(options)
    except EdtwinError as error:
        yield Finding("settings", False, str(error))
        return
    yield Finding("settings", True, str(options.config or "the defaults"))
    hospital = _looked_at("hospital", lambda: _hospital(settings))
    yield hospital
    if hospital.well:
        yield _looked_at("paths", lambda: _paths(settings))
        yield _looked_at("scenarios", lambda: _scenarios(settings))
    yield _looked_at("database", lambda: _database(settings))
    if settings.kafka_brokers:
        yield _looked_at("kafka", lambda: _kafka(settings))
    if settings.executor != LOCAL:
        yield _looked_at("cluster", lambda: _cluster(settings))


def _looked_at(thing: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(thing, True, look())
    except EdtwinError as error:
        return Finding(thing, False, str(error))


def _version(package: str) -> str:
    return f"{package} {version(package)}"


def _hospital(settings: Settings) -> str:
    hospital = load_hospital(settings.hospital or DEFAULT)
    beds = sum(unit.places for unit in hospital.wards)
    whose = settings.hospital or "the shipped one: its beds do not count unless the log tells them"
    return f"{hospital.name}, {len(hospital.wards)} wards with {beds} beds, {hospital.spaces} spaces ({whose})"


def _paths(settings: Settings) -> str:
    hospital = load_hospital(settings.hospital or DEFAULT)
    return ", ".join(f"{name} ({len(load_path(name, hospital).stages)} stages)" for name in TABLES)


def _scenarios(settings: Settings) -> str:
    found = scenario_catalogue(settings)
    pick(found, settings.wall_scenarios)
    return ", ".join(found)


def _database(settings: Settings) -> str:
    """The log and its journal; opened without the site's own hospital, whose faults are told already."""
    if not (settings.data / DATABASE).exists():
        return f"{settings.data} holds no data yet"
    shipped = {"hospital": None, "scenarios": None, "wall_scenarios": Settings().wall_scenarios}
    plain = settings.model_copy(update=shipped)
    with open_house(plain) as house:
        span = house.log.span()
        if span is None:
            return f"{settings.data} is empty"
        if (settings.data / SECRET).exists():
            open_secret(settings.data / SECRET, create=False)
        rejected = sum(house.log.rejected_counts().values())
        journal = f"{house.journal.last} records in the journal"
        return f"{span.count} events {_when(house, span)}; rejected {rejected}; {journal}"


def _kafka(settings: Settings) -> str:
    """The cluster and its topics; kafka-python is imported only here."""
    from dashboard.kafka_wiring import looked_at

    return looked_at(settings)


def _cluster(settings: Settings) -> str:
    """The workers of the cluster, each with the house's code."""
    workers_of(settings).shutdown()
    return f"{settings.executor} has workers, and they run the code of this house"


def _when(house: House, span: Span) -> str:
    hours = (house.clock.now() - span.last_known_at).total_seconds() / 3600
    ago = f"{hours:.1f} h" if hours < 48 else f"{hours / 24:.0f} days"
    first, last = span.first_occurred_at, span.last_occurred_at
    return f"from {first:%Y-%m-%d} to {last:%Y-%m-%d %H:%M} UTC, the last heard {ago} ago"


def _line(finding: Finding) -> str:
    mark = "ok   " if finding.well else "FAULT"
    return f"{mark} {finding.thing}: {finding.said}"
