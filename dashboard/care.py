"""What a running house does for whoever looks after it: backups, downtime sheets, looks through the journal, answers to
commands, the watchdog."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from dashboard.backups import Backups
from dashboard.downtime_files import FOLDER, DowntimeSheets, drawn
from dashboard.house import House
from dashboard.house_socket import Answer, Asked
from dashboard.readiness import Readiness
from dashboard.retaining import standing_of
from dashboard.scrubbing import Scrubs
from dashboard.supervisor import ENDING, READY, feed_watchdog, tell_systemd
from dashboard.words import Reader
from dashboard.works_beside import Work
from forecast.board import Board
from twin.calibrate import Calibration

REAL = ("live", "fabricated")
"""Modes in which something new is taken in: a replay's or an exercise's backups and sheets would mislead."""


class Care:
    """All of it; `start` it once the port is taken, `end` it before anything else ends."""

    def __init__(
        self,
        house: House,
        mode: str,
        board: Callable[[], Board],
        learned: Callable[[], Calibration | None],
        scrubs: Scrubs,
    ) -> None:
        reader = Reader(house.settings.language, house.hospital.zone)
        folder = house.settings.downtime_folder or house.settings.data / FOLDER
        self._house, self._mode = house, mode
        self.backups, self.scrubs = Backups(house), scrubs
        self.sheets = DowntimeSheets(folder, lambda: drawn(board(), learned(), reader), house.clock)
        self._asked: Asked | None = None
        self._works: list[Work] = []

    def start(self, readiness: Readiness, stop: threading.Event) -> None:
        """Begin, and tell systemd that the house is there."""
        if self._mode in REAL:
            self._works = [
                Work("make backups", partial(self.backups.keep_making, stop)),
                Work("write downtime sheets", partial(self.sheets.keep_writing, stop)),
                Work("look through the journal", partial(self.scrubs.keep_looking, stop)),
            ]
        self._works.append(Work("feed the watchdog", partial(feed_watchdog, readiness, stop)))
        for work in self._works:
            work.start()
        self._asked = Asked(self._house.settings.data, commands_of(self._house, self.backups, readiness))
        self._asked.start()
        tell_systemd(READY)

    def end(self, longest_s: float) -> None:
        """Answer no more, and wait for what is being written; `stop` was set before."""
        tell_systemd(ENDING)
        if self._asked is not None:
            self._asked.stop()
        for work in self._works:
            work.join(longest_s)


def commands_of(house: House, backups: Backups, readiness: Readiness) -> dict[str, Answer]:
    """What a command of this machine may ask of the running house."""

    def look(_: dict[str, Any]) -> dict[str, Any]:
        standing = backups.standing()
        events = standing_of(house)
        return {
            "database": house.said(), "unready": readiness.fault(), "backup_fault": standing.fault, "events": events,
            "refuses": house.journal.refuses,
        }  # fmt: skip

    return {"backup": lambda asked: backups.make(Path(asked["to"])).as_json(), "look": look}
