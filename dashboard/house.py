"""An open house: the database held, the log, the archive, and what the site is."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from dashboard.audit.wiring import record_mended
from dashboard.backup_names import newest_database, newest_first
from dashboard.errors import CommandError
from dashboard.formats import readers_of
from dashboard.mending import Place, mend_journal, opened, sound
from dashboard.scrubbing import noted_scrub
from dashboard.settings import Settings
from forecast.alert_rules import AlertRules, load_rules
from forecast.archive import SCHEMA_SQL as FORECAST_SQL
from forecast.archive import Archive
from forecast.cluster import Certificates
from forecast.ensemble import Run
from forecast.executors import executor_of
from forecast.own_scenarios import KnownScenarios, OwnScenarios
from forecast.points_of_view import points_of_view
from forecast.services import services_file
from forecast.study import Study
from forecast.workers import Workers
from ingest.backup import DATABASE as DATABASE
from ingest.backup import JOURNAL as JOURNAL
from ingest.clock import Clock, WallClock
from ingest.database import SCHEMA_SQL as INGEST_SQL
from ingest.database import Database
from ingest.errors import JournalDamagedError
from ingest.indexer import Indexer, JournalledLog
from ingest.journal import Journal
from ingest.log import EventLog, Span
from ingest.pseudonyms import Pseudonyms, open_secret
from ingest.rebuild import rebuild
from ingest.rewriting import is_rewritten, why_rewritten
from twin.hospital import Hospital
from twin.kernel import warm
from twin.pathway import TABLES, load_path
from twin.scenarios import Names, Scenario, catalogue, pick
from twin.site import Site, load_site
from twin.supply_file import Supplies, load_supplies

SECRET = "secret.key"
FABRICATED = "fabricated.json"
"""Says, beside the database, which fabricated hospital the log is of."""
COMPILED = "compiled"
"""The folder where the compiled engine is kept if it cannot be beside the code; it may be removed at any time."""
BACKTESTS = "backtests"
"""The folder of what back-tests have done so far and of the last report; it may be removed at any time."""
REPLAYS = "replays"
"""The folder of forecasts of past instants that were made afterwards; it may be removed at any time."""
SHORTEST_BUDGET_S = 300.0
"""A task may take as long as from one forecast to the next, or this if longer: the engine may have to be compiled."""
REPORT = "report.html"
"""In that folder, the last report of a back-test."""
REPORT_JSON = "report.json"
"""In that folder, its figures, as `edtwin backtest --json` prints them."""
SCHEMAS = (INGEST_SQL, FORECAST_SQL)
UNFINISHED = {"erased": ("an erasure", "erase"), "ended": ("the end of old events", "retain")}
"""Why a journal was written anew whose database was not made of it yet, and the command that goes on."""


@dataclass(frozen=True)
class House:
    """An open hospital: its data and what it is."""

    settings: Settings
    clock: Clock
    log: EventLog
    archive: Archive
    site: Site
    journal: Journal
    indexer: Indexer
    database: Database
    rules: AlertRules
    supplies: Supplies

    @property
    def hospital(self) -> Hospital:
        """The hospital that the site's file tells of."""
        return self.site.hospital

    @property
    def own_hospital(self) -> bool:
        """True where the units are the site's own, so that their beds and spaces count."""
        return self.site.own_units

    def scenarios(self, names: tuple[str, ...] | None = None) -> list[Scenario]:
        """The wall's scenarios, or those named, of the catalogue and those that were saved here."""
        return pick(self.catalogue(), names or self.settings.wall_scenarios)

    def catalogue(self) -> KnownScenarios:
        """The catalogue and what was saved here, also later on."""
        return KnownScenarios(OwnScenarios(self.database, self.clock), scenario_catalogue(self.settings))

    def pseudonyms(self) -> Pseudonyms:
        """Keyed with the secret beside the database; made anew only while the log is empty."""
        secret = open_secret(self.settings.data / SECRET, create=self.log.span() is None)
        return Pseudonyms(secret, "edtwin")

    def said(self) -> str:
        """What it holds, in a sentence for who looks after it."""
        span = self.log.span()
        if span is None:
            return f"{self.settings.data} is empty"
        rejected = sum(self.log.rejected_counts().values())
        journal = f"{self.journal.last} records in the journal"
        return f"{span.count} events {_when(self.clock, span)}; rejected {rejected}; {journal}"

    def workers(self, *, runs_on: bool = False, gives_way: int = 0) -> Executor:
        """What simulates: the house's own processes, or the cluster of the settings.

        A house that `runs_on` goes over to its own processes while the cluster cannot be had; a command that runs
        once raises ClusterError. `gives_way`: by how much lower the priority of processes is than that of this one.
        """
        return workers_of(self.settings, runs_on=runs_on, gives_way=gives_way)

    def run(self) -> Run:
        """How ensembles are run."""
        s = self.settings
        return Run(s.members, s.horizon_h * 60.0, s.step_min, s.seed)


