"""The compiled engine: the law of `model.py`, equal to the last bit; its loop is some forty times as fast.

`model.py` stays the law and tells what happens to a single member step by step; `tests/test_twin_kernel.py` holds the
two together. The text of the loop (`kernel_loop.py`) is compiled by numba, which takes some seconds and is then kept on
disk. Until it is there SimPy serves; the text also runs as it stands (`plain`), which is how its errors are looked for.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from fcntl import LOCK_EX, flock
from functools import cache, cached_property
from pathlib import Path as FilePath
from tempfile import TemporaryFile
from typing import Any, cast

import numpy as np

from ingest import events
from twin import (
    duration_loop,
    durations,
    fate_loop,
    kernel_asked,
    kernel_counts,
    kernel_layout,
    kernel_loop,
    kernel_pack,
    kernel_patient,
    kernel_queues,
    kernel_tallies,
    keys,
    luck_loop,
    model,
    queue_loop,
    routing,
    steps,
    story,
)
from twin.code import digest_of
from twin.counting import Counting
from twin.errors import TwinError
from twin.fate import Fate, Lot
from twin.fates import Share
from twin.hospital import Profile
from twin.kernel_counts import WAITS, count
from twin.kernel_loop import simulate
from twin.kernel_tables import Array, Flags, Index, Packed, Room, aimed, packed
from twin.kernel_tallies import WAIT, tally
from twin.pathway import Path
from twin.present import Present
from twin.story import Story
from twin.tallies import Tallying

logger = logging.getLogger(__name__)

Loop = Callable[[Index, Array], None]
Counter = Callable[[Array, Index, Array, Index, Index, Index, Array, float, Array], None]
Asker = Callable[..., None]
Tallier = Callable[[Array, Index, Array, Index, Index, Index, Array, float, Array], None]

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
_TEXTS = (
    events,
    fate_loop,
    duration_loop,
    durations,
    routing,
    steps,
    story,
    kernel_layout,
    kernel_asked,
    kernel_counts,
    kernel_loop,
    kernel_pack,
    kernel_patient,
    kernel_queues,
    kernel_tallies,
    keys,
    luck_loop,
    queue_loop,
)
_NOW = np.zeros(1)
_NO_MARKS = np.empty((0, kernel_layout.MARK), dtype=np.int64)
_fast: list[Loop] = []
"""The compiled loop, once it is there."""
_counter: list[Counter] = []
"""And what counts its marks, compiled."""
_tallier: list[Tallier] = []
"""And what tallies them."""
_asker: list[Asker] = []
"""And what tells the work asked of pools."""


def run(capacity: Mapping[str, Profile], path: Path, fate: Fate, present: Present, horizon_min: float) -> Story:
    """What `model.run` gives, mark by mark; `Runs` does it under several capacities.

    Raises TwinError for what the law does not allow: nothing is ignored.
    """
    return Runs(path, Lot.of(fate), present, horizon_min).under(capacity)


def asker() -> Asker:
    """What tells the work asked of pools (`kernel_asked.ask`), compiled once it is there."""
    return _asker[0] if _asker else kernel_asked.ask


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
        lot: Lot,
        present: Present,
        horizon_min: float,
        *,
        by_law: bool = False,
        form: Loop | None = None,
        room: Room | None = None,
    ) -> None:
        """`room` may be shared by runs that are not done side by side."""
        self._path, self._lot, self._present, self._horizon_min = path, lot, present, horizon_min
        self._form = form or (_fast[0] if _fast and not by_law else None)
        self._counter = _counter[0] if _counter and self._form else None
        self._room = room or Room()
        self._given: Packed | None = None
        self._name = object()
        """In a room; not the runs themselves, which with their room would be kept until garbage is looked for."""
        self._before = present.history

    def under(self, capacity: Mapping[str, Profile], rows: Flags | None = None) -> Story:
        """The story under capacities, in which these rows of the fate take part; all of them where not said."""
        if self._form is None:
            fate = self._lot.fate if rows is None else Share(self._lot, rows).alone()
            return model.run(capacity, self._path, fate, self._present, self._horizon_min)
        at_min, marks = self._marks(self._form, capacity, rows)
        before = self._before
        earlier = (before.kind, before.visit, before.unit, before.to)
        ints = (np.concatenate(pair) for pair in zip(earlier, marks.T, strict=True))
        return Story(np.concatenate([before.at_min, at_min]), *ints)

    def counted(
        self, capacity: Mapping[str, Profile], what: Counting, grid_min: Array, rows: Flags | None = None
    ) -> Array:
        """What is counted of that story at each instant of a rising grid after the start, `(row, grid)`."""
        if self._form is None or self._counter is None:
            told = self.under(capacity, rows)
            return what.of_story(told, self._lot.acuity, grid_min, at_once_min=what.at_once_min)
        marks = self._marks(self._form, capacity, rows)
        return self._count(self._counter, *marks, what, grid_min, what.at_once_min, self._lot.acuity)

    def counted_now(self, what: Counting) -> Array:
        """What is counted at the start, `(row, 1)`, before anything of the run has happened."""
        if self._counter is None:
            return what.of_story(self._before, self._lot.acuity, _NOW)
        return self._count(self._counter, _NOW[:0], _NO_MARKS, what, _NOW, 0.0, self._lot.acuity[: self._present.count])

    def tallied(
        self, capacity: Mapping[str, Profile], what: Counting, grid_min: Array, tallying: Tallying, visits: Index,
        rows: Flags | None = None,
    ) -> tuple[Array, Array]:  # fmt: skip
        """What `counted` gives, and the tallies of the same story, `(row,)`; `visits` says what each visit is."""
        acuity = self._lot.acuity
        if self._form is None or self._counter is None or not _tallier:
            told = self.under(capacity, rows)
            counts = what.of_story(told, acuity, grid_min, at_once_min=what.at_once_min)
            return counts, tallying.of_story(told, acuity, visits)
        marks, out = self._marks(self._form, capacity, rows), np.empty(len(tallying.names))
        _tallier[0](*self._earlier, *marks, acuity, visits, tallying.night_min, tallying.until_min, out)
        return self._count(self._counter, *marks, what, grid_min, what.at_once_min, acuity), out

    @cached_property
    def _earlier(self) -> tuple[Array, Index]:
        """The marks before the run, `(mark,)` and `(mark, MARK)`."""
        told = self._before
        out = np.empty((told.at_min.size, kernel_layout.MARK), dtype=np.int64)
        out[:, 0], out[:, 1], out[:, 2], out[:, 3] = told.kind, told.visit, told.unit, told.to
        return told.at_min, out

    def _marks(self, form: Loop, capacity: Mapping[str, Profile], rows: Flags | None) -> tuple[Array, Index]:
        """What is told in the run, `(mark,)` and `(mark, MARK)`; it stands there until the next run."""
        if self._given is None or self._room.holder is not self._name:
            self._given = packed(self._path, self._lot, self._present, self._horizon_min, self._room)
            self._room.holder = self._name
        n, x = self._given
        aimed(self._given, self._path, capacity, rows, self._room)
        form(n, x)
        if fault := int(n[kernel_layout.FAULT]):
            row = n[kernel_layout.FAULT_ROW]
            raise TwinError(f"path {self._path.name}, row {row} of the fate: {_FAULTS[fault]}")
        marks, told_at, told = (
            int(n[place]) for place in (kernel_layout.MARKS, kernel_layout.TOLD_AT, kernel_layout.TOLD)
        )
        columns = n[told : told + marks * kernel_layout.MARK].reshape(marks, kernel_layout.MARK)
        return x[told_at : told_at + marks], columns

    def _count(
        self, counter: Counter, at_min: Array, marks: Index, what: Counting, grid_min: Array, at_once_min: float,
        acuity: Index,
    ) -> Array:  # fmt: skip
        """`acuity` is that of the visits that the marks are of."""
        out = np.empty((len(what.names), grid_min.size))
        counter(*self._earlier, at_min, marks, acuity, what.ward_of, grid_min, at_once_min, out)
        return out


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
    return cast(Loop, _compiled(simulate, kept_in, _OPTIONS))


@cache
def compiled_counter(kept_in: FilePath | None = _BESIDE) -> Counter:
    """What counts marks, compiled and kept in the same way."""
    return cast(Counter, _compiled(count, kept_in, {"nogil": True}))


@cache
def compiled_casting(kept_in: FilePath | None = _BESIDE) -> fate_loop.Loops:
    """And what casts routes and lengths."""
    options = {"nogil": True}
    route, lengths = (_compiled(loop, kept_in, options) for loop in (fate_loop.route, fate_loop.lengths))
    return fate_loop.Loops(cast(Callable[..., int], route), cast(Callable[..., int], lengths))


@cache
def compiled_packing(kept_in: FilePath | None = _BESIDE) -> kernel_pack.Packing:
    """What packs a member's runs and makes each ready."""
    pack, aim = (_compiled(loop, kept_in, {"nogil": True}) for loop in (kernel_pack.pack, kernel_pack.aim))
    return kernel_pack.Packing(cast(Callable[..., tuple[int, int]], pack), cast(Callable[..., None], aim))


