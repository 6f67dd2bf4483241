"""Example views of the page of the floor, each with the day that it plays."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, timedelta
from functools import cache

import numpy as np

from forecast.board import Board, Check
from forecast.floor_day import FloorDay, Piece
from forecast.floor_plan import plan_of
from forecast.floor_view import BY_STAGE, STAGES, Ahead, BedStrip, FloorView, Likely, Stage, Usual
from tests.boards import MADE_AT, before_first, off, ordinary, overfull, stale
from twin.site import site_from

AS_OF = MADE_AT.replace(second=0, microsecond=0)
FROM_AT = AS_OF - timedelta(days=1)
MINUTES = 1440
USUAL: tuple[tuple[Stage, Usual], ...] = (
    ("triage", Usual(8.0, 15.0)), ("provider", Usual(35.0, 110.0)), ("decision", Usual(102.0, 260.0)),
    ("departure", Usual(45.0, 99.0)), ("bed", Usual(101.0, 1110.0)),
)  # fmt: skip
AREAS = ("waiting_room", "boxes", "fast_track", "sauv")
OWN = """
name = "Hôpital de la Baie"
floor = [["waiting_room", "sauv"], ["boxes", "fast_track", "imaging"]]
[units]
waiting_room = { fr = "Salle d'attente", en = "Waiting room", spaces = 30 }
boxes = { fr = "Box", en = "Boxes", spaces = 18, treatment = true }
fast_track = { fr = "Circuit court", en = "Fast track", spaces = 6, treatment = true }
sauv = { fr = "SAUV", en = "Resuscitation", spaces = 3, treatment = true }
imaging = { fr = "Imagerie", en = "Imaging", spaces = 4 }
medicine = { fr = "Médecine", en = "Medicine", beds = 30 }
"""
"""A site that says where its areas lie; its log never tells who is in the imaging."""
_STEPS: tuple[tuple[int, float], ...] = ((0, 9.0), (1, 45.0), (2, 120.0))


@cache
def played(patients: int = 150, *, areas: bool = True, seed: int = 5) -> FloorDay:
    """The last 24 hours of a department with so many arrivals."""
    rng = np.random.default_rng(seed)
    zones = (*AREAS, *(BY_STAGE + stage for stage in STAGES))
    pieces: list[Piece] = []
    for number, came in enumerate(sorted(rng.integers(-300, MINUTES, patients).tolist())):
        at, place = int(came), AREAS[1 + int(rng.choice(3, p=(0.7, 0.2, 0.1)))]
        for stage, typical in (*_STEPS, (4, 130.0) if rng.random() < 0.2 else (3, 50.0)):
            ends = at + max(1, round(float(rng.lognormal(np.log(typical), 0.6))))
            zone = place if stage >= 2 else "waiting_room" if stage == 1 else BY_STAGE + "triage"
            told = zones.index(zone if areas else BY_STAGE + STAGES[stage])
            if ends > 0 and at <= MINUTES:
                pieces.append(Piece(number, stage, told, max(at, 0), ends if ends <= MINUTES else None, at))
            at = ends
    return FloorDay(FROM_AT, MINUTES, zones, tuple(pieces), likely_gone=2)


def view_of(board: Board, day: FloorDay, site: str = OWN) -> FloorView:
    """The page of a board and a day."""
    told = tuple(zone for zone in day.zones if not zone.startswith(BY_STAGE) and _met(day, zone))
    met = {zone for zone in day.zones if _met(day, zone)}
    return FloorView(
        made_at=board.made_at, board=board, as_of=AS_OF, zones=plan_of(site_from(site), told, met),
        dots=tuple(day.frame(day.minutes)), likely_gone=day.likely_gone, usual=USUAL, wards=WARDS, ahead=AHEAD,
        days=(date(2026, 11, 1), AS_OF.astimezone(UTC).date()),
    )  # fmt: skip


def _met(day: FloorDay, zone: str) -> bool:
    return any(day.zones[piece.zone] == zone for piece in day.pieces)


WARDS = (
    BedStrip("medicine", "Médecine polyvalente", "General medicine", 63, 58, 5, 2, 3),
    BedStrip("surgery", "Chirurgie viscérale", "General surgery", 37, 39, -2, None, 0),
    BedStrip("geriatrics", "Gériatrie", "Geriatrics", 44, 41, 3),
    BedStrip("intensive_care", "Réanimation", "Intensive care", 17, 12, 5, 1, 0, is_doubtful=True),
    BedStrip("maternity", "Maternité", "Maternity", None, 9, None),
    BedStrip("burns", "Brûlés", "Burns", None, None, None),
)
AHEAD = Ahead(
    AS_OF + timedelta(hours=2), AS_OF, Likely(6.0, 10.0, 15.0), Likely(17.0, 21.0, 26.0), Likely(5.0, 7.0, 9.0),
    Likely(32.0, 38.0, 46.0), {"medicine": Likely(3.0, 5.0, 8.0), "surgery": Likely(-3.0, -1.0, 1.0)},
)  # fmt: skip


def ordinary_floor() -> FloorView:
    """An afternoon with areas told."""
    return view_of(ordinary(), played())


def drilled_floor() -> FloorView:
    """The same in an exercise."""
    return view_of(replace(ordinary(), mode="exercise"), played())


def by_stage() -> FloorView:
    """A log that tells no areas."""
    return view_of(ordinary(), played(areas=False), site="")


def overfull_floor() -> FloorView:
    """Far more patients than spaces; a ward whose count cannot be."""
    board = replace(overfull(), checks=(Check("unit:intensive_care", "over_beds"),))
    return view_of(board, played(1100, seed=8))


def empty_floor() -> FloorView:
    """A night in which nobody has come."""
    return view_of(ordinary(), replace(played(), pieces=(), likely_gone=0))


def stale_floor() -> FloorView:
    """What was last known."""
    return view_of(stale(), played())


def off_floor() -> FloorView:
    """No data come in."""
    return view_of(off(), played())


def waking() -> FloorView:
    """Before the first cycle."""
    return FloorView(MADE_AT, before_first())


FLOORS: dict[str, Callable[[], FloorView]] = {
    "ordinary": ordinary_floor, "by_stage": by_stage, "overfull": overfull_floor, "empty": empty_floor,
    "stale": stale_floor, "off": off_floor, "waking": waking,
}  # fmt: skip
DAYS: dict[str, Callable[[], FloorDay]] = {
    "by_stage": lambda: played(areas=False),
    "overfull": lambda: played(1100, seed=8),
    "empty": lambda: replace(played(), pieces=(), likely_gone=0),
}


def day_json(name: str) -> bytes:
    """What the page of an example plays."""
    view, day = FLOORS[name](), DAYS.get(name, played)()
    plan = [
        {"key": z.key, "row": z.row, "fr": z.fr, "en": z.en, "spaces": z.spaces, "told": z.is_told} for z in view.zones
    ]
    usual = {stage: [one.median_min, one.nine_in_ten_min] for stage, one in USUAL}
    return json.dumps({"day": None, "numbers_of": "2026-11-24", "plan": plan, "usual": usual, **day.as_json()}).encode()
