"""Example huddle sheets: ordinary, the first, of many wards, of a feed that is off. Made by plain formulas."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from forecast.pages import HuddleView
from forecast.sheet import Change, Department, Flow, FreeBeds, Line, LineKind, Peak, Sheet, Spread, Standing

ZONE = "Europe/Paris"
DUE_AT = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
MADE_AT = DUE_AT + timedelta(seconds=4)
UNTIL_AT = datetime(2026, 11, 25, 7, 0, tzinfo=UTC)
HOURS = ("8:00", "13:00", "18:00")
WARDS = (
    ("UHCD", "Short-stay unit", 13),
    ("Médecine polyvalente", "General medicine", 63),
    ("Pneumologie", "Pneumology", 37),
    ("Gériatrie", "Geriatrics", 44),
    ("Chirurgie viscérale", "General surgery", 37),
    ("Réanimation et soins intensifs", "Intensive care", 17),
)


def line(kind: LineKind, fr: str, en: str, beds: int | None, size: float) -> Line:
    """A line whose numbers follow from a size and differ from one another."""
    free = FreeBeds(
        now=size + 0.37, throughout_sure=int(size), throughout_likely=int(size) + 1, end_sure=int(size) + 2,
        end_likely=int(size) + 4, end_mean=size + 4.61, p_none=min(0.97, 1 / (1 + size)),
    )  # fmt: skip
    flow = Flow(
        known=0.3 * size + 0.2, here=0.2 * size + 0.11, to_come=0.1 * size + 0.7, planned=0.15 * size, moved_in=0.0,
        moved_out=0.0, left=0.9 * size + 0.5, net=Spread(0.51 - 0.15 * size, -size - 1.2, size + 0.8),
    )  # fmt: skip
    return Line(kind, fr, en, beds, free if beds is not None else None, flow, 0.4 * size)


def ordinary() -> Sheet:
    """A sheet of one o'clock with one before it; the beds of a ward are not known."""
    lines = [line("ward", fr, en, beds, 1.3 * at) for at, (fr, en, beds) in enumerate(WARDS)]
    return Sheet(
        due_at=DUE_AT, made_at=MADE_AT, issued_at=DUE_AT, from_at=DUE_AT, until_at=UNTIL_AT, flows_from_at=DUE_AT,
        hospital="CHU", zone=ZONE, mode="live",
        standing=Standing("live", DUE_AT - timedelta(minutes=3), DUE_AT, 1000, 41, 0.124, 1440),
        department=Department(
            present=61.4, waiting=17.2, boarders=9.8, boarders_end=Spread(6.4, 2, 11),
            boarders_peak=Peak(DUE_AT + timedelta(hours=6), 10, 14, 19),
            arrivals=Spread(151.7, 134, 168), departures=Spread(178.2, 160, 195), net=Spread(-26.5, -38, -15),
            peak=Peak(DUE_AT + timedelta(hours=3), 62, 73, 86), usual_peak=66.8,
        ),
        lines=(
            *lines,
            Line("ward", "Ailleurs", "Elsewhere", None, None, lines[1].flow, 0.0),
            line("group", "Médecine", "Medicine", 144, 5.2),
            line("all", "Tous les services", "All wards", 211, 23.0),
        ),
        previous_at=DUE_AT - timedelta(hours=5),
        changes=(
            Change("present", 48, 61.4), Change("waiting", 17.4, 17.2), Change("boarders", 14, 9.8),
            Change("free", 30.2, 23.37), Change("peak", 70, 73), Change("sure", 21, 25),
            Change("ward_free", 2, 8, "Gériatrie", "Geriatrics"),
        ),
    )  # fmt: skip


def first() -> Sheet:
    """The first sheet of a house whose log tells no milestones."""
    bare = replace(ordinary().department, waiting=None, boarders=None, boarders_end=None, boarders_peak=None,
                   usual_peak=None)  # fmt: skip
    standing = replace(ordinary().standing, skill=None, skill_lead_min=None, recalibrated_days=0)
    return replace(ordinary(), department=bare, previous_at=None, changes=(), standing=standing)


def doubtful() -> Sheet:
    """A replay of a dead feed: the rival was better, the data are complete until some time ago, flows begin later."""
    standing = Standing("off", None, DUE_AT - timedelta(minutes=45), 1000, 0, -0.07, 720)
    return replace(ordinary(), mode="replay", standing=standing, flows_from_at=DUE_AT + timedelta(minutes=15))


def wide() -> Sheet:
    """Forty wards, some with patients who come from another."""
    moving = replace(ordinary().lines[0].flow, moved_in=1.4, moved_out=0.9)
    wards = [replace(line("ward", f"Service n° {n} à nom long", f"Ward {n} with a long name", 20, n / 7), flow=moving)
             for n in range(40)]  # fmt: skip
    return replace(ordinary(), lines=(*wards, ordinary().lines[-1]))


SHEETS: dict[str, Callable[[], Sheet]] = {"ordinary": ordinary, "first": first, "doubtful": doubtful, "wide": wide}


def view_of(*sheets: Sheet, names: tuple[str, ...] | None = None, fault: str | None = None) -> HuddleView:
    """The page of some sheets, the newest first."""
    kept = tuple(sheet.name for sheet in sheets) if names is None else names
    return HuddleView(DUE_AT + timedelta(minutes=34), ZONE, "CHU", "live", HOURS, sheets, kept, fault)


def two_sheets() -> HuddleView:
    """The ordinary one and one before it, and others that can be downloaded."""
    before = replace(first(), due_at=DUE_AT - timedelta(hours=5))
    return view_of(ordinary(), before, names=(ordinary().name, before.name, "2026-11-23T1800", "2026-11-23T1300"))


VIEWS: dict[str, Callable[[], HuddleView]] = {
    "ordinary": two_sheets,
    "none": view_of,
    "doubtful": lambda: view_of(doubtful(), fault="OSError"),
    "wide": lambda: view_of(wide()),
}
"""The page in every state."""