@cache
def compiled_durations(kept_in: FilePath | None = _BESIDE) -> duration_loop.Loops:
    """And what tells how likely lengths are, and how long likelihoods."""
    options = {"nogil": True}
    level, quantile = (_compiled(loop, kept_in, options) for loop in (duration_loop.level, duration_loop.quantile))
    return duration_loop.Loops(cast(Callable[..., int], level), cast(Callable[..., int], quantile))


@cache
def compiled_luck(kept_in: FilePath | None = _BESIDE) -> luck_loop.Loops:
    """What draws who comes, and everybody's keys."""
    come, seat = (_compiled(loop, kept_in, {"nogil": True}) for loop in (luck_loop.come, luck_loop.seat))
    return luck_loop.Loops(cast(Callable[..., int], come), cast(Callable[..., None], seat))


@cache
def compiled_tallier(kept_in: FilePath | None = _BESIDE) -> Tallier:
    """What tallies marks, compiled and kept in the same way."""
    return cast(Tallier, _compiled(tally, kept_in, {"nogil": True}))


@cache
def compiled_asker(kept_in: FilePath | None = _BESIDE) -> Asker:
    """What tells the work asked of pools, compiled and kept in the same way."""
    return cast(Asker, _compiled(kernel_asked.ask, kept_in, {"nogil": True}))


