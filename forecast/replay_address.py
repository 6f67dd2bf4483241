"""What the address of the replay asks for, read and written: `?at=2026-03-03T08:00&vs=..&speed=300&to=..`.

Instants are the hospital's local time, as people type it; in the hour that autumn repeats the offset stands behind.
What cannot be read is left out and told.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlencode

from forecast.replay_view import SPEEDS, Asked
from ingest.clock import local, resolve

_LONGEST = 600


def asked_for(query: str, zone: str) -> Asked:
    """What an address asks for; an instant to the minute."""
    told = {name: values[0] for name, values in parse_qs(query.lstrip("?")[:_LONGEST]).items()}
    faults: list[str] = []

    def instant(name: str) -> datetime | None:
        text = told.get(name)
        if text is None:
            return None
        try:
            return _instant(text, zone)
        except (ValueError, OverflowError):
            faults.append(f"{name}={text}")
            return None

    at, versus, to = instant("at"), instant("vs"), instant("to")
    speed = told.get("speed", str(Asked().speed))
    if speed not in map(str, SPEEDS):
        faults.append(f"speed={speed}")
        speed = str(Asked().speed)
    return Asked(at, versus, to, int(speed), ", ".join(faults) or None)


def address(asked: Asked, zone: str, language: str) -> str:
    """The address that asks for it, from the question mark on."""
    parts = {"lang": language}
    for name, at in (("at", asked.at), ("vs", asked.versus), ("to", asked.to)):
        if at is not None:
            parts[name] = written(at, zone)
    if asked.speed != Asked().speed:
        parts["speed"] = str(asked.speed)
    return "?" + urlencode(parts, safe=":")


def written(at: datetime, zone: str) -> str:
    """An instant as the address has it."""
    there = local(at, zone)
    short = there.replace(tzinfo=None).isoformat(timespec="minutes")
    is_plain = resolve(datetime.fromisoformat(short), zone)[0] == at.replace(second=0, microsecond=0)
    return short if is_plain else there.isoformat(timespec="minutes")


def _instant(text: str, zone: str) -> datetime:
    found = datetime.fromisoformat(text).replace(second=0, microsecond=0)
    instant = resolve(found, zone)[0] if found.tzinfo is None else found.astimezone(UTC)
    instant + timedelta(days=2), instant - timedelta(days=2)  # nothing near the ends of time
    return instant
