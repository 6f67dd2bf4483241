"""The downtime sheets on the disk: one every quarter of an hour, kept a day, so that paper is there when no house is.

    <folder>/downtime.pdf                     the newest, always under this name
             downtime-20261124T133400Z.pdf    each of the last day, by the instant at which it was made (UTC)

A sheet is written beside and then given its name, so that whoever opens one opens a whole one. When the house dies the
last one stays, and says itself from when it is.
"""

from __future__ import annotations

import logging
import os
import re
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from flask import Flask, Response

from dashboard.downtime_pdf import pdf
from dashboard.downtime_words import on_duty_at
from dashboard.panels.downtime import known_at
from dashboard.words import Reader
from forecast.board import Board
from forecast.on_duty import on_duty
from ingest.clock import Clock
from twin.calibrate import Calibration

logger = logging.getLogger(__name__)

FOLDER = "downtime"
"""In the data, where no other folder is set."""
NEWEST = "downtime.pdf"
EVERY = timedelta(minutes=15)
KEPT = timedelta(hours=24)
LOOK_S = 5.0
_NAME = "downtime-%Y%m%dT%H%M%SZ.pdf"
_NAMED = re.compile(r"downtime-\d{8}T\d{6}Z\.pdf")


def drawn(board: Board, calibration: Calibration | None, reader: Reader) -> bytes | None:
    """The sheet of a board, with the staff that was learned; None before anything is known."""
    if known_at(board) is None:
        return None
    return pdf(board, on_duty(calibration, on_duty_at(board)), reader)


class DowntimeSheets:
    """Writes the sheets of a running house into a folder, and lets those older than a day go."""

    def __init__(self, folder: Path, draw: Callable[[], bytes | None], clock: Clock) -> None:
        self.folder, self._draw, self._clock = folder, draw, clock
        self._fault: str | None = None

    def written_at(self) -> datetime | None:
        """When the newest was made; None where there is none."""
        return max((_made_at(file) for file in self._kept()), default=None)

    def keep_writing(self, stop: threading.Event) -> None:
        """Every quarter of an hour until the house ends; a folder that cannot be written is told once, and tried on."""
        while not stop.is_set():
            self.turn()
            stop.wait(LOOK_S)

    def turn(self) -> None:
        """Write one if it is time."""
        now, last = self._clock.now(), self.written_at()
        if last is not None and timedelta(0) <= now - last < EVERY:
            return
        try:
            self.write()
            self._fault = None
        except Exception as error:
            said = error.strerror if isinstance(error, OSError) else None
            if self._fault != type(error).__name__:
                logger.warning("the downtime sheet could not be written: %s", said or type(error).__name__)
            self._fault = type(error).__name__

    def write(self) -> None:
        """Write one now, if there is anything to tell. Raises OSError."""
        made, now = self._draw(), self._clock.now()
        if made is None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        for target in (self.folder / f"{now:{_NAME}}", self.folder / NEWEST):
            _put(made, target)
        for old in self._kept():
            if now - _made_at(old) > KEPT:
                old.unlink(missing_ok=True)

    def newest(self) -> bytes | None:
        """The newest sheet's bytes; None where there is none."""
        try:
            return (self.folder / NEWEST).read_bytes()
        except OSError:
            return None

    def _kept(self) -> list[Path]:
        return [file for file in self.folder.glob("downtime-*.pdf") if _NAMED.fullmatch(file.name)]


def _made_at(file: Path) -> datetime:
    return datetime.strptime(file.name, _NAME).replace(tzinfo=UTC)


def _put(made: bytes, target: Path) -> None:
    """The file whole or not at all, and on the disk."""
    beside = target.with_suffix(".new")
    with beside.open("wb") as out:
        out.write(made)
        out.flush()
        os.fsync(out.fileno())
    os.replace(beside, target)


def answer_downtime(server: Flask, sheets: DowntimeSheets) -> None:
    """`/downtime/sheet.pdf`: the newest sheet that was written; 404 where there is none yet."""

    def download() -> Response:
        made = sheets.newest()
        if made is None:
            return Response("there is no downtime sheet yet\n", 404, mimetype="text/plain")
        name = {"Content-Disposition": f'inline; filename="{NEWEST}"'}
        return Response(made, mimetype="application/pdf", headers=name)

    server.add_url_rule("/downtime/sheet.pdf", "downtime-sheet", download)
