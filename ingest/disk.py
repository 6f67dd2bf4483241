"""What the journal asks of the disk; a simulation puts a disk in its place that forgets what was not synced."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

Sync = Callable[[int], None]


class Disk:
    """The machine's own. Every method raises OSError where the machine refuses."""

    def __init__(self, sync: Sync = os.fsync) -> None:
        self._sync = sync

    def free_bytes(self, folder: Path) -> int:
        """How much may still be written beside a folder."""
        return shutil.disk_usage(folder).free

    def write(self, file: BinaryIO, block: bytes) -> None:
        """All of it at the end of a file that is not buffered; not yet kept."""
        left = memoryview(block)
        while left:
            left = left[file.write(left) :]

    def sync(self, file: BinaryIO) -> None:
        """What was written is kept when this returns, whatever becomes of the machine."""
        self._sync(file.fileno())

    def sync_folder(self, folder: Path) -> None:
        """The names of its files are kept too."""
        bring_to_disk(folder)


def bring_to_disk(path: Path) -> None:
    """What a file holds, or the names in a folder, is kept when this returns. Raises OSError."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
