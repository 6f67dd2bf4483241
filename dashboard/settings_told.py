"""The settings of a running house as a page shows them: each with its value, what it is, and whether it was changed.

Whoever reaches the wall may see it, so what opens a door is not shown: of keys, tokens, passwords and senders only
whether they are set. Of files the name is shown, not where they lie.
"""

from __future__ import annotations

import tomllib
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from dashboard.settings import Settings
from dashboard.settings_view import SettingRow, SettingsView

FRENCH = Path(__file__).with_name("settings_fr.toml")
GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("kafka", ("kafka_",)), ("hl7", ("mllp_", "quarantine_")), ("fhir", ("fhir_",)), ("access", ("access", "oidc_")),
    ("machine", ("executor", "workers", "disk_", "backup_", "log_", "data", "audit", "keep_", "host", "port")),
    ("forecast", ("members", "every_", "horizon_", "step_", "learn_", "measure_", "alert_days",
     "wall_scenarios", "seed", "history_", "fabricated")),
)  # fmt: skip
"""Groups of settings by how their names begin; all others are of the site."""
SITE = "site"
_ORDER = (SITE, "forecast", "machine", "access", "hl7", "kafka", "fhir")
NOT_SHOWN = ("key", "token", "password", "secret", "senders", "kafka_user", "brokers")
"""Parts of names of what opens a door."""


def settings_view(settings: Settings, *, made_at: datetime, zone: str, hospital: str, mode: str) -> SettingsView:
    """The page of the settings."""
    rows: dict[str, list[SettingRow]] = {
        name: [] for name in (SITE, "forecast", "machine", "access", "hl7", "kafka", "fhir")
    }
    for name in Settings.model_fields:
        rows[group_of(name)].append(_row(settings, name))
    return SettingsView(made_at, zone, hospital, mode, tuple((name, tuple(of)) for name, of in rows.items()))


def group_of(name: str) -> str:
    """The group of a setting."""
    return next((group for group, begins in GROUPS if name.startswith(begins)), SITE)


@cache
def in_french() -> dict[str, str]:
    """What each setting is, in French."""
    told: dict[str, str] = tomllib.loads(FRENCH.read_text(encoding="utf-8"))
    return told


def _row(settings: Settings, name: str) -> SettingRow:
    field, value = Settings.model_fields[name], getattr(settings, name)
    is_shown = not any(part in name for part in NOT_SHOWN)
    return SettingRow(
        name, _said(value) if is_shown else None, in_french()[name], field.description or "", _said(field.default),
        is_changed=value != field.default, is_shown=is_shown,
    )  # fmt: skip


def _said(value: Any) -> str | None:
    """A value as it is written in the file; None where nothing is set."""
    match value:
        case None | () | "":
            return None
        case bool():
            return "true" if value else "false"
        case Path():
            return value.name or str(value)
        case tuple():
            return ", ".join(str(_said(one)) for one in value)
        case float():
            return f"{value:g}"
        case _:
            return str(value)
