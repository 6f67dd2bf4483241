"""What the page of what-if sends, checked; and what it is offered. The page is not to be trusted."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from math import isfinite
from typing import Any

from werkzeug.exceptions import BadRequest

from dashboard.theme import THEMES, Theme
from dashboard.whatif_words import MEASURES
from dashboard.words import LANGUAGES, Reader
from forecast.errors import QuestionError
from forecast.whatif_ask import Asking, Offer
from forecast.whatif_levers import Lever, Question, numbers_of
from ingest.clock import local, resolve
from twin.scenarios import Scenario

_VIEWER = re.compile(r"[0-9a-f]{8,64}")
_NAME = re.compile(r"[^\x00-\x1f]{1,400}")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")
_REM_PX = (8.0, 200.0)
_MOST_VALUES = 60
_GROUPS = ("number", "staff", "beds", "people", "discharges")


@dataclass(frozen=True)
class Asked:
    """A question as the page asks it: who, what, of which moment, what of it is shown, to which reader."""

    viewer: str
    question: Question
    at: str | None
    """A local time of the hospital; None for now."""
    measure: str
    number: int
    """Counts the page's own askings."""
    reader: Reader

    @property
    def word(self) -> list[Any]:
        """Changes whenever the page must."""
        q, r = self.question, self.reader
        told = [q.preset, dict(q.numbers), dict(q.values), self.at, self.measure]
        return [*told, r.language, r.rem_px, r.narrow, r.theme]

    def moment(self, zone: str) -> datetime | None:
        """The past moment asked about; raises QuestionError for a time that is none."""
        if self.at is None:
            return None
        try:
            return resolve(datetime.fromisoformat(self.at), zone)[0]
        except ValueError as fault:
            raise QuestionError(f"{self.at} n'est pas un moment.", f"{self.at} is no moment.") from fault


def asked_of(told: Any, zone: str = "UTC") -> Asked:
    """The question of a page; raises BadRequest for nonsense."""
    if not isinstance(told, dict):
        raise BadRequest("asked must be a question")
    viewer, preset, at = told.get("viewer"), told.get("preset"), told.get("at")
    number, measure = told.get("n"), told.get("measure")
    if not isinstance(viewer, str) or not _VIEWER.fullmatch(viewer):
        raise BadRequest("asked.viewer must be a viewer's own number")
    if preset is not None and not (isinstance(preset, str) and _NAME.fullmatch(preset)):
        raise BadRequest("asked.preset must be a scenario's name")
    if at is not None and not (isinstance(at, str) and _MOMENT.fullmatch(at)):
        raise BadRequest("asked.at must be a local time")
    if isinstance(number, bool) or not isinstance(number, int) or measure not in MEASURES:
        raise BadRequest("asked.n must be a whole number and asked.measure one of those that are shown")
    numbers, values = _values(told.get("numbers")), _values(told.get("values"))
    return Asked(viewer, Question(preset, numbers, values), at, str(measure), number, _reader(told, zone))


def _reader(told: Mapping[str, Any], zone: str) -> Reader:
    rem_px, narrow = told.get("rem_px"), told.get("narrow")
    if not isinstance(rem_px, int | float) or not _REM_PX[0] <= rem_px <= _REM_PX[1] or not isinstance(narrow, bool):
        raise BadRequest("asked.rem_px must be a letter's size and asked.narrow a truth value")
    return Reader(named(told).language, zone, rem_px=float(rem_px), narrow=narrow, theme=theme_told(told))


def named(told: Any) -> Reader:
    """The reader of a page that names its language; raises BadRequest where it names none of ours."""
    language = told.get("language") if isinstance(told, dict) else None
    found = next((one for one in LANGUAGES if one == language), None)
    if found is None:
        raise BadRequest("language must be a language of the wall")
    return Reader(found, "UTC")


def theme_told(told: Mapping[str, Any]) -> Theme:
    """The theme of a page that says one, dark of one that says none; raises BadRequest where it is none of ours."""
    found = next((one for one in THEMES if one == told.get("theme", "dark")), None)
    if found is None:
        raise BadRequest("theme must be a theme of the pages")
    return found


def _values(told: Any) -> dict[str, float]:
    if not isinstance(told, dict) or len(told) > _MOST_VALUES:
        raise BadRequest("values must be numbers by name")
    for name, value in told.items():
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not isinstance(name, str) or not _NAME.fullmatch(name) or not number or not isfinite(value):
            raise BadRequest("values must be numbers by name")
    return {name: float(value) for name, value in told.items()}


# --- what is offered --------------------------------------------------------------------------------------------------


def offered(asking: Asking | None, reader: Reader) -> dict[str, Any] | None:
    """What can be asked now, in the reader's language, ready for the page; None before the first forecast."""
    found = asking.offer() if asking is not None else None
    if found is None:
        return None
    return {
        "language": reader.language,
        "words": _words(reader),
        "presets": [_preset(scenario, reader) for scenario in found.presets],
        "groups": _grouped(found, reader),
        "first": _local(found.first_at, found.zone),
        "last": _local(found.as_of, found.zone),
    }


def _grouped(found: Offer, reader: Reader) -> list[dict[str, Any]]:
    names = {
        "staff": reader.say("Staff and rooms"), "beds": reader.say("Ward beds"), "people": reader.say("Who comes"),
        "discharges": reader.say("Discharges"),
    }  # fmt: skip
    groups = [(kind, [one for one in found.levers if one.kind == kind]) for kind in _GROUPS if kind != "number"]
    return [
        {"name": names[kind], "kind": kind, "levers": [_lever(one, reader) for one in mine]}
        for kind, mine in groups if mine
    ]  # fmt: skip


def _preset(scenario: Scenario, reader: Reader) -> dict[str, Any]:
    said = scenario.sentence(reader.language)
    return {"name": scenario.name, "said": said, "numbers": [_lever(one, reader) for one in numbers_of(scenario)]}


def _lever(lever: Lever, reader: Reader) -> dict[str, Any]:
    said = reader.choice(lever.fr, lever.en)
    return {
        "name": lever.name, "said": said[:1].upper() + said[1:], "low": lever.low, "high": lever.high,
        "step": lever.step, "neutral": lever.neutral, "unit": lever.unit, "now": lever.now,
        "signed": lever.kind in ("staff", "beds"),
    }  # fmt: skip


def _words(reader: Reader) -> dict[str, str]:
    return {
        "preset": reader.say("Scenario"),
        "none": reader.say("none: the sliders alone"),
        "moment": reader.say("From which moment?"),
        "now": reader.say("From now"),
        "past": reader.say("From a past moment"),
        "reset": reader.say("All back to zero"),
        "there": reader.text("{n} now"),
    }


def _local(instant: datetime | None, zone: str) -> str | None:
    return None if instant is None else f"{local(instant, zone):%Y-%m-%dT%H:%M}"
