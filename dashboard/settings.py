"""Every setting once: its name with the unit, its default, what it is for.

A site writes those it changes in a TOML file (`--config FILE`); an option of the command wins over the file.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationError, model_validator

from dashboard.logs import LogFormat
from ingest.configuration import Checked, load, plain
from ingest.errors import ConfigurationError
from ingest.hosts import is_network, is_safe, is_this_machine
from twin.hospital import known_holidays

WallChart = Literal["waiting", "boarding", "free_beds", "arrivals"]
"""What may stand below the census on the wall."""
WALL_CHARTS: tuple[WallChart, ...] = ("waiting", "boarding", "free_beds")
MOST_CHARTS = 3


def _fit_below(charts: tuple[WallChart, ...]) -> tuple[WallChart, ...]:
    if len(charts) > MOST_CHARTS:
        raise ValueError(f"there must be {MOST_CHARTS} at most")
    if len(set(charts)) < len(charts):
        raise ValueError("each must be named once")
    return charts


def _a_network(text: str) -> str:
    if not is_network(text):
        raise ValueError("must be an address or a network such as 10.1.2.0/24")
    return text


GIVEN_ROLES = ("viewer", "proposer", "manager", "administrator")
"""Roles that people are given; a wall's screen has its token."""
ACCOUNTS = "accounts.json"
"""The file of accounts, where the settings name none."""


_HEADER = r"^[A-Za-z][A-Za-z0-9-]*$"


