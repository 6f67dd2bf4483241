"""The days of the floor for whoever plays them: `/floor/day.json`, the last 24 hours, or `?day=2026-11-24`.

A day is intervals of patients that have a number for that day and nothing else (`forecast/floor_day.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from flask import Flask, Response, request

Day = Callable[[date | None], bytes | None]
"""Gives a day as JSON, without one the last 24 hours; None where it cannot be told."""
ADDRESS = "/floor/day.json"
_LONGEST = 40


def answer_floor(server: Flask, day: Day) -> None:
    """`/floor/day.json`: a day to play; 400 for what is no day, 404 for one that cannot be told."""

    def told() -> Response:
        asked = request.args.get("day")
        try:
            wanted = None if asked is None else date.fromisoformat(asked)
        except ValueError:
            return _said(f"day must be a date like 2026-11-24, but is {asked[:_LONGEST]!r}" if asked else _NO_DAY, 400)
        found = day(wanted)
        if found is None:
            return _said(f"the floor of {wanted} cannot be told" if wanted else "the floor is not known yet", 404)
        return Response(found, mimetype="application/json")

    server.add_url_rule(ADDRESS, "floor-day", told)


_NO_DAY = "day must be a date like 2026-11-24, but is empty"


def _said(text: str, status: int) -> Response:
    return Response(f"{text}\n", status, mimetype="text/plain")
