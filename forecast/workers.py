"""The processes that simulate: owned, never seeing the database, started again when one dies."""

from __future__ import annotations

import atexit
import ctypes
import multiprocessing
import os
import pickle
import signal
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from multiprocessing.process import BaseProcess
from multiprocessing.shared_memory import SharedMemory
from typing import Any

from forecast.situation import Situation

CHILDREN = 2
"""Processes that simulate by default."""
_SHOWN = 4
"""Situations that children may still be asked about, the newest."""
_MMAP_THRESHOLD, _TRIM_THRESHOLD = -3, -1
_KEEP_BYTES = 64 << 20
"""So much of what a child has used and no longer needs it keeps for what comes next."""


class Workers(Executor):
    """A pool of spawned processes that is begun anew after one of them has died."""

    def __init__(self, children: int = CHILDREN, *, prepare: Callable[[], None] | None = None) -> None:
        """`prepare` is begun by each child in a thread of its own, beside its first tasks."""
        self._children, self._prepare = children, prepare
        self._lock = threading.Lock()
        self._shown: list[tuple[Situation, SharedMemory]] = []
        self._pool = self._start()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run a function of values in a child; a pool that broke before is replaced first.

        A situation, some megabytes of the same for all members, is shown to the children in memory that they share.
        """
        with self._lock:
            sent = tuple(self._sent(value) for value in args)
            try:
                return self._pool.submit(_run, fn, sent, kwargs)
            except BrokenProcessPool:
                self._pool = self._start()
                return self._pool.submit(_run, fn, sent, kwargs)

    def _sent(self, value: Any) -> Any:
        """A situation as where it is shown; anything else goes with the task, as it does where memory cannot be had."""
        if not isinstance(value, Situation):
            return value
        for situation, memory in self._shown:
            if situation is value:
                return _Shown(memory.name)
        told = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
        try:
            memory = SharedMemory(create=True, size=len(told))
        except OSError:
            return value
        memory.buf[: len(told)] = told  # type: ignore[index]  # None once it is closed
        self._shown.append((value, memory))
        self._show(_SHOWN)
        return _Shown(memory.name)

    def _show(self, newest: int) -> None:
        """Take back what is shown but for the newest."""
        for _, memory in self._shown[: len(self._shown) - newest]:
            memory.close()
            memory.unlink()
        self._shown = self._shown[len(self._shown) - newest :] if newest else []

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Let the children end."""
        with self._lock:
            self._pool.shutdown(wait=wait, cancel_futures=cancel_futures)
            if wait:
                self._show(0)

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


@dataclass(frozen=True)
class _Shown:
    """Where a situation is shown."""

    name: str


def _run(fn: Callable[..., Any], sent: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return fn(*(_seen(value.name) if isinstance(value, _Shown) else value for value in sent), **kwargs)


@lru_cache(maxsize=2)
def _seen(name: str) -> Any:
    """What is shown under a name, read once by each child."""
    memory = SharedMemory(name)
    try:
        return pickle.loads(memory.buf)  # type: ignore[arg-type]  # None once it is closed
    finally:
        memory.close()


def _begin(prepare: Callable[[], None] | None) -> None:
    _keep_memory()
    _live_with_the_parent()
    if prepare is not None:
        threading.Thread(target=prepare, daemon=True).start()
        atexit.register(os._exit, 0)  # at its end a child does not wait for what it prepares, nor pull it down


def _keep_memory() -> None:
    """Large arrays come and go with every chunk: memory that is given back is cleared when asked for anew."""
    with suppress(OSError, AttributeError):  # another C library than glibc
        library = ctypes.CDLL(None)
        library.mallopt(_MMAP_THRESHOLD, _KEEP_BYTES >> 2)
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
