"""Names for code: what was made by some files is known to be stale once one of them is another."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

TWIN = Path(__file__).parent
"""Where the twin's code and tables are."""


def digest_of(files: Iterable[Path], root: Path = TWIN.parent) -> str:
    """A name of 16 letters for files below a folder: another where the place or a byte of one is."""
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]