class Settings(Checked):
    """What can be set; the README of this folder has them in a table, which a test compares."""

    data: Annotated[Path, Field(description="folder that holds the database and the secret")] = Path("data")
    hospital: Annotated[
        Path | None, Field(description="the site's own file: its hospital and, if need be, its path and parameters")
    ] = None
    holidays: Annotated[
        str | None,
        AfterValidator(lambda place: known_holidays(place) if place is not None else None),
        Field(description="whose public holidays count, such as FR or FR-57; none: the hospital file's"),
    ] = None
    school_zone: Annotated[
        Literal["A", "B", "C", ""] | None,
        Field(description="whose school holidays count: French zone A, B or C; none: the hospital file's"),
    ] = None
    outside: Annotated[
        tuple[Path, ...], Field(description="CSV files of series from outside that may move arrivals: weather, flu")
    ] = ()
    scenarios: Annotated[Path | None, Field(description="a catalogue of scenarios added to the shipped one")] = None
    views: Annotated[
        Path | None, Field(description="points of view and their criteria, in place of the shipped ones of their names")
    ] = None
    services: Annotated[
        Path | None, Field(description="services and when they break, in place of the shipped ones of their names")
    ] = None
    alerts: Annotated[
        Path | None, Field(description="what is watched, and who is told; none: the shipped rules, nobody told")
    ] = None
    supplies: Annotated[
        Path | None, Field(description="the site's own support services and items, added to the shipped ones")
    ] = None
    people: Annotated[Path | None, Field(description="who may propose and decide at the desk, a TOML file")] = None
    wall_scenarios: Annotated[
        tuple[str, ...],
        Field(min_length=1, description="of every cycle; the first is the one compared with"),
    ] = ("as_usual", "one_more_doctor", "earlier_discharges", "escalation_beds", "mass_casualty_20")
    wall_charts: Annotated[
        tuple[WallChart, ...],
        AfterValidator(_fit_below),
        Field(
            description="below the census, in this order: up to three of waiting, boarding, free_beds, arrivals",
        ),
    ] = WALL_CHARTS
    wall_rotation: Annotated[
        tuple[str, ...],
        Field(
            description="pages that the wall's screen shows in turn, such as wall, floor, alerts; none: the wall alone"
        ),
    ] = ()
    wall_rotation_s: Annotated[float, Field(ge=5, le=3600, description="seconds that each of them stands")] = 30.0
    host: Annotated[str, Field(description="address that the wall is served on")] = "127.0.0.1"
    host_allow_insecure: Annotated[
        bool,
        Field(description="serve beyond this machine all the same: nobody signs in, or nothing is encrypted"),
    ] = False
    port: Annotated[int, Field(ge=0, le=65535, description="port that the wall is served on")] = 8050
    access: Annotated[
        Literal["open", "accounts", "proxy", "oidc"],
        Field(description="who signs in: nobody (open), accounts of this house, whom a proxy names, by OpenID Connect"),
    ] = "open"
    access_file: Annotated[
        Path | None, Field(description="accounts of this house and tokens of walls; none: accounts.json in data")
    ] = None
    access_url: Annotated[
        str | None,
        Field(
            pattern=r"^https://[\w.-]+(:\d{1,5})?$",
            description="where people reach the house through a proxy with TLS, such as https://edtwin.chu.example",
        ),
    ] = None
    access_proxies: Annotated[
        tuple[Annotated[str, AfterValidator(_a_network)], ...],
        Field(description="addresses or networks of proxies that are trusted; none: people reach it by this machine"),
    ] = ()
    access_user_header: Annotated[
        str, Field(pattern=_HEADER, description="header in which a trusted proxy says who is there")
    ] = "Remote-User"
    access_groups_header: Annotated[
        str, Field(pattern=_HEADER, description="header in which it says in which groups they are")
    ] = "Remote-Groups"
    access_roles: Annotated[
        tuple[str, ...], Field(description="the role of each group, as GROUP=ROLE, for a proxy and OpenID Connect")
    ] = ()
    oidc_issuer: Annotated[
        str | None,
        Field(description="who issues identities by OpenID Connect, such as https://sso.chu.example/realms/chu"),
    ] = None
    oidc_client: Annotated[str, Field(min_length=1, description="what this house is called there")] = "edtwin"
    oidc_secret_file: Annotated[
        Path | None, Field(description="file of the house's secret there; none: the proof key alone protects it")
    ] = None
    oidc_name_claim: Annotated[str, Field(min_length=1, description="claim that names a person")] = "preferred_username"
    oidc_roles_claim: Annotated[str, Field(min_length=1, description="claim with a person's groups")] = "groups"
    oidc_scopes: Annotated[tuple[str, ...], Field(description="what is asked of the issuer; openid is always")] = (
        "openid",
        "profile",
    )
    oidc_acr: Annotated[
        tuple[str, ...], Field(description="how somebody signed in there (acr): one of these; none: any")
    ] = ()
    oidc_amr: Annotated[
        tuple[str, ...], Field(description="by what somebody signed in there (amr): all of these, such as otp")
    ] = ()
    oidc_ca: Annotated[Path | None, Field(description="authority of the issuer's certificate; none: the system's")] = (
        None
    )
    access_idle_min: Annotated[
        float, Field(gt=0, le=720, description="minutes without anybody after which one is signed out")
    ] = 30.0
    access_longest_h: Annotated[
        float, Field(gt=0, le=24, description="hours after which one signs in again, whatever happens")
    ] = 12.0
    language: Annotated[Literal["fr", "en"], Field(description="language of a page that does not name one")] = "fr"
    downtime_call: Annotated[
        str | None,
        Field(min_length=1, max_length=40, description="telephone or extension to call while the board is blind"),
    ] = None
    downtime_folder: Annotated[
        Path | None,
        Field(
            description="folder of the downtime sheets, better one that others reach too; none: `downtime` of the data"
        ),
    ] = None
    refresh_s: Annotated[float, Field(gt=0, description="how often a page asks for news, in seconds")] = 5.0
    every_min: Annotated[float, Field(gt=0, description="minutes from one forecast to the next")] = 10.0
    horizon_h: Annotated[float, Field(gt=0, le=72, description="how far a forecast goes, in hours")] = 24.0
    step_min: Annotated[float, Field(gt=0, description="minutes between the valid times of a forecast")] = 15.0
    learn_at_h: Annotated[
        int, Field(ge=0, le=23, description="local hour at which the parameters are learned anew")
    ] = 4
    huddle_at: Annotated[
        tuple[Annotated[str, Field(pattern=r"^([01]?\d|2[0-3]):[0-5]\d$")], ...],
        Field(description="local times at which a huddle sheet is made, each like 8:00; none: no sheets"),
    ] = ("8:00", "13:00", "18:00")
    members: Annotated[int, Field(ge=2, le=5000, description="runs of an ensemble")] = 1000
    workers: Annotated[int, Field(ge=1, le=64, description="processes that simulate")] = 2
    executor: Annotated[
        str,
        Field(
            pattern=r"^(local|(dask|tls)://([\w.-]+|\[[0-9a-fA-F:]+\]):\d{1,5})$",
            description="where members run: local, or a Dask cluster as dask://host:port or tls://host:port",
        ),
    ] = "local"
    executor_allow_insecure: Annotated[
        bool, Field(description="speak to a Dask cluster without TLS beyond this machine all the same")
    ] = False
    executor_ca: Annotated[Path | None, Field(description="authority of the cluster's certificates")] = None
    executor_cert: Annotated[Path | None, Field(description="certificate that is shown to the cluster")] = None
    executor_key: Annotated[Path | None, Field(description="its private key")] = None
    seed: Annotated[int, Field(ge=0, lt=1000, description="base of all random numbers")] = 1
    history_days: Annotated[int, Field(ge=10, le=365, description="days fabricated for the demonstration")] = 60
    alert_days: Annotated[
        int, Field(ge=0, le=365, description="days forecast again to set the rules of alarms; 0: none")
    ] = 35
    measure_days: Annotated[int, Field(ge=0, le=60, description="days replayed to judge forecasts; 0: none")] = 60

    fabricated: Annotated[
        bool, Field(description="what is fed in is of a hospital that does not exist; the wall says so")
    ] = False
    mllp_port: Annotated[int, Field(ge=0, le=65535, description="port that HL7 is taken on by MLLP; 0: none")] = 0
    mllp_host: Annotated[str, Field(description="address that MLLP listens on")] = "127.0.0.1"
    mllp_mapping: Annotated[Path | None, Field(description="mapping of the HL7 messages")] = None
    mllp_senders: Annotated[
        tuple[str, ...],
        Field(description="who may send, as APPLICATION^FACILITY@NETWORK; none named: this machine"),
    ] = ()
    mllp_tls_cert: Annotated[Path | None, Field(description="certificate (chain) of MLLP over TLS")] = None
    mllp_tls_key: Annotated[Path | None, Field(description="its private key")] = None
    mllp_tls_client_ca: Annotated[Path | None, Field(description="authority whose certificates senders must show")] = (
        None
    )
    quarantine_key: Annotated[
        str | None, Field(description="public key to which messages that cannot be split are sealed")
    ] = None
    audit: Annotated[Path | None, Field(description="folder of the audit log; none: audit in the data's folder")] = None
    audit_anchor: Annotated[
        Path | None,
        Field(description="file that holds the hash of the audit's last record; none: audit.anchor in the data's"),
    ] = None
    audit_months: Annotated[
        int, Field(ge=1, le=120, description="whole months that the audit is kept, beside the one that runs")
    ] = 12
    keep_events_months: Annotated[
        int,
        Field(
            ge=13,
            le=240,
            description="whole months that events are kept, beside the one that runs; before, figures of days are",
        ),
    ] = 13
    disk_reserve_mb: Annotated[int, Field(ge=0, description="free disk below which nothing is taken in, in MB")] = 512

    log_format: Annotated[
        LogFormat, Field(description="lines on standard error: text for people, or json, one object a line")
    ] = "text"
    backup_folder: Annotated[
        Path | None, Field(description="folder of hourly backups, better on another disk; none: none are made")
    ] = None
    backup_kept: Annotated[int, Field(ge=1, le=10_000, description="how many of them are kept")] = 48

    scrub_every_days: Annotated[
        int, Field(ge=0, le=365, description="days from one look through the whole journal to the next; 0: none")
    ] = 7

    kafka_brokers: Annotated[tuple[str, ...], Field(description="brokers of Kafka as host:port; none: no Kafka")] = ()
    kafka_topics: Annotated[
        tuple[str, ...], Field(description="topics that are read, each as TOPIC=FORMAT: event_json or hl7")
    ] = ()
    kafka_forecasts_topic: Annotated[
        str | None, Field(description="topic on which each forecast is published, such as edtwin.forecasts")
    ] = None
    kafka_security: Annotated[
        Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"],
        Field(description="how Kafka is spoken to; without SSL only on this machine"),
    ] = "PLAINTEXT"
    kafka_allow_insecure: Annotated[
        bool, Field(description="speak to Kafka without SSL beyond this machine all the same")
    ] = False
    kafka_ca: Annotated[
        Path | None, Field(description="authority of the brokers' certificates; none: the system's")
    ] = None
    kafka_cert: Annotated[Path | None, Field(description="certificate that is shown to the brokers")] = None
    kafka_key: Annotated[Path | None, Field(description="its private key")] = None
    kafka_mechanism: Annotated[
        Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] | None,
        Field(description="of SASL: how the password is shown"),
    ] = None
    kafka_user: Annotated[str, Field(description="user of SASL")] = ""
    kafka_password_file: Annotated[Path | None, Field(description="file whose first line is the user's password")] = (
        None
    )

    fhir_mapping: Annotated[
        Path | None, Field(description="mapping of the FHIR resources taken at /fhir; none: not taken")
    ] = None
    fhir_token: Annotated[Path | None, Field(description="file of the token that senders to /fhir must show")] = None

    @model_validator(mode="after")
    def _kafka_is_whole(self) -> Settings:
        if (self.kafka_topics or self.kafka_forecasts_topic) and not self.kafka_brokers:
            raise ValueError("kafka_brokers must be given where a topic of Kafka is")
        if "hl7" in self.topic_formats.values() and self.mllp_mapping is None:
            raise ValueError("mllp_mapping must be given where a topic of Kafka holds HL7")
        return self

    @property
    def topic_formats(self) -> dict[str, str]:
        """The topics of Kafka that are read, each with its format. Raises ValueError where one names none."""
        formats = {}
        for text in self.kafka_topics:
            topic, _, form = text.rpartition("=")
            if not topic or form not in ("event_json", "hl7"):
                raise ValueError(f"kafka_topics must be like ed.events=event_json or adt=hl7, but is {text}")
            formats[topic] = form
        return formats

    @property
    def roles_of_groups(self) -> dict[str, str]:
        """The role of each group. Raises ValueError where one names none."""
        roles = {}
        for text in self.access_roles:
            group, _, role = text.rpartition("=")
            if not group.strip() or role not in GIVEN_ROLES:
                raise ValueError(
                    f"access_roles must be like ed-nurses=proposer, of {', '.join(GIVEN_ROLES)}, but is {text}"
                )
            roles[group.strip()] = role
        return roles

    @model_validator(mode="after")
    def _access_is_whole(self) -> Settings:
        if self.access in ("proxy", "oidc") and not self.roles_of_groups:
            raise ValueError("access_roles must be given where access is proxy or oidc, or nobody has a role")
        if self.access == "proxy" and not self.access_proxies:
            raise ValueError("access_proxies must be given where access is proxy")
        if self.access == "oidc" and not (self.oidc_issuer and is_safe(self.oidc_issuer)):
            raise ValueError("oidc_issuer must be given where access is oidc, and be https beyond this machine")
        if "openid" not in self.oidc_scopes:
            raise ValueError("oidc_scopes must have openid")
        return self

    @property
    def accounts_file(self) -> Path:
        """Where the accounts of this house are."""
        return self.access_file or self.data / ACCOUNTS

    @model_validator(mode="after")
    def _host_is_meant(self) -> Settings:
        is_asked = self.access != "open" and self.access_url is not None and bool(self.access_proxies)
        if not (self.host_allow_insecure or is_this_machine(self.host) or is_asked):
            raise ValueError(
                "host must be of this machine, since nobody signs in and nothing is encrypted (or be with access, "
                "access_url and access_proxies, or with host_allow_insecure, on a closed network or behind a proxy "
                f"that asks), but is {self.host}"
            )
        return self

    @model_validator(mode="after")
    def _executor_is_whole(self) -> Settings:
        scheme, _, place = self.executor.partition("://")
        if scheme == "tls" and None in (self.executor_ca, self.executor_cert, self.executor_key):
            raise ValueError("executor_ca, executor_cert and executor_key must be given where executor is tls://..")
        host = place.rpartition(":")[0].strip("[]")
        if scheme == "dask" and not (self.executor_allow_insecure or is_this_machine(host)):
            raise ValueError(
                "executor must be tls://host:port beyond this machine (or be with executor_allow_insecure), "
                f"but is {self.executor}"
            )
        return self

    @model_validator(mode="after")
    def _mllp_is_whole(self) -> Settings:
        if self.mllp_port and self.mllp_mapping is None:
            raise ValueError("mllp_mapping must be given where mllp_port is")
        if (self.mllp_tls_cert is None) != (self.mllp_tls_key is None):
            raise ValueError("mllp_tls_cert and mllp_tls_key must be given together, or not at all")
        if self.mllp_tls_client_ca is not None and self.mllp_tls_cert is None:
            raise ValueError("mllp_tls_client_ca needs mllp_tls_cert and mllp_tls_key")
        return self

    @model_validator(mode="after")
    def _fhir_is_whole(self) -> Settings:
        if (self.fhir_mapping is None) != (self.fhir_token is None):
            raise ValueError("fhir_mapping and fhir_token must be given together, or not at all")
        return self

    @model_validator(mode="after")
    def _whole_steps(self) -> Settings:
        if self.horizon_h * 60 < self.step_min or self.horizon_h * 60 % self.step_min:
            raise ValueError(
                f"horizon_h must be whole steps of {self.step_min:g} min (step_min), but is {self.horizon_h:g} h"
            )
        return self


