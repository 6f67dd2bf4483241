"""A lock file read: every package with its version, its hashes and who asked for it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
RUNTIME_LOCK = ROOT / "requirements.lock"
PROJECT = "edtwin"


@dataclass(frozen=True)
class Pin:
    """One version of one package; a package has several where Pythons or platforms differ (`marker`)."""

    name: str
    version: str
    marker: str | None
    hashes: tuple[str, ...]
    wanted_by: tuple[str, ...]


def read_lock(text: str) -> tuple[Pin, ...]:
    """The pins of a lock file, in its order; raises ValueError where one has no version or no hash."""
    return tuple(_pin(entry) for entry in re.split(r"\n(?=[A-Za-z0-9])", text.strip()) if entry)


def runtime_pins() -> tuple[Pin, ...]:
    """What edtwin runs on."""
    return read_lock(RUNTIME_LOCK.read_text(encoding="utf-8"))


def versions(pins: Iterable[Pin]) -> dict[str, list[str]]:
    """Package to the versions that are locked."""
    found: dict[str, list[str]] = {}
    for pin in pins:
        found.setdefault(pin.name, []).append(pin.version)
    return found


def _pin(entry: str) -> Pin:
    head = re.match(r"([A-Za-z0-9._-]+)==(\S+)(?: ; (.+?))? \\\n", entry)
    hashes = tuple(re.findall(r"--hash=sha256:([0-9a-f]{64})\b", entry))
    if head is None or not hashes:
        raise ValueError(f"a pin must have a version and a hash, but is {entry[:80]!r}")
    askers = re.findall(r"^\s+#\s+(?:via )?([a-z0-9._-]+)(?: \(\S+\))?$", entry, re.MULTILINE)
    wanted_by = tuple(asker for asker in askers if asker != "via")
    return Pin(head[1], head[2], head[3], hashes, wanted_by)
