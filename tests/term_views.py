"""Example views of the pages that say what words, settings and the house are."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from dashboard.about_view import AboutView, about_view, as_it_stands
from dashboard.backup_view import Backup, Standing
from dashboard.settings import Settings
from dashboard.settings_told import settings_view
from dashboard.settings_view import SettingsView

AT = datetime(2026, 11, 24, 17, 0, tzinfo=UTC)
PLACE = {"zone": "Europe/Paris", "hospital": "Hôpital d'exemple", "mode": "fabricated"}
HIDDEN = "/srv/keys/kafka-password"
SET = Settings(
    data=Path("/srv/edtwin/data"), port=8080, downtime_call="5999", members=300, huddle_at=("8:00", "14:30"),
    kafka_brokers=("broker.example:9093",), kafka_topics=("ed.events=event_json",), kafka_user="edtwin-reader",
    kafka_password_file=Path(HIDDEN),
)  # fmt: skip


def settings() -> SettingsView:
    """A house that has changed some."""
    return settings_view(SET, made_at=AT, **PLACE)


def shipped() -> SettingsView:
    """A house that has changed none."""
    return settings_view(Settings(), made_at=AT, **PLACE)


def about() -> AboutView:
    """The same house, with backups."""
    last = Backup(Path("edtwin-20261127T081200Z"), AT)
    return as_it_stands(replace(unsaved(), kept_from=AT), AT, Standing(Path("backups"), last, 48, None, AT))


def unsaved() -> AboutView:
    """The same house, which makes no backups."""
    told = about_view(since=AT, code="0123456789abcdef", kept_from=None, **PLACE)  # type: ignore[arg-type]
    return as_it_stands(told, AT, Standing(None, None, 0, None, None))


def failing() -> AboutView:
    """A house whose first backup failed."""
    return as_it_stands(unsaved(), AT, Standing(Path("backups"), None, 0, "the disk is full", AT))