_PATHS = (
    "data", "access_file", "audit", "audit_anchor", "backup_folder", "downtime_folder",
    "hospital", "scenarios", "people", "views", "services", "alerts", "supplies",
    "mllp_mapping", "mllp_tls_cert", "mllp_tls_key", "mllp_tls_client_ca",
    "oidc_secret_file", "oidc_ca", "kafka_ca", "kafka_cert", "kafka_key", "kafka_password_file",
    "fhir_mapping", "fhir_token", "executor_ca", "executor_cert", "executor_key",
)  # fmt: skip
"""Settings that are files or folders."""


def load_settings(config: Path | None, **options: object) -> Settings:
    """The settings of a file, or the defaults, with the options that are not None in place of theirs.

    Raises ConfigurationError with every fault of the file and its line, or with every fault of the options; paths in
    the file are relative to its folder.
    """
    settings = _beside(load(config, Settings), config.parent) if config else Settings()
    given = {name: value for name, value in options.items() if value is not None}
    try:
        return Settings.model_validate(settings.model_dump() | given)
    except ValidationError as error:
        raise ConfigurationError([_fault(e) for e in error.errors()]) from error


def _fault(error: Any) -> str:
    """A fault of an option, named by the setting that it stands for."""
    rule = plain(str(error["msg"]).removeprefix("Value error, "))
    if not error["loc"]:
        return rule
    return f"{error['loc'][0]}: {rule[:1].lower()}{rule[1:]}, but is {error['input']!r}"


def _beside(settings: Settings, folder: Path) -> Settings:
    named: dict[str, Any] = {name: folder / path for name in _PATHS if (path := getattr(settings, name))}
    named["outside"] = tuple(folder / file for file in settings.outside)
    return settings.model_copy(update=named)
