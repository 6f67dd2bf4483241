"""A house on a small disk that fills up while senders go on: what was acknowledged is kept, and it goes on by itself.

    with small_disk(folder, 128) as place:
        found = campaign(place, folder / "told", fills=[Fill(0), Fill(100)], wal="64KB")

The disk is a tmpfs of its own, which only root can mount. It is filled to so many kilobytes: to none, where the journal
itself can no longer be written; to some, where a message still fits and the database's checkpoint no longer does. Then
there is room again, and nobody touches the house: whoever keeps its database ends it if that is lost, as in
`edtwin up`, and it is started again, as by systemd.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from ingest.clock import stopwatch
from ingest.sources.mllp_client import Patience
from tests.campaigns import Found, Nursery, Sender, found, sending

FULL_S = 1.5
"""How long the disk stays full."""
MOST_ROUNDS = 8
"""Chance says at which of them the disk is full; so often it is tried."""
LONGEST_S = 60.0
"""The house goes on within this once there is room."""
PATIENT = Patience(tries=2_000, tries_once_known=4_000, pause_s=0.02, longest_pause_s=0.05, answer_s=5)


@contextmanager
def small_disk(folder: Path, size_mb: int) -> Iterator[Path | None]:
    """A disk of so many megabytes; None where none can be mounted."""
    place = folder / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size_mb}m", "tmpfs", str(place)]
    if os.geteuid() != 0 or shutil.which("mount") is None or subprocess.run(command, check=False).returncode != 0:
        yield None
        return
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


@dataclass(frozen=True)
class Came:
    """What a campaign came to."""

    found: Found
    longest_s: float
    """From room on the disk to a house that takes messages and has indexed them."""
    bitten: Counter[str]
    """How often what was refused: "journal", "index"; "lost" are databases that were invalidated."""
    taken_while_full: int
    """Messages acknowledged in the last third of the time that a disk had no room at all."""


def campaign(disk: Path, told: Path, left_kb: tuple[int, ...], wal: str, *mutants: str, until: str = "") -> Came:
    """Fill the disk to so many kilobytes, one time after the other, and over again `until` that was met; then look what
    is there."""
    told.mkdir()
    os.environ |= {"EDTWIN_TEST_TOLD": str(told), "EDTWIN_TEST_WAL": wal}
    data, longest, taken = disk / "data", 0.0, 0
    data.mkdir()
    with Nursery(data, ("small_disk", *mutants)) as nursery:
        nursery.start()
        with sending(nursery.port, patience=PATIENT) as senders, _started_again(nursery):
            _until(lambda: _acknowledged(senders) > 50, told)
            for nth, left in enumerate(left_kb * (MOST_ROUNDS if until else 1)):
                if nth >= len(left_kb) and until in _bitten(told):
                    break
                taken += _filled(disk, left, senders)
                began, before = stopwatch(), [len(sender.acknowledged) for sender in senders]
                _until(lambda before=before: _goes_on(senders, before, told), told)
                longest = max(longest, stopwatch() - began)
        nursery.kill()
    acknowledged = [visit for sender in senders for visit in sender.acknowledged]
    return Came(found(data, acknowledged, 0), longest, _bitten(told), taken)


def _bitten(told: Path) -> Counter[str]:
    file = told / "bitten"
    return Counter(file.read_text().split() if file.exists() else [])


def _filled(disk: Path, left_kb: int, senders: Sequence[Sender]) -> int:
    """The disk is full for a while; how many messages were taken in the end of that, where nothing was left."""
    filler, pause = disk / "filler", threading.Event()
    _fill(filler, 1024 * left_kb)
    pause.wait(2 * FULL_S / 3)
    if not left_kb:
        _fill(filler, 0)  # whatever was given free meanwhile
    before = _acknowledged(senders)
    pause.wait(FULL_S / 3)
    filler.unlink()
    return _acknowledged(senders) - before if left_kb == 0 else 0


def _fill(filler: Path, left_bytes: int) -> None:
    with filler.open("ab", buffering=0) as out, suppress(OSError):
        while (more := shutil.disk_usage(filler.parent).free - left_bytes) > 0:
            out.write(bytes(min(more, 1 << 20)))


@contextmanager
def _started_again(nursery: Nursery) -> Iterator[None]:
    """What systemd does: a house that has ended is started again."""
    stop = threading.Event()

    def keep() -> None:
        with suppress(IndexError, OSError):  # at the end nobody answers any more
            while not stop.is_set():
                nursery.start()  # comes back when the one before is dead and another one listens

    thread = threading.Thread(target=keep, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()


def _goes_on(senders: Sequence[Sender], before: Sequence[int], told: Path) -> bool:
    """Every sender has had an answer, and what they sent is in the log."""
    if not all(len(sender.acknowledged) > n for sender, n in zip(senders, before, strict=True)):
        return False
    stands = json.loads((told / "stands").read_text() or "{}") if (told / "stands").exists() else {}
    return stands.get("fault") is None and stands.get("lag", 10**9) < 500 and stands.get("number", 0) > sum(before) // 2


def _acknowledged(senders: Sequence[Sender]) -> int:
    return sum(len(sender.acknowledged) for sender in senders)


def _until(is_so: object, told: Path) -> None:
    assert callable(is_so)
    began, pause = stopwatch(), threading.Event()
    while not is_so():
        assert stopwatch() - began < LONGEST_S, [(p.name, p.read_text()[-300:]) for p in told.iterdir()]
        pause.wait(0.02)
