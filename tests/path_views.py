"""Example views of the page of the path: shipped, learned from a fabricated log, overloaded, not told whole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache

from forecast.pages import PathView
from forecast.pathview import PathViews
from tests.boards import ordinary
from tests.histories import calibration
from twin.site import site_from

CRAMPED = """
[arrivals.per_day]
value = 260
unit = "visits/day"
source = "a flu winter"
[pools.reception_clerk]
fr = "Agents d'accueil"
en = "Reception clerks"
always = 2
[pools.triage_nurse]
fr = "Infirmiers d'orientation (IOA)"
en = "Triage nurses"
always = 2
[pools.doctor]
fr = "Médecins urgentistes"
en = "Emergency doctors"
weekday = { "0-8" = 3, "8-20" = 6, "20-24" = 3 }
[pools.specialist]
fr = "Spécialistes d'avis"
en = "Specialists on call"
always = 3
[pools.imaging]
fr = "Salles d'imagerie"
en = "Imaging rooms"
always = 1
[pools.volunteer]
fr = "Bénévoles"
en = "Volunteers"
always = 4
"""
"""A winter with too few doctors, one imaging room, and volunteers whom nobody waits for."""
OTHER_WARDS = """
name = "Clinique de la Baie"
[units]
waiting = { fr = "Attente", en = "Waiting room", spaces = 20 }
short_stay = { fr = "Court séjour", en = "Short stay", beds = 12 }
"""
"""A hospital whose units the shipped path does not know."""


def shipped() -> PathView:
    """Before anything is learned, without a file."""
    return PathViews(site_from("")).view(replace(ordinary(), units=()), None)


@cache
def learned() -> PathView:
    """From a fabricated log."""
    board, found = ordinary(), calibration()
    now = {unit.name: 10 + number for number, unit in enumerate(found.hospital.wards)}
    view = PathViews(site_from("")).view(board, found)
    return replace(view, now={**(view.now or {}), **now})


def cramped() -> PathView:
    """What the file of a site in a flu winter says."""
    return PathViews(site_from(CRAMPED)).view(ordinary(), None)


def not_whole() -> PathView:
    """A file with wards of its own, and no path for them."""
    return PathViews(site_from(OTHER_WARDS)).view(ordinary(), None)


PATHS: dict[str, Callable[[], PathView]] = {
    "shipped": shipped,
    "learned": learned,
    "cramped": cramped,
    "not_whole": not_whole,
}
