"""A Dask cluster as an executor: the same members, to the last bit, on as many machines as there are.

The cluster's library (`distributed`) is imported only where a cluster is asked for. Every task carries the digest of
the house's code, so that a worker that came later is judged like the others; the situation is sent once a cycle, as a
task of its own that the scheduler can have made again. The scheduler gives the tasks of a lost worker to another one. A
cluster without a scheduler or without workers for `patience_s` fails all that was asked of it, rather than let it wait.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, Executor, Future
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from forecast.errors import ClusterError, OtherCodeError
from forecast.remote import code_digest, itself, run_task
from forecast.situation import Situation
from ingest.clock import stopwatch

CONNECT_S = 5.0
"""How long a scheduler may take to answer."""
PATIENCE_S = 30.0
"""How long there may be no scheduler or no worker: one that died is begun anew within seconds."""
_LOOK_S = 1.0
_KEPT = 8
"""Situations that are kept by the cluster at a time, the newest."""


@dataclass(frozen=True)
class Certificates:
    """What a cluster is spoken to with over TLS: the authority of its certificates, and our own with its key."""

    ca: Path
    cert: Path
    key: Path


class Cluster(Executor):
    """The cluster behind a scheduler.

    Raises ClusterError where the scheduler or its workers are not there within `connect_s`, or cannot be spoken to;
    OtherCodeError where a worker's code is not the house's.
    """

    def __init__(
        self,
        address: str,
        certificates: Certificates | None = None,
        *,
        connect_s: float = CONNECT_S,
        patience_s: float = PATIENCE_S,
        digest: str | None = None,
    ) -> None:
        self._address, self._patience_s, self._digest = address, patience_s, digest or code_digest()
        self._lock = threading.Lock()
        self._held: list[tuple[Situation, Any]] = []
        self._asked: dict[Future[Any], Future[Any]] = {}
        """What is asked of the cluster: our future to the library's, let go of as soon as it is done."""
        self._lost: ClusterError | None = None
        self._ended = threading.Event()
        self._client = _client(address, certificates, connect_s)
        try:
            self._judge(connect_s)
        except BaseException:
            self._close()
            raise
        self._tasks = self._client.get_executor(pure=False)
        threading.Thread(target=self._watch, name="watch the cluster", daemon=True).start()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run a function of values on a worker; the future fails with ClusterError where the cluster is lost.

        Raises ClusterError where it was lost before.
        """
        asked: Future[Any] = Future()
        with self._lock:
            if self._lost is not None:
                raise self._lost
            sent = tuple(self._sent(value) for value in args)
            inner = self._asked[asked] = self._tasks.submit(run_task, self._digest, fn, sent, kwargs)
        asked.add_done_callback(self._given_up)
        inner.add_done_callback(partial(self._pass_on, asked))
        return asked

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Leave the cluster, which stays; what was asked of it is waited for or given up."""
        if not self._ended.is_set():
            if cancel_futures or not wait:
                for asked in self._open():
                    asked.cancel()
            with suppress(Exception):  # where the scheduler is gone, the library cannot take its leave
                self._tasks.shutdown(wait=wait and self._lost is None)
            self._close()

    def _close(self) -> None:
        self._ended.set()
        with suppress(Exception):
            self._client.close(timeout=CONNECT_S)

    def _sent(self, value: Any) -> Any:
        """A situation as what the cluster keeps of it; anything else goes with the task."""
        if not isinstance(value, Situation):
            return value
        for held, kept in self._held:
            if held is value:
                return kept
        kept = self._client.submit(itself, value, pure=False)
        self._held = [*self._held[1 - _KEPT :], (value, kept)]
        return kept

    def _pass_on(self, asked: Future[Any], inner: Future[Any]) -> None:
        """The outcome of a task; what the cluster could not do is a ClusterError."""
        try:
            self._settle(asked, inner.result(), None)
        except CancelledError:
            self._settle(asked, None, self._lost or ClusterError(f"{self._address} has given up a task"))
        except OtherCodeError as other:
            self._settle(asked, None, OtherCodeError(f"a worker of {self._address} {other}"))
        except Exception as error:
            self._settle(asked, None, _of_the_cluster(self._address, error))

    def _settle(self, asked: Future[Any], outcome: Any, fault: Exception | None) -> None:
        """Once, whoever comes first: the task, the watch, or whoever asked and gave up."""
        with self._lock:
            if self._asked.pop(asked, None) is None:
                return
        if not asked.set_running_or_notify_cancel():
            return
        if fault is None:
            asked.set_result(outcome)
        else:
            asked.set_exception(fault)

    def _given_up(self, asked: Future[Any]) -> None:
        """Whoever asked no longer wants it."""
        with self._lock:
            inner = self._asked.pop(asked, None) if asked.cancelled() else None
        if inner is not None:
            inner.cancel()

    def _open(self) -> list[Future[Any]]:
        with self._lock:
            return list(self._asked)

    # --- is it there? ---------------------------------------------------------------------------------------------

    def _judge(self, connect_s: float) -> None:
        """Workers are there, and each runs the house's code."""
        from distributed import TimeoutError as NotInTime

        try:
            self._client.wait_for_workers(1, timeout=connect_s)
            told = self._client.run(code_digest, on_error="return")
        except NotInTime as nobody:
            raise ClusterError(f"{self._address} has no workers: start some with edtwin installed") from nobody
        except Exception as error:
            raise _of_the_cluster(self._address, error, always=True) from error
        for worker, found in told.items():
            if isinstance(found, Exception):
                raise OtherCodeError(f"{worker} of {self._address} cannot run edtwin: {found}") from found
            if found != self._digest:
                raise OtherCodeError(
                    f"{worker} of {self._address} runs other code ({found}) than the house ({self._digest}): "
                    "install the same version of edtwin and of its libraries on both"
                )

    def _watch(self) -> None:
        """Give up what was asked of a cluster that is no longer there."""
        there_at = stopwatch()
        while not self._ended.wait(_LOOK_S):
            if self._is_there():
                there_at = stopwatch()
            elif stopwatch() - there_at > self._patience_s or self._client.status == "closed":
                self._give_up()
                return

    def _is_there(self) -> bool:
        """Does the scheduler answer in time, and has it workers?"""
        if self._client.status != "running":
            return False
        try:
            ask = self._client.scheduler.identity
            return bool(self._client.sync(ask, n_workers=1, callback_timeout=CONNECT_S)["workers"])
        except Exception:
            return False

    def _give_up(self) -> None:
        self._lost = ClusterError(f"{self._address} was lost: no scheduler, or no worker, for {self._patience_s:g} s")
        for asked in self._open():
            self._settle(asked, None, self._lost)


