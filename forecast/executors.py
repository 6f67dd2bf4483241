"""Where members run: in processes of the house's own, or on a cluster.

`executor_of` makes what a setting names. A command that runs once has a cluster or fails in one sentence; the house
that runs on (`Falling`) goes over to its own processes while the cluster cannot be had, says so, and tries it again.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from functools import partial
from typing import Any

from forecast.cluster import Certificates, Cluster
from forecast.errors import ClusterError
from forecast.workers import hand_on
from ingest.clock import stopwatch

logger = logging.getLogger(__name__)

LOCAL = "local"
_GIVEN_UP = ClusterError("the cluster was left while it was at work")
"""What is left to be done where one task after another of a cluster is lost."""
TRY_AGAIN_S = 60.0
"""How long a cluster that could not be had is left alone."""


def executor_of(
    address: str, local: Callable[[], Executor], certificates: Certificates | None = None, *, runs_on: bool = False
) -> Executor:
    """What runs members at `local`, `dask://host:port` or `tls://host:port`.

    With `runs_on` a cluster that cannot be had is replaced by the local processes, else ClusterError is raised.
    """
    if address == LOCAL:
        return local()
    connect = partial(Cluster, address, certificates)
    return Falling(connect, local) if runs_on else connect()


def fault_of(executor: Executor) -> str | None:
    """Why members do not run where they should; None while they do."""
    return executor.fault if isinstance(executor, Falling) else None


class Falling(Executor):
    """A cluster while it can be had, processes of the house's own while not: a task is done in either case.

    What members give is the same in both. `fault` says in a sentence why the cluster does not serve.
    """

    def __init__(
        self,
        connect: Callable[[], Executor],
        local: Callable[[], Executor],
        *,
        try_again_s: float = TRY_AGAIN_S,
    ) -> None:
        self._connect, self._start, self._try_again_s = connect, local, try_again_s
        self._lock = threading.Lock()
        self._cluster: Executor | None = None
        self._processes: Executor | None = None
        self._tried_at: float | None = None
        self._ended = False
        self.fault: str | None = None

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run a function of values, on the cluster if it is there; again here where the cluster was lost over it."""
        with self._lock:
            cluster = self._had()
            if cluster is None:
                return self._here().submit(fn, *args, **kwargs)
        try:
            inner = cluster.submit(fn, *args, **kwargs)
        except ClusterError as lost:
            return self._instead(cluster, lost, fn, args, kwargs)
        asked: Future[Any] = Future()
        asked.add_done_callback(lambda done: inner.cancel() if done.cancelled() else None)
        inner.add_done_callback(partial(self._done, asked, cluster, (fn, args, kwargs)))
        return asked

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the processes and leave the cluster."""
        with self._lock:
            self._ended = True
            both = [executor for executor in (self._cluster, self._processes) if executor is not None]
        for executor in both:
            executor.shutdown(wait=wait, cancel_futures=cancel_futures)

    def _had(self) -> Executor | None:
        """The cluster; looked for anew once it has been left alone for long enough."""
        if self._cluster is not None or self._ended:
            return self._cluster
        if self._tried_at is not None and stopwatch() - self._tried_at < self._try_again_s:
            return None
        try:
            self._cluster, self.fault = self._connect(), None
        except ClusterError as fault:
            self._say(fault)
        self._tried_at = stopwatch()
        return self._cluster

    def _here(self) -> Executor:
        self._processes = self._processes or self._start()
        return self._processes

    def _done(self, asked: Future[Any], cluster: Executor, task: Any, inner: Future[Any]) -> None:
        """The outcome of a task of the cluster, or of the same one here where the cluster was lost over it."""
        if asked.cancelled():
            return
        fault = _GIVEN_UP if inner.cancelled() else inner.exception()
        if isinstance(fault, ClusterError) and not self._ended:
            try:
                inner = self._instead(cluster, fault, *task)
            except Exception as neither:  # a callback that raised would leave whoever asked waiting
                asked.set_exception(neither)
            else:
                inner.add_done_callback(partial(hand_on, asked))
            return
        hand_on(asked, inner)

    def _instead(
        self, cluster: Executor, fault: ClusterError, fn: Callable[..., Any], args: Any, kwargs: Any
    ) -> Future[Any]:
        with self._lock:
            if self._cluster is cluster:
                self._cluster, self._tried_at = None, stopwatch()
                self._say(fault)
                threading.Thread(target=partial(_leave, cluster), daemon=True).start()
            return self._here().submit(fn, *args, **kwargs)

    def _say(self, fault: ClusterError) -> None:
        if self.fault != str(fault):
            logger.warning("members run in processes of the house's own: %s", fault)
        self.fault = str(fault)


def _leave(cluster: Executor) -> None:
    cluster.shutdown(wait=False, cancel_futures=True)
