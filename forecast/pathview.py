"""The page of the path: the hospital and the path in use, explained, with who is where now."""

from __future__ import annotations

from forecast.board import Board
from forecast.pages import PathView
from twin.calibrate import Calibration
from twin.described import basis_of
from twin.explained import explain
from twin.explanation import ABOVE, WARDS, Explained
from twin.site import Site


class PathViews:
    """Makes the page of the path; what a calibration comes to is worked out once."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._explained: tuple[Calibration | None, Explained | None] | None = None

    def view(self, board: Board, learned: Calibration | None) -> PathView:
        """The page at the minute of a board, by what was learned or else by what the site says."""
        basis = basis_of(learned) if learned else None
        learned = None if basis and not basis["keeps_path"] else learned
        own = bool(self._site.own - {"name", "zone"})
        return PathView(
            made_at=board.made_at.replace(second=0, microsecond=0),
            zone=board.zone,
            hospital=board.hospital,
            mode=board.mode,
            source="learned" if learned else "site" if own else "shipped",
            explained=self._worked_out(learned),
            learned_at=learned.as_of if learned else None,
            learned_visits=learned.report["visits"] if learned else None,
            lacks=() if learned else self._site.lacks,
            now=_now(board),
        )

    def _worked_out(self, learned: Calibration | None) -> Explained | None:
        if self._explained is None or self._explained[0] is not learned:
            self._explained = learned, explained(self._site, learned)
        return self._explained[1]


def explained(site: Site, learned: Calibration | None = None) -> Explained | None:
    """What was learned, explained, or else what a site says; None where that makes no whole."""
    if learned is not None:
        return explain(learned.hospital, learned.path, learned.parameters, learned=True)
    if site.path is None or site.parameters is None:
        return None
    return explain(site.hospital, site.path, site.parameters)


def _now(board: Board) -> dict[str, int]:
    """Who is where, as far as the log tells."""
    there = {unit.unit: unit.census for unit in board.units if unit.census is not None}
    if there:
        there[WARDS] = sum(there.values())
    if board.now.present is not None:
        there[ABOVE] = board.now.present
    return there
