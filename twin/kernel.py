"""The compiled engine: the law of `model.py`, equal to the last bit; its loop is some forty times as fast.

`model.py` stays the law and tells what happens to a single member step by step; `tests/test_twin_kernel.py` holds the
two together. The text of the loop (`kernel_loop.py`) is compiled by numba, which takes some seconds and is then kept on
disk. Until it is there SimPy serves; the text also runs as it stands (`plain`), which is how its errors are looked for.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from functools import cache
from hashlib import sha256
from pathlib import Path as FilePath
from tempfile import TemporaryFile
from typing import Any, cast

import numpy as np

from ingest import events
from twin import kernel_layout, kernel_loop, kernel_patient, kernel_queues, model, routing, steps, story
from twin.errors import TwinError
from twin.fate import Fate
from twin.fates import Share
from twin.hospital import Profile
from twin.kernel_loop import simulate
from twin.kernel_tables import Array, Flags, Index, Packed, aimed, packed
from twin.pathway import Path
from twin.present import Present
from twin.story import Story

logger = logging.getLogger(__name__)

Loop = Callable[[Index, Array], None]

_OPTIONS: dict[str, Any] = {"nogil": True, "_nrt": False}
"""Threads may run members side by side; references to the arrays are not counted, since the loop makes none."""
_FAULTS = {
    kernel_layout.IN_THE_PAST: "something would happen before now: a minute of its fate or of a capacity is negative",
    kernel_layout.NO_BED: "a bed of the ward wanted is asked for, but no such ward is wanted or has beds",
    kernel_layout.NOT_KEPT: "a place is given back that is not kept",
    kernel_layout.TOO_MUCH: "more happens than the path allows",
}


_BESIDE = FilePath(__file__).parent / "__pycache__"
"""Where what is compiled is kept unless a folder is given."""
_TEXTS = (events, routing, steps, story, kernel_layout, kernel_loop, kernel_patient, kernel_queues)
_fast: list[Loop] = []
"""The compiled loop, once it is there."""


def run(capacity: Mapping[str, Profile], path: Path, fate: Fate, present: Present, horizon_min: float) -> Story:
    """What `model.run` gives, mark by mark; `Runs` does it under several capacities.

    Raises TwinError for what the law does not allow: nothing is ignored.
    """
    return Runs(path, fate, present, horizon_min).under(capacity)


def ready() -> bool:
    """Is the compiled loop there?"""
    return bool(_fast)


class Runs:
    """A member's runs under several capacities: packed once, run as often as asked for.

    By the compiled loop once `warm` is done; until then, or where that is asked for, by `model.run` itself; or by
    the form of the loop given.
    """

    def __init__(
        self,
        path: Path,
        fate: Fate,
        present: Present,
        horizon_min: float,
        *,
        by_law: bool = False,
        form: Loop | None = None,
    ) -> None:
        self._path, self._fate, self._present, self._horizon_min = path, fate, present, horizon_min
        self._form = form or (_fast[0] if _fast and not by_law else None)
        self._given: Packed | None = None
        self._before = present.history

    def under(self, capacity: Mapping[str, Profile], rows: Flags | None = None) -> Story:
        """The story under capacities, in which these rows of the fate take part; all of them where not said."""
        if self._form is None:
            fate = self._fate if rows is None else Share(self._fate, rows).alone()
            return model.run(capacity, self._path, fate, self._present, self._horizon_min)
        given = self._given = self._given or packed(self._path, self._fate, self._present, self._horizon_min)
        aimed(given, self._path, self._fate, capacity, rows)
        self._form(*given)
        if fault := int(given.n[kernel_layout.FAULT]):
            row = given.n[kernel_layout.FAULT_ROW]
            raise TwinError(f"path {self._path.name}, row {row} of the fate: {_FAULTS[fault]}")
        return _told(given, self._before)


def plain(n: Index, x: Array) -> None:
    """The loop's text as it stands, on lists, which are quicker there than arrays."""
    whole, minutes = n.tolist(), x.tolist()
    simulate(whole, minutes)
    n[:], x[:] = whole, minutes


@cache
def compiled(kept_in: FilePath | None = _BESIDE) -> Loop:
    """The loop compiled by numba, which is loaded for it: at its first call, or from what is kept in a folder.

    Numba keeps what is compiled from a file as long as that file is the same; this loop is made of several, so each of
    their texts has a folder of its own. Where no folder can be written, nothing is kept.
    """
    from numba import config, njit

    _let_parts_be_compiled()
    kept = kept_in is not None and _made(kept_in / f"kernel-{_digest()}")
    if kept:
        config.CACHE_DIR = str(kept)  # type: ignore[attr-defined]
    return cast(Loop, njit(cache=bool(kept), **_OPTIONS)(simulate))


def _made(folder: FilePath) -> FilePath | None:
    """The folder, made if need be; None where it cannot be written, since numba would look for another place."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            return folder
    except OSError as no_place:
        logger.info("the compiled engine is not kept on disk: %s", no_place)
        return None


def _digest() -> str:
    """A name for all that the loop is compiled from."""
    digest = sha256()
    for module in _TEXTS:
        digest.update(FilePath(str(module.__file__)).read_bytes())
    return digest.hexdigest()[:16]


@cache
def _let_parts_be_compiled() -> None:
    """Written into the loop wherever they are called."""
    from numba.extending import overload

    for function in kernel_layout.PARTS:
        overload(function, jit_options={"forceinline": True}, strict=False)(_itself(function))


def _itself(function: Callable[..., Any]) -> Callable[..., Callable[..., Any]]:
    """What numba asks for: the text to compile for a function, whatever its arguments."""
    return lambda *_: function


def warm(otherwise: FilePath | None = None) -> None:
    """Compile, or load what was compiled before; `run` is fast from then on.

    It is kept beside the code, or in another folder where that cannot be written.
    """
    form = compiled(_BESIDE if _writable(_BESIDE) else otherwise)
    form(np.zeros(kernel_layout.HEAD, dtype=np.int64), np.zeros(1))
    _fast[:] = [form]


def _writable(folder: FilePath) -> bool:
    """Can a folder be written, or be made?"""
    return os.access(folder if folder.exists() else folder.parent, os.W_OK)


def _told(done: Packed, before: Story) -> Story:
    marks, told_at, told = (
        int(done.n[place]) for place in (kernel_layout.MARKS, kernel_layout.TOLD_AT, kernel_layout.TOLD)
    )
    columns = done.n[told : told + marks * kernel_layout.MARK].reshape(marks, kernel_layout.MARK).T
    earlier = (before.kind, before.visit, before.unit, before.to)
    ints = (np.concatenate(pair) for pair in zip(earlier, columns, strict=True))
    return Story(np.concatenate([before.at_min, done.x[told_at : told_at + marks]]), *ints)
