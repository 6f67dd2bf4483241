"""The audit of a house or of a command: where it is kept, and what the house says of itself when it begins and ends."""

from __future__ import annotations

import getpass
import logging
import sys
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from dashboard.audit.chain import ANCHOR, Chain
from dashboard.audit.mending import set_aside_in
from dashboard.audit.records import Deed, Outcome
from dashboard.audit.trail import Trail
from dashboard.settings import Settings
from dashboard.settings_told import settings_view
from forecast.board import Mended
from ingest.clock import WallClock

logger = logging.getLogger(__name__)

FOLDER = "audit"
"""In the data's folder, where no setting says otherwise."""


def folder_of(settings: Settings) -> Path:
    """Where the months are."""
    return settings.audit or settings.data / FOLDER


def anchor_of(settings: Settings) -> Path:
    """Where the anchor is."""
    return settings.audit_anchor or settings.data / ANCHOR


def chain_of(settings: Settings) -> Chain:
    """The chain of the settings' folder."""
    return Chain(folder_of(settings), anchor_of(settings), settings.audit_months)


def kept_where(settings: Settings) -> dict[str, Any]:
    """The settings of a sandbox whose audit is that of the house it is made from: it outlives the sandbox."""
    return {"audit": folder_of(settings), "audit_anchor": anchor_of(settings)}


def trail_of(settings: Settings, mode: str) -> Trail:
    """The audit of a running house; `mode` tells an exercise and a replay apart from the house itself."""
    return Trail(chain_of(settings), mode)


def begin(trail: Trail, settings: Settings, *, mode: str, code: str) -> None:
    """Begin, with a record of how the house is set, and tell the process's log where the chain ends: whoever keeps that
    log elsewhere can tell later whether the chain was made anew."""
    trail.start()
    at = trail.now()
    told = {"version": version("edtwin"), "code": code, "settings": set_here(settings, at)}
    trail.keep(Deed(at=at, kind="house", what="started", role="house", about=mode, told=told), wait=True)
    _tell(trail, "begins")


def end(trail: Trail) -> None:
    """The last record, and the end."""
    trail.keep(Deed(at=trail.now(), kind="house", what="ended", role="house"))
    trail.stop()
    _tell(trail, "ends")


def _tell(trail: Trail, what: str) -> None:
    """On standard error, where the process's log goes."""
    print(f"the audit {what} with record {trail.head.number}, {trail.head.hash}", file=sys.stderr, flush=True)


def set_here(settings: Settings, at: datetime) -> dict[str, str | None]:
    """The settings that were changed, as the page of the settings shows them: of what opens a door only that it is
    set."""
    view = settings_view(settings, made_at=at, zone="UTC", hospital="", mode="")
    rows = [row for _, group in view.groups for row in group if row.is_changed]
    return {row.name: row.value if row.is_shown else "(set)" for row in rows}


def record_command(settings: Settings, command: str, about: str, outcome: Outcome, **told: Any) -> None:
    """A command that read or changed the data, by the account that ran it. What hinders the record is logged."""
    deed = Deed(
        at=WallClock().now(), kind="command", what=command, about=about, who=_account(), role="machine",
        place="loopback", outcome=outcome, told=told,
    )  # fmt: skip
    _append(settings, deed, "command")


def record_mended(settings: Settings, found_at: datetime, aside: str, *, kept: str, until: datetime | None) -> None:
    """Data that were damaged and made whole when the house was opened: since when, and what was kept."""
    told = {"found_at": found_at.isoformat(), "kept": kept, "until": until.isoformat() if until else None}
    deed = Deed(at=WallClock().now(), kind="house", what="mended", about=aside, role="house", told=told)
    _append(settings, deed, "house")


def mended_audits(settings: Settings) -> list[Mended]:
    """The damaged audits that stand aside, as the page about this house and the wall tell of them."""
    return [Mended("audit", one.found_at, one.folder.name, done=True) for one in set_aside_in(folder_of(settings))]


def _append(settings: Settings, deed: Deed, house: str) -> None:
    try:
        chain_of(settings).append([deed], house)
    except OSError as error:
        logger.warning("the audit %s cannot be written: %s", folder_of(settings), error.strerror or error)


def shown_head(trail: Trail) -> str:
    """Where the chain ends, for the about page: number and hash."""
    return f"{trail.head.number} · {trail.head.hash}"


def _account() -> str | None:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return None
