"""Check the installation, the configuration (all faults at once), the database and the feed; explain the site.

The site is told back in sentences: its hospital, its staff by the hour, its path stage by stage, the load on whatever
is queued for, what is unusual or doubtful. `--picture` draws the path.
"""

from __future__ import annotations

import argparse
import platform
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

from dashboard.audit.mending import set_aside_in
from dashboard.audit.records import Deed
from dashboard.audit.verify import verify
from dashboard.audit.wiring import anchor_of, chain_of, folder_of
from dashboard.backup_names import good_ones
from dashboard.backups import LATE
from dashboard.commands.said import say, written
from dashboard.commands.typed import settings_of
from dashboard.errors import CommandError
from dashboard.house import DATABASE, SECRET, open_house, scenario_catalogue, site_of, supplies_of, workers_of
from dashboard.house_socket import ask
from dashboard.path_picture import sketch
from dashboard.retaining import standing_of
from dashboard.scrubbing import noted_scrub
from dashboard.settings import Settings
from dashboard.site_words import told
from dashboard.words import LANGUAGES, Reader
from forecast.executors import LOCAL
from forecast.pathview import explained
from ingest.clock import WallClock
from ingest.errors import EdtwinError
from ingest.pseudonyms import open_secret
from twin.explanation import Explained, Load, Step
from twin.hospital import NO_LIMIT
from twin.pathway import TABLES, load_path
from twin.scenarios import pick
from twin.site import load_site

PACKAGES = ("edtwin", "duckdb", "simpy", "dash", "apscheduler", "pandas")


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    thing: str
    well: bool
    said: str


def add_options(command: argparse.ArgumentParser) -> None:
    """Options of `edtwin doctor`."""
    command.add_argument("--language", choices=LANGUAGES, help="in which the site is explained (default: the setting)")
    command.add_argument("--picture", type=Path, metavar="FILE.svg", help="draw the path into this file")


def run(options: argparse.Namespace) -> int:
    """Look at everything, explain the site; 2 where something is not as it must be."""
    found = list(_findings(options))
    well = all(finding.well for finding in found)
    site = _explained(options)
    value = {"well": well, "findings": [vars(f) for f in found], "site": site and as_json(*site)}
    if site and options.picture:
        with written(options.picture) as file:
            file.write_text(sketch(*site, narrow=False).svg, encoding="utf-8")
    say(options, value, lambda: "\n".join([*map(_line, found), *_account(site)]))
    return 0 if well else 2


def _explained(options: argparse.Namespace) -> tuple[Explained, Reader] | None:
    """The site of the settings, and who reads; None where a fault is told already or it is not whole."""
    try:
        settings = settings_of(options)
        site = load_site(settings.hospital)
    except EdtwinError:
        return None
    said = explained(site)
    return (said, Reader(settings.language, site.hospital.zone)) if said else None


def as_json(site: Explained, reader: Reader) -> dict[str, Any]:
    """The sentences, and the numbers behind them."""
    return {
        "arrivals_a_day": round(site.arrivals_a_day, 1),
        "planned_a_day": round(site.planned_a_day, 1),
        "sections": [{"name": s.name, "title": s.title, "sentences": s.sentences} for s in told(site, reader)],
        "stages": [_stage_json(step) for step in site.steps],
        "stays": [vars(stay) for stay in site.stays],
        "loads": [_load_json(load) for load in site.loads],
        "doubts": [vars(doubt) for doubt in site.doubts],
    }


def _stage_json(step: Step) -> dict[str, Any]:
    ways = [{"to": way.to, "share": round(way.share, 4), "a_day": round(way.a_day, 2)} for way in step.ways]
    plain = {"name": step.name, "zone": step.zone, "waits_for": step.queues_for, "then": ways}
    median = None if step.lasts_min is None else round(step.lasts_min, 1)
    return plain | {"a_day": round(step.a_day, 2), "share": round(step.share, 4), "median_min": median}