def _when(clock: Clock, span: Span) -> str:
    hours = (clock.now() - span.last_known_at).total_seconds() / 3600
    ago = f"{hours:.1f} h" if hours < 48 else f"{hours / 24:.0f} days"
    first, last = span.first_occurred_at, span.last_occurred_at
    return f"from {first:%Y-%m-%d} to {last:%Y-%m-%d %H:%M} UTC, the last heard {ago} ago"


def study_of(house: House) -> Study:
    """What comparing scenarios needs: points of view, services, catalogue, hospital."""
    settings = house.settings
    return Study(
        points_of_view(settings.views), services_file(settings.services), house.catalogue(), house.hospital,
        house.hospital.spaces if house.own_hospital else None, supplies_of(settings, house.hospital),
    )  # fmt: skip


def workers_of(settings: Settings, *, runs_on: bool = False, gives_way: int = 0) -> Executor:
    """What simulates, by the settings."""
    local = partial(processes_of, settings, gives_way=gives_way)
    return executor_of(settings.executor, local, _certificates(settings), runs_on=runs_on)


def _certificates(settings: Settings) -> Certificates | None:
    """Those of a cluster that is spoken to over TLS."""
    ca, cert, key = settings.executor_ca, settings.executor_cert, settings.executor_key
    return Certificates(ca, cert, key) if ca and cert and key and settings.executor.startswith("tls:") else None


def processes_of(settings: Settings, *, gives_way: int = 0) -> Workers:
    """Processes of the house's own, each of which makes the compiled engine ready beside its first members.

    What they compile is kept beside the code or, where that cannot be written, the data.
    """
    budget_s = max(settings.every_min * 60.0, SHORTEST_BUDGET_S)
    prepare = partial(warm, settings.data / COMPILED)
    return Workers(settings.workers, prepare=prepare, budget_s=budget_s, gives_way=gives_way)


@contextmanager
def open_house(
    settings: Settings, clock: Clock | None = None, *, mends: bool = True, shows_what_is_known: bool = False
) -> Iterator[House]:
    """The house of the settings, its database and its journal held until the block ends.

    What is journalled and not yet in the log is indexed first, so that no view is without it. A damaged database is set
    aside and made anew of the journal (`mending.py`), unless it `mends` nothing. A journal that ends before the log,
    and that no backup makes whole, is refused, or takes nothing in by a house that `shows_what_is_known`.
    """
    clock = clock or WallClock()
    if is_rewritten(settings.data / JOURNAL):
        what, command = UNFINISHED[why_rewritten(settings.data / JOURNAL)]
        raise CommandError(f"{what} in {settings.data} was not finished: edtwin {command} --finish")
    site, rules = site_of(settings), load_rules(settings.alerts)
    supplies = supplies_of(settings, site.hospital)
    pick(scenario_catalogue(settings), settings.wall_scenarios)
    with opened_database(settings, mends=mends) as database:
        log = JournalledLog(database, clock)
        with whole_journal(settings, log, mends=mends) as journal:
            indexer = Indexer(journal, log, readers_of(settings), shows_what_is_known=shows_what_is_known)
            log.follow(journal, indexer)
            try:
                indexer.catch_up()
                yield House(settings, clock, log, Archive(database), site, journal, indexer, database, rules, supplies)
            finally:
                indexer.close()


