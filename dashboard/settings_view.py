"""The page of the settings as values: each with its value, what it is, and whether it was changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class SettingRow:
    """One setting. `value` is None where nothing is set; `is_shown` is False of what opens a door."""

    name: str
    value: str | None
    fr: str
    en: str
    default: str | None
    is_changed: bool
    is_shown: bool


@dataclass(frozen=True)
class SettingsView:
    """Every setting of the house, by group."""

    made_at: datetime
    zone: str
    hospital: str
    mode: str
    groups: tuple[tuple[str, tuple[SettingRow, ...]], ...]
