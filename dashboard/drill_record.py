"""The record of an exercise: the timeline, each decision with what the twin would have advised, and what happened.

It is a file of plain values (`edtwin exercise --debrief FILE.json` reads it), written anew whenever something happened.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from dashboard.errors import CommandError
from forecast.exercise_view import ExerciseView

KIND = "edtwin exercise"
_LAWS = {
    "own": "Its world was the fabricated hospital's, whose law is not the twin's.",
    "twin": "Its world was a run of the twin on other luck: it cannot show where the twin errs.",
}


def record_of(views: Mapping[str, ExerciseView]) -> dict[str, Any]:
    """From the exercise as each point of view sees it."""
    first = next(iter(views.values()))
    whole = _plain(asdict(first))
    for number, decision in enumerate(whole["decisions"]):
        decision["advice"] = {
            name: _plain(asdict(told)) for name, view in views.items()
            if (told := view.decisions[number].advice if number < len(view.decisions) else None) is not None
        }  # fmt: skip
    kept = ("hospital", "law", "zone", "begun_at", "ended_at", "speed", "held", "injects", "scheduled", "decisions")
    return {"what": KIND, "version": 1, "told_at": whole["made_at"], **{name: whole[name] for name in kept}}


def keep(file: Path, record: Mapping[str, Any]) -> None:
    """Write the record; a reader finds the old one or the new one, whole."""
    beside = file.with_suffix(".part")
    file.parent.mkdir(parents=True, exist_ok=True)
    beside.write_text(json.dumps(record, ensure_ascii=False, allow_nan=False, indent=1), encoding="utf-8")
    os.replace(beside, file)


def read_record(file: Path) -> dict[str, Any]:
    """A record; raises CommandError where the file is none."""
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise CommandError(f"{file} cannot be read as the record of an exercise: {error}") from error
    if not isinstance(told, dict) or told.get("what") != KIND or told.get("version") != 1:
        raise CommandError(f"{file} is not the record of an exercise: it says {str(told)[:60]!r}")
    return told


def as_text(record: Mapping[str, Any]) -> Iterator[str]:
    """The debrief, a line each."""
    yield f"Exercise of {record['hospital']}, from {record['begun_at']} to {record['ended_at'] or record['told_at']}"
    yield _LAWS[record.get("law", "own")]
    lines = [(record["begun_at"], f"HELD already: {words}") for words in record.get("held", ())]
    lines += [(one["at"], _inject(one)) for one in record["injects"]]
    lines += [(one["at"], "\n".join(_decision(one))) for one in record["decisions"]]
    for at, line in sorted(lines, key=lambda pair: pair[0]):
        yield f"{at}  {line}"


def _inject(one: Mapping[str, Any]) -> str:
    told = ", ".join(f"{name} {value}" for name, value in one["told"].items() if name not in ("kind", "at_min"))
    said = f"INJECT {one['told']['kind']} {told} ({one['by']})".replace("  ", " ")
    return f"{said} could not be: {one['fault']}" if one.get("fault") else said


def _decision(one: Mapping[str, Any]) -> Iterator[str]:
    yield f"DECISION {one['what']}: {one['words']} ({one['reason']})"
    if one.get("ended_at"):
        yield f"    ended at the desk at {one['ended_at']}"
    for measure in one["happened"]:
        yield (
            f"    {measure['measure']}: {measure['with_it']:.1f} on average since; {measure['without']:.1f} without it"
        )
    for view, advice in one["advice"].items():
        best = [option["en"] for option in advice["options"] if option["to_choose"]]
        yield f"    the twin left to choose from, as {view} see it: {' | '.join(best)}"
    if one["lacks"]:
        yield f"    the exercise's world could not act on: {', '.join(one['lacks'])}"


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value