def _load_json(load: Load) -> dict[str, Any]:
    busiest = None if load.busiest is None else dict(zip(("from_h", "to_h", "share"), load.busiest, strict=True))
    asked = None if load.asked is None else round(load.asked, 2)
    there = {"there": load.there, "share": load.share, "busiest": busiest}
    return {"pool": load.pool, "kind": load.kind, "asked": asked, **there}


def _account(site: tuple[Explained, Reader] | None) -> Iterator[str]:
    """The sections, each under its title."""
    for section in told(*site) if site else ():
        yield f"\n{section.title}"
        yield from (f"  - {sentence}" for sentence in section.sentences)


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
        yield _looked_at("supplies", lambda: _supplies(settings))
    running = ask(settings.data, "look")
    database = _looked_at("database", lambda: _held(running) if running else _database(settings))
    yield database
    if database.well and (settings.data / DATABASE).exists():
        yield _looked_at("events", lambda: events_kept(running["events"]) if running else _events(settings))
    if running:
        yield _looked_at("house", lambda: _house(running))
    yield _looked_at("backup", lambda: _backup(settings, running["backup_fault"] if running else None))
    if (settings.data / DATABASE).exists():
        yield _looked_at("journal", lambda: _journal(settings, bool(running)))
    if folder_of(settings).is_dir():
        yield _looked_at("audit", lambda: _audit(settings))
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
    site = load_site(settings.hospital)
    hospital = site.hospital
    beds = sum(unit.places for unit in hospital.wards)
    shipped = "the shipped units: their beds do not count unless the log tells them"
    whose = settings.hospital if site.own_units else shipped
    return f"{hospital.name}, {len(hospital.wards)} wards with {beds} beds, {hospital.spaces} spaces ({whose})"


def _paths(settings: Settings) -> str:
    """The site's path, and those that are learned from a log; a log tells of doctors where the site's file does not."""
    site = load_site(settings.hospital)
    staffed = site.hospital
    if "doctor" not in staffed.pools:
        staffed = staffed.with_roster("doctor", (NO_LIMIT,) * 24)
    learned = [load_path(name, staffed) for name in TABLES if name != "full"]
    paths = [site.path, *(path for path in learned if site.path is None or path.name != site.path.name)]
    said = ", ".join(f"{path.name} ({len(path.stages)} stages)" for path in paths if path)
    if not site.lacks:
        return said
    return f"{said}; the site is not explained whole, its file would have to add:\n  " + "\n  ".join(site.lacks)


def _scenarios(settings: Settings) -> str:
    found = scenario_catalogue(settings)
    pick(found, settings.wall_scenarios)
    return ", ".join(found)


def _supplies(settings: Settings) -> str:
    """How many items each support service has."""
    hospital = site_of(settings).hospital
    found = supplies_of(settings, hospital).within(hospital)
    return ", ".join(f"{service.name} {len(found.of_service(service.name))}" for service in found.services)


def _held(found: Mapping[str, Any]) -> str:
    """What the running house holds. Raises CommandError where its journal lacks what its log was made of."""
    if found["refuses"]:
        raise CommandError(f"{found['refuses']}; {found['database']}")
    return str(found["database"])


def _database(settings: Settings) -> str:
    """The log and its journal; opened without the site's own hospital, whose faults are told already."""
    if not (settings.data / DATABASE).exists():
        return f"{settings.data} holds no data yet"
    with open_house(_shipped(settings), mends=False) as house:
        if house.log.span() is not None and (settings.data / SECRET).exists():
            open_secret(settings.data / SECRET, create=False)
        return house.said()


def _shipped(settings: Settings) -> Settings:
    """Without the site's own hospital, whose faults are told already."""
    shipped = {"hospital": None, "scenarios": None, "supplies": None, "wall_scenarios": Settings().wall_scenarios}
    return settings.model_copy(update=shipped)


def _events(settings: Settings) -> str:
    with open_house(_shipped(settings)) as house:
        return events_kept(standing_of(house))