@cache
def compiled_queue(kept_in: FilePath | None = _BESIDE) -> Callable[..., None]:
    """And the queue for doctors lived through."""
    return cast(Callable[..., None], _compiled(queue_loop.live, kept_in, {"nogil": True}))


def _compiled(function: Callable[..., Any], kept_in: FilePath | None, options: Mapping[str, Any]) -> object:
    from numba import config, njit

    _let_parts_be_compiled()
    kept = kept_in is not None and _made(kept_in / f"kernel-{_digest()}")
    if kept:
        config.CACHE_DIR = str(kept)  # type: ignore[attr-defined]
    return njit(cache=bool(kept), **options)(function)


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
    return digest_of(FilePath(str(module.__file__)) for module in _TEXTS)


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
    place = _BESIDE if _writable(_BESIDE) else otherwise
    with _alone(place):
        form, counter, tallier = compiled(place), compiled_counter(place), compiled_tallier(place)
        form(np.zeros(kernel_layout.HEAD, dtype=np.int64), np.zeros(1))
        marks, codes = np.empty((0, kernel_layout.MARK), dtype=np.int64), np.full(1, -1)
        counter(np.empty(0), marks, np.empty(0), marks, codes, codes, np.zeros(1), 0.0, np.empty((WAITS, 1)))
        ask = compiled_asker(place)
        none, no, stage = np.zeros((1, 1, 1)), np.zeros((1, 1), dtype=bool), np.full((1, 1), -1)
        ask(stage, none, stage, none[0], np.zeros(1), no[0], no, no, no, no[0], np.zeros(1), np.zeros((1, 1)))
        tallier(np.empty(0), marks, np.empty(0), marks, codes, codes, np.empty((0, 2)), 0.0, np.empty(WAIT + 1))
        loops, luck, live = compiled_casting(place), compiled_luck(place), compiled_queue(place)
        packing = compiled_packing(place)
        lengths = compiled_durations(place)
        _pack_nobody(packing)
        _measure_nothing(lengths)
        _cast_nobody(loops)
        _draw_nobody(luck)
        codes = np.empty(0, dtype=np.int64)
        live(*[np.empty(0)] * 5, np.empty((0, 1)), np.empty(0), codes, 0, np.empty(0))
    _fast[:], _counter[:], _tallier[:], _asker[:] = [form], [counter], [tallier], [ask]
    fate_loop.ready[:], luck_loop.ready[:], queue_loop.ready[:] = [loops], [luck], [live]
    kernel_pack.ready[:], duration_loop.ready[:] = [packing], [lengths]


