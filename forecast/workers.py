"""The processes that simulate: owned, never seeing the database, started again when one dies."""

from __future__ import annotations

import atexit
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.process import BaseProcess
from typing import Any

CHILDREN = 2
"""Processes that simulate by default."""


class Workers(Executor):
    """A pool of spawned processes that is begun anew after one of them has died."""

    def __init__(self, children: int = CHILDREN, *, prepare: Callable[[], None] | None = None) -> None:
        """`prepare` is begun by each child in a thread of its own, beside its first tasks."""
        self._children, self._prepare = children, prepare
        self._lock = threading.Lock()
        self._pool = self._start()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run a function of values in a child; a pool that broke before is replaced first."""
        with self._lock:
            try:
                return self._pool.submit(fn, *args, **kwargs)
            except BrokenProcessPool:
                self._pool = self._start()
                return self._pool.submit(fn, *args, **kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Let the children end."""
        with self._lock:
            self._pool.shutdown(wait=wait, cancel_futures=cancel_futures)

    def _start(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(
            self._children, mp_context=multiprocessing.get_context("spawn"), initializer=_begin,
            initargs=(self._prepare,),
        )  # fmt: skip


def _begin(prepare: Callable[[], None] | None) -> None:
    _live_with_the_parent()
    if prepare is not None:
        threading.Thread(target=prepare, daemon=True).start()
        atexit.register(os._exit, 0)  # at its end a child does not wait for what it prepares, nor pull it down


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