def events_kept(told: Mapping[str, Any]) -> str:
    """From when on events are kept. Raises CommandError where the time of some has been over for weeks."""
    since = f"since {told['kept_from'][:10]}" if told["kept_from"] else "all that ever came"
    if not told["due"]:
        return f"kept {since}, {told['months']} whole months"
    how = "by the house itself, at its quiet hour" if told["fed"] else "by nobody, since nothing feeds the house"
    said = f"kept {since}; those of before {told['until'][:10]} are to end ({how}; or edtwin retain)"
    if told["fed"] and told["late"]:
        raise CommandError(said)
    return said


def _house(found: Mapping[str, Any]) -> str:
    """Whether the running house can do its work."""
    if found["unready"]:
        raise CommandError(f"it runs, but is not ready: {found['unready']}")
    return "it runs and is ready"


def _backup(settings: Settings, fault: str | None) -> str:
    """How old the last good backup is. A house that holds nothing yet needs none."""
    folder = settings.backup_folder
    if folder is None:
        return "none are made by themselves: no backup_folder is set"
    beside = f"; the last one failed: {fault}" if fault else ""
    kept = good_ones(folder)
    if not kept and not (settings.data / DATABASE).exists():
        return f"none yet in {folder}"
    if not kept:
        raise CommandError(f"there is no good backup in {folder}{beside}")
    age = WallClock().now() - kept[-1].made_at
    said = f"the last good one, {kept[-1].place.name}, is {_long(age)} old; {len(kept)} are in {folder}{beside}"
    if age > LATE:
        raise CommandError(f"{said}; it must be {_long(LATE)} at most")
    return said


def _long(span: timedelta) -> str:
    hours = span.total_seconds() / 3600
    return f"{hours:.1f} h" if hours < 48 else f"{hours / 24:.0f} days"


def _journal(settings: Settings, runs: bool) -> str:
    """When it was last looked through to its end, and what was found. A house that runs must have done it in time."""
    found, days = noted_scrub(settings.data), settings.scrub_every_days
    if found is None:
        return "not looked through yet" if days else "never looked through: scrub_every_days is 0"
    age = WallClock().now() - found.at
    said = f"looked through {_long(age)} ago: {found.records} records in {found.files} files"
    if found.faults:
        raise CommandError(f"{said}, {len(found.faults)} of them damaged: {found.faults[0]}")
    if runs and days and age > timedelta(days=2 * days):
        raise CommandError(f"{said}; it must be {days} days at most")
    return f"{said}, none damaged"


def _audit(settings: Settings) -> str:
    """The whole chain; that it can be written is seen by writing that somebody looked."""
    found = verify(folder_of(settings), anchor_of(settings))
    if not found.is_whole:
        raise CommandError(f"{folder_of(settings)} was touched: {found.faults[0]} (edtwin audit verify tells all)")
    deed = Deed(at=WallClock().now(), kind="command", what="doctor", role="machine", place="loopback")
    try:
        chain_of(settings).append([deed], "command")
    except OSError as error:
        raise CommandError(f"{folder_of(settings)} cannot be written: {error.strerror or error}") from error
    gaps = f"; {'; '.join(found.remarks)}" if found.remarks else ""
    if aside := [one.folder for one in set_aside_in(folder_of(settings))]:
        names = ", ".join(map(str, aside))
        raise CommandError(
            f"{found.records} records, none touched{gaps}; but it was damaged before, and is kept with the reason in "
            f"{names}: have that looked into, then move it elsewhere"
        )
    return f"{found.records} records, none touched{gaps}"


def _kafka(settings: Settings) -> str:
    """The cluster and its topics; kafka-python is imported only here."""
    from dashboard.kafka_wiring import looked_at

    return looked_at(settings)


def _cluster(settings: Settings) -> str:
    """The workers of the cluster, each with the house's code."""
    workers_of(settings).shutdown()
    return f"{settings.executor} has workers, and they run the code of this house"


def _line(finding: Finding) -> str:
    mark = "ok   " if finding.well else "FAULT"
    return f"{mark} {finding.thing}: {finding.said}"