def _cast_nobody(loops: fate_loop.Loops) -> None:
    """So that they are there: a loop is compiled, or loaded, for what it is first called with."""
    none, codes, many = np.empty(0, dtype=np.int64), np.empty((0, 0), dtype=np.int64), np.empty((0, 0))
    shares, key = np.empty((0, 0, 0)), np.empty(0, dtype=np.uint64)
    loops.route(none, none, key, none, none, none, none, none, none, codes, shares, none, shares, codes, codes, codes)
    begun = np.empty(0, dtype=np.bool_)
    loops.lengths(codes, codes, codes, key, none, none, begun, none, codes, none, none, none, many, 0.0, shares, none)


def _pack_nobody(packing: kernel_pack.Packing) -> None:
    none, minutes, flags = np.empty(0, dtype=np.int64), np.empty(0), np.empty(0, dtype=np.bool_)
    head = np.zeros(kernel_layout.HEAD, dtype=np.int64)
    packing.pack(
        none, minutes, head, none, 0, 0, 0, 1, 1, 1, flags, flags, minutes, minutes, 0, 0, 0, 0, none, none, none, none,
        minutes, minutes, minutes, minutes, none, minutes, minutes, minutes, minutes, minutes, 0.0, 0.0,
    )  # fmt: skip
    packing.aim(head, minutes, none, minutes, none, none, True, flags)


def _measure_nothing(loops: duration_loop.Loops) -> None:
    levels, none, minutes = durations.LEVELS, np.empty(0, dtype=np.int64), np.empty(0)
    loops.level(levels, minutes, none, minutes, minutes, none)
    loops.quantile(levels, minutes, none, minutes, 1.0, minutes, none)


def _draw_nobody(loops: luck_loop.Loops) -> None:
    none, key, minutes = np.empty(0, dtype=np.int64), np.empty(0, dtype=np.uint64), np.empty(0)
    loops.come(key, key, np.empty((0, 1)), np.empty(1), 0.0, minutes, none)
    loops.seat(key, none, none, minutes, key, minutes, minutes)


@contextmanager
def _alone(kept_in: FilePath | None) -> Iterator[None]:
    """One process at a time: the others find what the first has compiled."""
    kept = kept_in and _made(kept_in / f"kernel-{_digest()}")
    if not kept:
        yield
        return
    with (kept / "lock").open("w") as lock:
        flock(lock, LOCK_EX)  # let go when the file is closed, or the process ends
        yield


def _writable(folder: FilePath) -> bool:
    """Can a folder be written, or be made?"""
    return os.access(folder if folder.exists() else folder.parent, os.W_OK)


if __name__ == "__main__":  # as a part of setting up: the first forecast then need not wait for it
    warm()