def _client(address: str, certificates: Certificates | None, connect_s: float) -> Any:
    """A client of the scheduler at dask://host:port (in the clear) or tls://host:port."""
    import dask
    import distributed

    _say_nothing_of_its_own()
    dask.config.set({"distributed.admin.large-graph-warning-threshold": "1 GB"})  # a situation is some megabytes
    library: Any = distributed
    place = address.replace("dask://", "tcp://")
    try:
        if certificates is None:
            return library.Client(place, timeout=connect_s, set_as_default=False)
        with_tls = library.Security(
            tls_ca_file=str(certificates.ca), tls_client_cert=str(certificates.cert),
            tls_client_key=str(certificates.key), require_encryption=True,
        )  # fmt: skip
        return library.Client(place, timeout=connect_s, set_as_default=False, security=with_tls)
    except Exception as error:
        raise _of_the_cluster(address, error, always=True) from error


def _say_nothing_of_its_own() -> None:
    """What the library logs of a lost link is said by the house in one sentence."""
    for name in ("distributed.client", "distributed.comm", "distributed.core"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


def _of_the_cluster(address: str, error: Exception, *, always: bool = False) -> Exception:
    """The cluster's own faults, in a sentence; a fault of the task itself stays what it is."""
    from distributed import KilledWorker
    from distributed.comm.core import CommClosedError

    if isinstance(error, KilledWorker):
        return ClusterError(f"{address} has lost one worker after another over the same task")
    if always or isinstance(error, CommClosedError):
        return ClusterError(f"{address} does not answer as a scheduler: {type(error).__name__}")
    return error
