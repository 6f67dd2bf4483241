"""The processes that simulate: owned, never seeing the database, started again when one dies, ended when one hangs."""

from __future__ import annotations

import atexit
import ctypes
import multiprocessing
import os
import pickle
import signal
import threading
import weakref
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass, field, fields, replace
from functools import lru_cache, partial
from itertools import count
from multiprocessing.process import BaseProcess
from multiprocessing.shared_memory import SharedMemory
from typing import Any

from forecast.errors import OverBudgetError
from forecast.overrun import BUDGET_S, MEMORY_BYTES, Slate, bound_memory, clear_away, ended_by_force
from forecast.situation import Situation
from twin.calibrate import Calibration

CHILDREN = 2
"""Processes that simulate by default."""
GENTLY = 10
"""By how much lower the priority of children is that give way to a process with as much to do as they."""
LOOK_S = 0.25
"""Between two looks at what the children are at."""
_MMAP_THRESHOLD, _TRIM_THRESHOLD = -3, -1
_KEEP_BYTES = 64 << 20
"""So much of what a child has used and no longer needs it keeps for what comes next."""


class Workers(Executor):
    """A pool of spawned processes that is begun anew after one of them has died.

    A task that takes longer than `budget_s` ends with OverBudgetError, and its process with it; what the others were at
    is begun anew. One that asks for more memory than `memory_bytes` ends so too, alone.
    """

    def __init__(
        self,
        children: int = CHILDREN,
        *,
        prepare: Callable[[], None] | None = None,
        budget_s: float = BUDGET_S,
        memory_bytes: int | None = MEMORY_BYTES,
        gives_way: int = 0,
    ) -> None:
        """`prepare` is begun by each child in a thread of its own, beside its first tasks.

        `gives_way` is by how much lower the children's priority is than the owner's: one that has as much to do to give
        them their work as they have with it would be kept from that, and they would wait for it.
        """
        self._children, self._prepare, self._gives_way = children, prepare, gives_way
        self._budget_s, self._memory_bytes = budget_s, memory_bytes
        self._lock = threading.Lock()
        self._numbers = count(1)
        self._warned: set[int] = set()
        self._again: deque[_Task] = deque()
        self._shown: list[_Memory] = []
        weakref.finalize(self, _taken_back, self._shown)  # where nobody shuts it down
        self._ended = False
        self._over = threading.Event()
        self._pool = self._start()
        watched = weakref.ref(self), self._over
        self._watcher = threading.Thread(target=_watch, args=watched, name="workers", daemon=True)
        self._watcher.start()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run a function of values in a child; a pool that broke before is replaced first.

        A situation, the same for all members, is shown to the children in memory that they share; and so is what was
        learned, some megabytes that are the same in all situations of a day.
        """
        with self._lock:
            task = _Task(next(self._numbers), fn, args, kwargs)
            self._give(task)
        return task.asked

    def _give(self, task: _Task) -> None:
        """Have a child do it. A task that nobody wants any more is taken back, unless it runs."""
        sent = tuple(self._sent(value) for value in task.args)
        try:
            inner = self._pool.submit(_run, task.number, task.fn, sent, task.kwargs)
        except BrokenProcessPool:
            clear_away(self._slate)
            self._pool = self._start()
            inner = self._pool.submit(_run, task.number, task.fn, sent, task.kwargs)
        needed = {name for value in sent if isinstance(value, _Shown) for name in (value.name, value.learned)}
        for memory in self._shown:
            if memory.block.name in needed:
                memory.asked += 1
                inner.add_done_callback(memory.over)
        task.slate = self._slate
        task.asked.add_done_callback(partial(_take_back_with, weakref.ref(inner)))
        inner.add_done_callback(partial(self._done, task))

    def _done(self, task: _Task, inner: Future[Any]) -> None:
        """Hand on what came of it; without a lock, since the pool calls it while it holds its own."""
        fault = None if inner.cancelled() else inner.exception()
        if not isinstance(fault, BrokenProcessPool):
            hand_on(task.asked, inner)
        elif task.number in self._warned:
            over = OverBudgetError(f"a simulation took longer than {self._budget_s:.0f} s and was ended")
            hand_on_fault(task.asked, over)
        elif task.slate is not None and task.slate.broken_by_us and not self._ended:
            self._again.append(task)  # it was with another one that was ended, and is not to suffer for it
        else:
            hand_on_fault(task.asked, fault)

    def look(self) -> None:
        """End what has taken too long, and give anew what was lost with it."""
        ended_by_force(self._slate, self._budget_s, self._warned)
        while self._again:
            with self._lock:
                task = self._again.popleft()
                try:
                    if not task.asked.cancelled():
                        self._give(task)
                except Exception as fault:  # shut down meanwhile
                    hand_on_fault(task.asked, fault)

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
                self._over.set()
        if wait:  # a process that ends while a thread of it lives complains of all that it leaves
            self._watcher.join()

    def _start(self) -> ProcessPoolExecutor:
        """The children begin at once: they are ready, or nearly, when the first members are asked for."""
        spawn = multiprocessing.get_context("spawn")
        self._slate = Slate(self._children, spawn)
        pool = ProcessPoolExecutor(
            self._children, mp_context=spawn, initializer=_begin,
            initargs=(self._slate, self._memory_bytes, self._prepare, self._gives_way),
        )  # fmt: skip
        for _ in range(self._children):
            pool.submit(_nothing)
        return pool


def _nothing() -> None:
    """What wakes a child."""


@dataclass(eq=False)
class _Task:
    """What was asked for, so that it can be given to another child, and what whoever asked waits for."""

    number: int
    fn: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    asked: Future[Any] = field(default_factory=Future)
    slate: Slate | None = None


def _take_back_with(inner: weakref.ref[Future[Any]], asked: Future[Any]) -> None:
    """What nobody wants any more need not be begun. Held weakly: results are not to wait for what looks for cycles."""
    if asked.cancelled() and (task := inner()) is not None:
        task.cancel()


def hand_on(asked: Future[Any], done: Future[Any]) -> None:
    """What came of one future as what comes of another."""
    if done.cancelled():
        if asked.cancel():
            asked.set_running_or_notify_cancel()
    elif (fault := done.exception()) is not None:
        hand_on_fault(asked, fault)
    elif asked.set_running_or_notify_cancel():
        asked.set_result(done.result())


def hand_on_fault(asked: Future[Any], fault: BaseException) -> None:
    """A fault as what comes of a future, unless nobody wants it any more."""
    if asked.set_running_or_notify_cancel():
        asked.set_exception(fault)


def _watch(owner: weakref.ref[Workers], over: threading.Event) -> None:
    """Until the workers end, or nobody has them any more."""
    while (workers := owner()) is not None and not over.is_set():
        workers.look()
        del workers
        over.wait(LOOK_S)


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


_slates: list[Slate] = []
"""In a child, the one on which it has a line."""


def _run(number: int, fn: Callable[..., Any], sent: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    _slates[0].begin(number)
    try:
        return fn(*(_seen(value) if isinstance(value, _Shown) else value for value in sent), **kwargs)
    except MemoryError:
        raise OverBudgetError("a simulation asked for more memory than it may have") from None
    finally:
        _slates[0].end()


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


def _begin(slate: Slate, memory_bytes: int | None, prepare: Callable[[], None] | None, gives_way: int) -> None:
    os.nice(gives_way)
    slate.take()
    _slates.append(slate)
    bound_memory(memory_bytes)
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
