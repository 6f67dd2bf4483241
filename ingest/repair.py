"""A damaged file of the journal made whole from an earlier copy of it, where the chain proves that it is the very same.

    repaired(folder, [backup / "journal"], "20261127T081200Z")     # names of the files that were made whole

Every record is linked to the one before, so whole is what can be read from its first frame to its last, follows from
the file before it, and is followed by the one after it. A copy of another journal, or of one that was written anew, is
never that. What the copy does not hold yet is taken from the damaged file, behind the damage.

Nothing is made up, and nothing is skipped: a record that no copy holds stays missing, and the journal stays refused.
The log may still know what it said; but the journal is the truth, and to go on from one with a hole would tell senders
that all they sent is kept. A person decides: restore, or have the sources send again.
"""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ingest.disk import bring_to_disk
from ingest.journal_frames import FIRST_LINK, DamageError, TornError, read_frame, record_of, start_of

SUFFIX = ".journal"


@dataclass(frozen=True, slots=True)
class _Reached:
    """Where reading has come to: the last record and the link that all before lead to."""

    number: int
    link: bytes


def repaired(folder: Path, copies: Sequence[Path], stamp: str, *, goes_on: bool = False) -> list[str]:
    """Make whole what can be, file by file; their names. The damaged ones are kept as `.corrupt-<stamp>`.

    Stops at the first that no copy makes whole: what follows it cannot be proved. Where it `goes_on`, a journal whose
    end is missing gets what a copy holds behind it.
    """
    names = sorted({path.name for place in (folder, *copies) for path in place.glob(f"*{SUFFIX}")})
    mended, before = list[str](), _Reached(0, FIRST_LINK)
    for name, following in zip(names, [*names[1:], None], strict=True):
        path, after = folder / name, folder / following if following else None
        held = path.read_bytes() if path.is_file() else b""
        reached = _through(held, before)
        if reached is None or not _leads_to(reached, after):
            found = next(_wholes(held, [copy / name for copy in copies], before, after), None)
            if found is None:
                break
            whole, reached = found
            _put(path, whole, stamp)
            mended.append(name)
        is_last = after is None or not after.exists()
        longer = _longest([copy / name for copy in copies], held, before) if goes_on and held and is_last else None
        if longer is not None:
            whole, reached = longer
            _put(path, whole, stamp)
            mended.append(name)
        before = reached
    return mended


def _longest(copies: Sequence[Path], held: bytes, before: _Reached) -> tuple[bytes, _Reached] | None:
    """The longest copy that begins with just what is held, and is whole; None where none is longer."""
    theirs = (copy.read_bytes() for copy in copies if copy.is_file())
    for whole in sorted(theirs, key=len, reverse=True):
        reached = _through(whole, before) if len(whole) > len(held) and whole.startswith(held) else None
        if reached is not None:
            return whole, reached
    return None


def _wholes(
    ours: bytes, copies: Sequence[Path], before: _Reached, after: Path | None
) -> Iterator[tuple[bytes, _Reached]]:
    """What each copy that makes the file whole makes of it, and where that leads to."""
    for copy in copies:
        theirs = copy.read_bytes() if copy.is_file() else b""
        whole = theirs + ours[len(theirs) :]
        reached = _through(whole, before, may_be_torn=after is None)
        if whole != ours and reached is not None and _leads_to(reached, after):
            yield whole, reached


def _through(held: bytes, before: _Reached, *, may_be_torn: bool = False) -> _Reached | None:
    """Where a file leads to, read to its last byte; None where it is damaged or does not follow.

    It `may_be_torn` at its end where a process died within a write: that is cut off when the journal is opened.
    """
    file, number, link = io.BytesIO(held), before.number, b""
    try:
        start, link = start_of(file)
        if (start.last, start.link) != (before.number, before.link):
            return None
        while (frame := read_frame(file, link)) is not None:
            if record_of(frame).number != number + 1:
                return None
            number, link = number + 1, frame.link
    except TornError:
        return _Reached(number, link) if may_be_torn and link else None
    except DamageError:
        return None
    return _Reached(number, link)


def _leads_to(reached: _Reached, after: Path | None) -> bool:
    """Whether the next file, as far as its beginning can be read, goes on from there."""
    if after is None:
        return True
    try:
        with after.open("rb") as file:
            start, _ = start_of(file)
    except (OSError, TornError, DamageError):
        return True  # its own damage is looked at in its turn
    return (start.last, start.link) == (reached.number, reached.link)


def _put(path: Path, whole: bytes, stamp: str) -> None:
    """At once, under the name: at every instant the damaged one or the whole one is there."""
    fresh = path.with_name(f"{path.name}.whole-{stamp}")
    with fresh.open("wb") as out:
        out.write(whole)
        out.flush()
        os.fsync(out.fileno())
    if path.is_file():
        aside = path.with_name(f"{path.name}.corrupt-{stamp}")
        shutil.copyfile(path, aside)
        bring_to_disk(aside)
    fresh.replace(path)
    bring_to_disk(path.parent)
