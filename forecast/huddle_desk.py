"""The huddle sheets of a house: made at their hours, once each, and kept beside the data, the newest of them."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from datetime import datetime
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from forecast.board import Feed
from forecast.huddle import due, make_sheet
from forecast.pages import HuddleView
from forecast.sheet import Sheet, name_of
from forecast.wall import Made
from ingest.errors import EdtwinError

logger = logging.getLogger(__name__)

FOLDER = "huddle"
KEPT = 120
"""Sheets that are kept: forty days at three a day."""
SHOWN = 9
"""The newest, which the page turns over; the others can be downloaded."""
_SHEET = TypeAdapter(Sheet)


class Sheets:
    """The sheets in a folder of the data, a file each; the oldest beyond `KEPT` are let go."""

    def __init__(self, data: Path) -> None:
        self._folder = data / FOLDER
        self._read: dict[str, Sheet] = {}

    @property
    def names(self) -> list[str]:
        """Of all that are kept, the newest first."""
        return sorted((file.stem for file in self._folder.glob("*.json")), reverse=True)

    def keep(self, sheet: Sheet) -> None:
        """Put a sheet there, whole or not at all."""
        self._folder.mkdir(parents=True, exist_ok=True)
        file = self._folder / f"{sheet.name}.json"
        beside = file.with_suffix(".new")
        beside.write_bytes(as_json(sheet))
        os.replace(beside, file)
        self._read[file.stem] = sheet
        for name in self.names[KEPT:]:
            (self._folder / f"{name}.json").unlink()
            self._read.pop(name, None)

    def named(self, name: str) -> Sheet | None:
        """The sheet of a name; None where there is none, or its file is of another form."""
        if name not in self.names:
            return None
        try:
            if name not in self._read:
                self._read[name] = _SHEET.validate_json((self._folder / f"{name}.json").read_bytes())
            return self._read[name]
        except (OSError, ValidationError) as error:
            logger.warning("the huddle sheet %s cannot be read: %s", name, type(error).__name__)
            return None

    def before(self, at: datetime) -> Sheet | None:
        """The newest readable sheet of a huddle before an instant."""
        found = (self.named(name) for name in self.names)
        return next((sheet for sheet in found if sheet is not None and sheet.due_at < at), None)


def as_json(sheet: Sheet) -> bytes:
    """The sheet as it is kept; what is not finite is null."""
    return _SHEET.dump_json(sheet, indent=1)


class Huddle:
    """What makes the sheets of a house when their hours come; `hours` are local times like "8:00".

    `told` is called with each sheet once it is kept, to send it on; it must neither wait nor raise.
    """

    def __init__(
        self, sheets: Sheets, zone: str, mode: str, hours: Sequence[str], told: Callable[[Sheet], None] | None = None
    ) -> None:
        self.sheets, self._told = sheets, told
        self._zone, self._mode, self._hours = zone, mode, tuple(hours)
        self._fault: str | None = None

    def turn(self, made: Made | None, feed: Feed, now: datetime, *, executor: Executor | None = None) -> None:
        """Make the sheet whose hour has come, unless it is there; a fault is said on the page and stops nothing else.

        Before there is a forecast there is no sheet; it follows with the first, within two hours.
        """
        at = due(now, self._zone, self._hours)
        if at is None or made is None or self._is_kept(at):
            return
        try:
            previous = self.sheets.before(at)
            sheet = make_sheet(made, feed, at, now, mode=self._mode, previous=previous, executor=executor)
            self.sheets.keep(sheet)
            self._fault = None
            if self._told is not None:
                self._told(sheet)
        except (EdtwinError, OSError) as fault:
            self._fault = str(fault)
            logger.warning("the huddle sheet of %s could not be made: %s", name_of(at, self._zone), fault)
        except Exception as fault:
            self._fault = type(fault).__name__
            logger.exception("the huddle sheet of %s could not be made", name_of(at, self._zone))

    def _is_kept(self, at: datetime) -> bool:
        return name_of(at, self._zone) in self.sheets.names

    def view(self, now: datetime, hospital: str) -> HuddleView:
        """The page at a moment."""
        names = self.sheets.names
        newest = (self.sheets.named(name) for name in names[:SHOWN])
        shown = tuple(sheet for sheet in newest if sheet is not None)
        return HuddleView(now, self._zone, hospital, self._mode, self._hours, shown, tuple(names), self._fault)
