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
from dataclasses import dataclass, field
from functools import lru_cache
from multiprocessing.process import BaseProcess
from multiprocessing.shared_memory import SharedMemory
from typing import Any

from forecast.situation import Situation

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

        A situation, some megabytes of the same for all members, is shown to the children in memory that they share.
        """
        with self._lock:
            sent = tuple(self._sent(value) for value in args)
            try:
                task = self._pool.submit(_run, fn, sent, kwargs)
            except BrokenProcessPool:
                self._pool = self._start()
                task = self._pool.submit(_run, fn, sent, kwargs)
            for memory in self._shown:
                if _Shown(memory.block.name) in sent:
                    memory.asked += 1
                    task.add_done_callback(memory.over)
        return task

    def _sent(self, value: Any) -> Any:
        """A situation as where it is shown; anything else goes with the task, as it does where memory cannot be had."""
        if self._ended or not isinstance(value, Situation):
            return value
        for memory in self._shown:
            if memory.situation is value:
                return _Shown(memory.block.name)
        told = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
        try:
            block = SharedMemory(create=True, size=len(told))
        except OSError:
            return value
        block.buf[: len(told)] = told  # type: ignore[index]  # None once it is closed
        self._take_back(1)
        self._shown.append(_Memory(value, block))
        return _Shown(block.name)

    def _take_back(self, newest: int, *, all_done: bool = False) -> None:
        """What is shown but for the newest, and for what a task still needs."""
        older = self._shown[: len(self._shown) - newest]
        over = [memory for memory in older if all_done or memory.asked == len(memory.done)]
        _taken_back(over)
        self._shown[:] = [memory for memory in self._shown if memory not in over]

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Let the children end."""
        with self._lock:
            self._pool.shutdown(wait=wait, cancel_futures=cancel_futures)
            if wait or cancel_futures:  # what runs has read what it needs
                self._take_back(0, all_done=True)
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
    """A situation in memory that the children share, and the tasks that need it: asked for, and done."""

    situation: Situation
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
    """Where a situation is shown."""

    name: str


def _run(fn: Callable[..., Any], sent: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return fn(*(_seen(value.name) if isinstance(value, _Shown) else value for value in sent), **kwargs)


@lru_cache(maxsize=4)
def _seen(name: str) -> Any:
    """What is shown under a name, read once by each child."""
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
