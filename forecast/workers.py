"""The processes that simulate: owned, never seeing the database, started again when one dies."""

from __future__ import annotations

import atexit
import ctypes
import multiprocessing
import os
import pickle
import signal
import threading
import weakref
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass, field, fields, replace
from functools import lru_cache
from multiprocessing.process import BaseProcess
from multiprocessing.shared_memory import SharedMemory
from typing import Any

from forecast.situation import Situation
from twin.calibrate import Calibration

CHILDREN = 2
"""Processes that simulate by default."""
_MMAP_THRESHOLD, _TRIM_THRESHOLD = -3, -1
_KEEP_BYTES = 64 << 20
"""So much of what a child has used and no longer needs it keeps for what comes next."""


class Workers(Executor):
    """A pool of spawned processes that is begun anew after one of them has died."""

    def __init__(self, children: int = CHILDREN, *, prepare: Callable[[], None] | None = None) -> None:
        """`prepare` is begun by each child in a thread of its own, beside its first tasks."""
        self._children, self._prepare = children, prepare
        self._lock = threading.Lock()
        self._shown: list[_Memory] = []
        weakref.finalize(self, _taken_back, self._shown)  # where nobody shuts it down
        self._ended = False
        self._pool = self._start()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run a function of values in a child; a pool that broke before is replaced first.

        A situation, the same for all members, is shown to the children in memory that they share; and so is what was
        learned, some megabytes that are the same in all situations of a day.
        """
        with self._lock:
            sent = tuple(self._sent(value) for value in args)
            try:
                task = self._pool.submit(_run, fn, sent, kwargs)
            except BrokenProcessPool:
                self._pool = self._start()
                task = self._pool.submit(_run, fn, sent, kwargs)
            needed = {name for value in sent if isinstance(value, _Shown) for name in (value.name, value.learned)}
            for memory in self._shown:
                if memory.block.name in needed:
                    memory.asked += 1
                    task.add_done_callback(memory.over)
        return task

    def _sent(self, value: Any) -> Any:
        """A situation as where it is shown; anything else goes with the task, as it does where memory cannot be had."""
        if self._ended or not isinstance(value, Situation):
            return value
        try:
            learned = self._learned(value.calibration)
            known = next((memory for memory in self._shown if memory.value is value), None)
            mine = known or self._show(value, _told(value, learned.value))
        except OSError:
            return value
        return _Shown(mine.block.name, learned.block.name)

    def _learned(self, calibration: Calibration) -> _Memory:
        """Where what was learned is shown: as this calibration has it, but for a hospital with the beds of now."""
        for memory in reversed(self._shown):
            if isinstance(memory.value, Calibration) and memory.value.parameters is calibration.parameters:
                return memory
        return self._show(calibration, pickle.dumps(calibration, pickle.HIGHEST_PROTOCOL))

    def _show(self, value: Situation | Calibration, told: bytes) -> _Memory:
        block = SharedMemory(create=True, size=len(told))
        block.buf[: len(told)] = told  # type: ignore[index]  # None once it is closed
        self._take_back([memory for memory in self._shown if type(memory.value) is type(value)][:-1])
        self._shown.append(_Memory(value, block))
        return self._shown[-1]

    def _take_back(self, older: Sequence[_Memory], *, all_done: bool = False) -> None:
        """Some of what is shown, but for what a task still needs."""
        over = [memory for memory in older if all_done or memory.asked == len(memory.done)]
        _taken_back(over)
        self._shown[:] = [memory for memory in self._shown if memory not in over]

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Let the children end."""
        with self._lock:
            self._pool.shutdown(wait=wait, cancel_futures=cancel_futures)
            if wait or cancel_futures:  # what runs has read what it needs
                self._take_back(self._shown, all_done=True)
                self._ended = True

    def _start(self) -> ProcessPoolExecutor:
        """The children begin at once: they are ready, or nearly, when the first members are asked for."""
        pool = ProcessPoolExecutor(
            self._children, mp_context=multiprocessing.get_context("spawn"), initializer=_begin,
            initargs=(self._prepare,),
        )  # fmt: skip
        for _ in range(self._children):
            pool.submit(_nothing)
        return pool


def _nothing() -> None:
    """What wakes a child."""


@dataclass(eq=False)
class _Memory:
    """A value in memory that the children share, and the tasks that need it: asked for, and done."""

    value: Any
    block: SharedMemory
    asked: int = 0
    done: list[None] = field(default_factory=list)

    def over(self, _: Future[Any]) -> None:
        """One more is done; without a lock, since the pool calls it while it holds its own."""
        self.done.append(None)


def _taken_back(shown: Sequence[_Memory]) -> None:
    for memory in shown:
        memory.block.close()
        memory.block.unlink()


@dataclass(frozen=True)
class _Shown:
    """Where a situation is shown, and what was learned."""

    name: str
    learned: str


def _told(situation: Situation, learned: Calibration) -> bytes:
    """A situation without what its calibration has in common with one that is shown."""
    mine = situation.calibration
    own = {f.name: getattr(mine, f.name) for f in fields(mine) if getattr(mine, f.name) is not getattr(learned, f.name)}
    rest = {f.name: getattr(situation, f.name) for f in fields(situation) if f.name != "calibration"}
    return pickle.dumps((rest, own), pickle.HIGHEST_PROTOCOL)


def _run(fn: Callable[..., Any], sent: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return fn(*(_seen(value) if isinstance(value, _Shown) else value for value in sent), **kwargs)


@lru_cache(maxsize=4)
def _seen(shown: _Shown) -> Situation:
    """The situation that is shown, read once by each child."""
    rest, own = _read(shown.name)
    learned = _seen_learned(shown.learned)
    return Situation(calibration=replace(learned, **own) if own else learned, **rest)


@lru_cache(maxsize=2)
def _seen_learned(name: str) -> Calibration:
    """What was learned, read once by each child, so that what follows from it is worked out once."""
    learned: Calibration = _read(name)
    return learned


def _read(name: str) -> Any:
    """What is shown under a name."""
    memory = SharedMemory(name)
    try:
        return pickle.loads(memory.buf)  # type: ignore[arg-type]  # None once it is closed
    finally:
        memory.close()


def _begin(prepare: Callable[[], None] | None) -> None:
    keep_memory()
    _live_with_the_parent()
    if prepare is not None:
        threading.Thread(target=prepare, daemon=True).start()
        atexit.register(os._exit, 0)  # at its end a child does not wait for what it prepares, nor pull it down


def keep_memory() -> None:
    """Large arrays come and go with every chunk: memory that is given back is cleared when asked for anew."""
    with suppress(OSError, AttributeError):  # another C library than glibc
        library = ctypes.CDLL(None)
        library.mallopt(_MMAP_THRESHOLD, _KEEP_BYTES >> 1)
        library.mallopt(_TRIM_THRESHOLD, _KEEP_BYTES)


def _live_with_the_parent() -> None:
    """A child ends when its parent does, even one that was killed, and not before.

    Ctrl-C in a terminal reaches every process of the house; only the one that owns the others is to hear it.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(multiprocessing.parent_process(),), daemon=True).start()


def _end_with(parent: BaseProcess | None) -> None:
    if parent is not None:
        parent.join()
        os._exit(1)
