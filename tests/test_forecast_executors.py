"""Where members run: the cluster while it can be had, the house's own processes while not, and it is said."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

import pytest

from forecast import executors as module
from forecast.errors import ClusterError
from forecast.executors import Falling, executor_of, fault_of

LOST = ClusterError("dask://far:8786 was lost")


class There(Executor):
    """Runs at once, in this process, and remembers how often; or loses what it is asked."""

    def __init__(self, name: str, lost: bool = False) -> None:
        self.name, self.lost, self.ran, self.ended = name, lost, 0, False

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self.ran += 1
        if self.lost:
            future.set_exception(LOST)
            return future
        try:
            future.set_result((self.name, fn(*args, **kwargs)))
        except Exception as fault:
            future.set_exception(fault)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self.ended = True


class Gone(There):
    """A cluster that was lost before it was asked."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        raise LOST


class Pending(There):
    """A cluster that is still at it."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.asked: Future[Any] = Future()
        return self.asked


def falling(*clusters: Executor | ClusterError, try_again_s: float = 60.0) -> tuple[Falling, There]:
    """One that meets these clusters, or finds none, one after the other."""
    here, found = There("here"), iter(clusters)

    def connect() -> Executor:
        one = next(found)
        if isinstance(one, ClusterError):
            raise one
        return one

    return Falling(connect, lambda: here, try_again_s=try_again_s), here


def run(executor: Executor) -> Any:
    """Who did it, and what came out."""
    return executor.submit(pow, 3, 2).result(timeout=5.0)


def test_members_run_on_the_cluster_while_it_is_there() -> None:
    both, here = falling(There("cluster"))
    assert [run(both), run(both)] == [("cluster", 9), ("cluster", 9)]
    assert (here.ran, fault_of(both)) == (0, None)


def test_without_a_cluster_they_run_here_and_it_is_said() -> None:
    both, _ = falling(ClusterError("dask://far:8786 has no workers"))
    assert run(both) == ("here", 9)
    assert fault_of(both) == "dask://far:8786 has no workers"


@pytest.mark.parametrize("cluster", [There("cluster", lost=True), Gone("cluster")])
def test_what_a_lost_cluster_was_asked_is_done_here(cluster: There) -> None:
    both, _ = falling(cluster)
    assert run(both) == ("here", 9)
    assert fault_of(both) == str(LOST)


class GivesUp(Falling):
    """The mutant: what the cluster has lost is lost."""

    def _instead(self, *_: Any) -> Future[Any]:
        raise LOST


def test_one_that_loses_what_the_cluster_lost_is_seen() -> None:
    both = GivesUp(lambda: Gone("cluster"), lambda: There("here"))
    with pytest.raises(ClusterError):
        run(both)


def test_a_cluster_that_comes_back_serves_again_and_nothing_more_is_said() -> None:
    both, _ = falling(LOST, Gone("first"), There("second"), try_again_s=0.0)
    assert [run(both)[0] for _ in range(3)] == ["here", "here", "second"]
    assert fault_of(both) is None


def test_it_is_left_alone_for_a_while() -> None:
    both, _ = falling(LOST, There("too early"))
    assert [run(both)[0] for _ in range(3)] == ["here"] * 3


def test_a_fault_of_the_task_itself_is_no_fault_of_the_cluster() -> None:
    both, here = falling(There("cluster"))
    with pytest.raises(ZeroDivisionError):
        both.submit(divmod, 1, 0).result()
    assert (here.ran, fault_of(both)) == (0, None)


def test_who_gives_up_waiting_is_heard_by_the_cluster() -> None:
    cluster = Pending("cluster")
    both, here = falling(cluster)
    asked = both.submit(pow, 3, 2)
    assert asked.cancel()
    assert cluster.asked.cancelled()
    assert here.ran == 0


def test_at_the_end_both_end_and_nothing_is_begun_anew() -> None:
    cluster = Pending("cluster")
    both, here = falling(cluster)
    asked = both.submit(pow, 3, 2)
    both.shutdown(wait=False, cancel_futures=True)
    cluster.asked.set_exception(LOST)
    with pytest.raises(ClusterError):
        asked.result(timeout=1.0)
    assert (cluster.ended, here.ran) == (True, 0)


def test_local_is_local_and_a_cluster_is_looked_for_where_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    here = There("here")
    assert executor_of("local", lambda: here) is here
    assert fault_of(here) is None
    asked = []

    def connect(address: str, certificates: object) -> Executor:
        asked.append((address, certificates))
        raise LOST

    monkeypatch.setattr(module, "Cluster", connect)
    with pytest.raises(ClusterError, match="was lost"):
        executor_of("dask://far:8786", lambda: here)
    both = executor_of("dask://far:8786", lambda: here, runs_on=True)
    assert run(both) == ("here", 9)
    assert asked == [("dask://far:8786", None)] * 2