def opened_database(settings: Settings, *, mends: bool = True) -> Database:
    """The settings' database, every block of it read; a damaged one made anew, of which the audit keeps a record."""
    file = settings.data / DATABASE
    if not mends:
        return sound(file, SCHEMAS)
    database, mended = opened(Place(
        file, SCHEMAS, settings.data / JOURNAL, backup=partial(newest_database, settings.backup_folder),
        make=partial(made_anew, settings),
    ))  # fmt: skip
    if mended is not None:
        record_mended(settings, mended.found_at, mended.aside, kept=mended.kept, until=mended.kept_until)
    return database


def site_of(settings: Settings) -> Site:
    """What the site's file tells, or the default one; the holidays of the settings count before its own."""
    site = load_site(settings.hospital)
    hospital, holidays, zone = site.hospital, settings.holidays, settings.school_zone
    hospital = hospital if holidays is None else replace(hospital, holidays=holidays)
    hospital = hospital if zone is None else replace(hospital, school_zone=zone)
    return replace(site, hospital=replace(hospital, outside=tuple(str(file) for file in settings.outside)))


def open_journal(settings: Settings, log: EventLog) -> Journal:
    """The journal of the settings' folder, with the instants of the log that is made of it."""
    reserve_bytes = settings.disk_reserve_mb * 1024**2
    return Journal.open(settings.data / JOURNAL, log.instants, reserve_bytes=reserve_bytes)


def whole_journal(settings: Settings, log: EventLog, *, mends: bool = True) -> Journal:
    """As `open_journal`; one that is damaged, or ends before the log, is made whole from the newest backups first, if
    these can. So is one that the last look through it found damaged."""
    found = noted_scrub(settings.data)
    if mends and found is not None and found.faults:
        mended_journal(settings)
    try:
        journal = open_journal(settings, log)
    except JournalDamagedError:
        if not mends or not mended_journal(settings):
            raise
        journal = open_journal(settings, log)
    indexed = log.indexed()
    if mends and indexed is not None and indexed.number > journal.last:
        journal.close()
        mended_journal(settings, goes_on=True)
        journal = open_journal(settings, log)
    return journal


def mended_journal(settings: Settings, *, goes_on: bool = False) -> bool:
    """Make the journal whole from backups: True where anything was. The audit keeps a record of it."""
    copies = [one.place / JOURNAL for one in newest_first(settings.backup_folder)]
    mended = mend_journal(settings.data, copies, goes_on=goes_on)
    for one in mended:
        record_mended(settings, one.found_at, one.aside, kept=one.kept, until=one.kept_until)
    return bool(mended)


def made_anew(settings: Settings, database: Database) -> None:
    """Fill a database from the journal, which is made whole first where that is damaged and can be."""
    try:
        rebuild(database, WallClock(), partial(open_journal, settings), readers_of(settings))
    except JournalDamagedError:
        if not mended_journal(settings):
            raise
        rebuild(database, WallClock(), partial(open_journal, settings), readers_of(settings))


def supplies_of(settings: Settings, hospital: Hospital) -> Supplies:
    """The shipped support services and items, and the site's."""
    files = (settings.supplies,) if settings.supplies else ()
    return load_supplies(*files, wards={unit.name for unit in hospital.wards})


def scenario_catalogue(settings: Settings) -> dict[str, Scenario]:
    """The shipped scenarios and the site's."""
    files: tuple[Path, ...] = (settings.scenarios,) if settings.scenarios else ()
    return catalogue(*files, names=names_of(settings))


def names_of(settings: Settings) -> Names:
    """What a scenario may speak of: what the site has, and the shipped one, which shipped scenarios name."""
    sites = [load_site(file) for file in dict.fromkeys((settings.hospital, None))]
    tables = [load_path(table, sites[-1].hospital) for table in TABLES]
    paths = [*(site.path for site in sites if site.path), *tables]
    return Names.of(
        [site.hospital for site in sites], paths, load_supplies(*((settings.supplies,) if settings.supplies else ()))
    )


def require_data(settings: Settings) -> Settings:
    """The settings, if their folder holds data; raises CommandError where it does not. Makes nothing."""
    if not (settings.data / DATABASE).exists():
        raise CommandError(f"{settings.data} holds no data: load an extract with edtwin ingest first")
    return settings
