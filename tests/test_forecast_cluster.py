"""A Dask cluster of two worker processes: the same members to the last bit, whatever dies."""

from __future__ import annotations

import os
import shutil
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from concurrent.futures import TimeoutError as NotInTime
from functools import cache
from pathlib import Path
from typing import Any, cast

import pytest

from forecast import cluster as module
from forecast import ensemble as running
from forecast import remote
from forecast.cluster import Certificates, Cluster
from forecast.ensemble import Run, ensemble
from forecast.errors import ClusterError, OtherCodeError
from forecast.remote import code_digest, run_task
from tests.histories import fingerprint, scenarios, situation
from tests.test_project import ROOT

HOW = Run(members=18, horizon_min=240.0, seed=7)
NOBODY = "dask://127.0.0.1:1"


@pytest.fixture(scope="module", autouse=True)
def many_tasks() -> Iterator[None]:
    """Few members, in several tasks all the same."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(running, "CHUNK", 3)
        yield


@pytest.fixture(scope="module")
def dask() -> Iterator[Any]:
    """A scheduler in this process and two workers in processes of their own."""
    import distributed

    made: Any = distributed
    with made.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0", silence_logs=60, host="127.0.0.1"
    ) as local:
        yield local


@pytest.fixture
def connected(dask: Any) -> Iterator[Cluster]:
    there = Cluster(address(dask))
    try:
        yield there
    finally:
        there.shutdown(wait=False)


def address(dask: Any) -> str:
    return str(dask.scheduler_address).replace("tcp://", "dask://")


@cache
def here() -> str:
    return members(None)


def members(executor: Executor | None, how: Run = HOW) -> str:
    return fingerprint(ensemble(situation(), scenarios("as_usual", "arrivals_up_20"), how, executor=executor))


# --- the same members


def test_members_are_the_same_to_the_last_bit(connected: Cluster) -> None:
    assert members(connected) == here()


def test_a_worker_that_draws_other_luck_is_seen(connected: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mutant: the check can fail."""
    honest = connected.submit

    def other_luck(fn: Any, at: Any, which: Any, how: Run, chunk: range) -> Any:
        return honest(fn, at, which, how, range(chunk.start + 1, chunk.stop + 1) if chunk.start else chunk)

    monkeypatch.setattr(connected, "submit", other_luck)
    assert members(connected) != here()


def situations_sent(connected: Cluster, dask: Any) -> int:
    """How many situations the cluster is given in a cycle."""
    known = set(dask.scheduler.tasks)
    members(connected)
    return sum(str(key).startswith("itself-") for key in set(dask.scheduler.tasks) - known)


def test_a_situation_is_sent_once_a_cycle(connected: Cluster, dask: Any) -> None:
    assert situations_sent(connected, dask) == 1
    assert situations_sent(connected, dask) == 0, "the same one again"


def test_a_situation_that_goes_with_every_task_is_seen(
    connected: Cluster, dask: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connected, "_sent", lambda value: value)
    assert situations_sent(connected, dask) == 0


def test_what_is_done_is_not_kept_by_the_workers(connected: Cluster, dask: Any) -> None:
    for _ in range(20):
        connected.submit(os.getpid).result()
    deadline = threading.Event()
    for _ in range(50):
        if sum(str(key).startswith("run_task-") for key in dask.scheduler.tasks) <= 1:
            return
        deadline.wait(0.05)
    pytest.fail(f"{len(dask.scheduler.tasks)} results are kept")


def test_a_fault_of_the_task_itself_stays_what_it_is(connected: Cluster) -> None:
    with pytest.raises(ZeroDivisionError):
        connected.submit(divmod, 1, 0).result()


# --- whatever dies


def die_once(file: str) -> int:
    """Kills the worker that runs it first; the next one gives its number."""
    if not os.path.exists(file):
        Path(file).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return os.getpid()


def members_with_a_kill(connected: Cluster, file: Path) -> str:
    """The members of a cycle in the midst of which a worker dies."""
    killed = connected.submit(die_once, str(file))
    found = members(connected)
    assert killed.result() > 0
    assert file.exists()
    return found


def test_a_worker_killed_in_the_middle_changes_no_bit(connected: Cluster, tmp_path: Path) -> None:
    assert members_with_a_kill(connected, tmp_path / "killed") == here()


def test_tasks_that_nobody_takes_over_are_seen(connected: Cluster, dask: Any, tmp_path: Path) -> None:
    """The mutant: a scheduler that gives the task of a lost worker to no other."""
    usual = dask.scheduler.allowed_failures
    dask.scheduler.allowed_failures = 0
    try:
        with pytest.raises(ClusterError, match="has lost one worker after another over the same task"):
            members_with_a_kill(connected, tmp_path / "killed")
    finally:
        dask.scheduler.allowed_failures = usual


@pytest.fixture
def alone() -> Iterator[Any]:
    """A scheduler without workers, to be ended."""
    import distributed

    made: Any = distributed
    with made.LocalCluster(
        n_workers=0,
        threads_per_worker=1,
        dashboard_address="127.0.0.1:0",
        silence_logs=60,
        protocol="tcp://",
        processes=False,
    ) as local:
        yield local


def asked_of_a_lost_cluster(alone: Any) -> None:
    """A cluster whose only worker goes away over a task."""
    alone.scale(1)
    alone.wait_for_workers(1)
    there = Cluster(address(alone), patience_s=0.5)
    asked = there.submit(_wait_long)
    alone.scale(0)
    try:
        with pytest.raises(ClusterError, match=r"was lost: no scheduler, or no worker, for 0\.5 s"):
            asked.result(timeout=2.8)
        with pytest.raises(ClusterError, match="was lost"):
            there.submit(os.getpid)
    finally:
        there.shutdown(wait=False)


def test_a_cluster_whose_library_cannot_take_its_leave_is_left(dask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    there = Cluster(address(dask))

    def gone(**_: object) -> None:
        raise RuntimeError("Client is closed. Can't send cancel-keys message.")

    monkeypatch.setattr(there._tasks, "shutdown", gone)
    there.shutdown(wait=False, cancel_futures=True)
    assert there._client.status == "closed"


def _wait_long() -> None:
    threading.Event().wait(3.0)


def test_what_was_asked_of_a_cluster_that_is_lost_fails_in_a_sentence(alone: Any) -> None:
    asked_of_a_lost_cluster(alone)


def test_a_cluster_that_nobody_watches_is_seen(alone: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Cluster, "_is_there", lambda _: True)
    with pytest.raises(NotInTime):
        asked_of_a_lost_cluster(alone)


# --- who is refused


def test_a_scheduler_that_is_not_there_is_said_in_a_sentence() -> None:
    with pytest.raises(ClusterError, match=r"^dask://127\.0\.0\.1:1 does not answer as a scheduler: \w+$"):
        Cluster(NOBODY, connect_s=0.5)


def test_a_cluster_without_workers_is_said_in_a_sentence(alone: Any) -> None:
    with pytest.raises(ClusterError, match="has no workers: start some with edtwin installed"):
        Cluster(address(alone), connect_s=0.5)


def test_certificates_that_are_not_there_are_said_in_a_sentence(tmp_path: Path) -> None:
    nowhere = tmp_path / "none.pem"
    with pytest.raises(ClusterError, match=r"tls://127\.0\.0\.1:1 does not answer as a scheduler"):
        Cluster("tls://127.0.0.1:1", Certificates(nowhere, nowhere, nowhere), connect_s=0.5)


def test_over_tls_with_certificates_and_not_without(tmp_path: Path) -> None:
    import distributed
    import trustme

    authority, library = trustme.CA(), cast(Any, distributed)
    ca, cert, key = (tmp_path / name for name in ("ca.pem", "cert.pem", "key.pem"))
    ours = authority.issue_cert("127.0.0.1")
    authority.cert_pem.write_to_path(str(ca))
    ours.cert_chain_pems[0].write_to_path(str(cert))
    ours.private_key_pem.write_to_path(str(key))
    sides = {f"tls_{side}_{what}": str(file) for side in ("scheduler", "worker", "client")
             for what, file in (("cert", cert), ("key", key))}  # fmt: skip
    security = library.Security(tls_ca_file=str(ca), require_encryption=True, **sides)
    with library.LocalCluster(
        n_workers=1,
        dashboard_address="127.0.0.1:0",
        silence_logs=60,
        protocol="tls://",
        processes=False,
        security=security,
    ) as local:
        there = Cluster(local.scheduler_address, Certificates(ca, cert, key))
        assert there.submit(divmod, 7, 2).result() == (3, 1)
        there.shutdown()
        with pytest.raises(ClusterError, match="does not answer as a scheduler"):
            Cluster(str(local.scheduler_address).replace("tls://", "dask://"), connect_s=0.5)


def test_a_worker_that_hangs_is_not_waited_for_for_ever(dask: Any) -> None:
    """It is stopped; the mutant would wait until the scheduler forgets it, five minutes later."""
    there = Cluster(address(dask))
    worker = there.submit(os.getpid).result()
    there.shutdown()
    os.kill(worker, signal.SIGSTOP)
    try:
        with pytest.raises(ClusterError, match="has a worker that does not say which code it runs"):
            Cluster(address(dask), patience_s=1.0)
    finally:
        os.kill(worker, signal.SIGCONT)


def test_workers_of_other_code_are_refused(dask: Any) -> None:
    with pytest.raises(OtherCodeError, match=rf"runs other code \({code_digest()}\) than the house \(another\): "):
        Cluster(address(dask), digest="another")


def test_a_worker_of_other_code_that_came_later_is_refused(connected: Cluster) -> None:
    connected._digest = "another"
    with pytest.raises(OtherCodeError, match=r"a worker of dask://.* runs other code"):
        connected.submit(os.getpid).result()
    with pytest.raises(OtherCodeError):
        run_task("another", os.getpid, (), {})


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("code")
    for folder in remote.FOLDERS:
        shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    return root


def unseen(copy: Path, digest: Callable[[Path], str]) -> list[str]:
    """Files of which a changed letter leaves the digest as it was."""
    before, missed = digest(copy), []
    for name in ("twin/kernel_loop.py", "twin/pathway.toml", "forecast/ensemble.py", "ingest/events.py"):
        text = (copy / name).read_text(encoding="utf-8")
        (copy / name).write_text(text + "#", encoding="utf-8")
        missed += [name] if digest(copy) == before else []
        (copy / name).write_text(text, encoding="utf-8")
    return missed


def test_code_is_the_same_where_every_file_of_it_is(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    digest = code_digest.__wrapped__
    assert digest(copy) == code_digest()
    assert unseen(copy, digest) == []
    monkeypatch.setattr(remote, "SUFFIXES", (".py",))
    assert unseen(copy, digest) == ["twin/pathway.toml"], "a digest that forgets the tables is seen"
    monkeypatch.setattr(remote, "version", lambda _: "other")
    assert digest(copy) != code_digest()


def test_a_library_of_another_version_is_other_code(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "version", lambda _: "0")
    assert code_digest.__wrapped__(copy) != code_digest()


def test_only_the_newest_situations_are_kept(connected: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "Situation", str)
    for name in map(str, range(12)):
        connected.submit(len, name).result()
    assert [str(held) for held, _ in connected._held] == [str(i) for i in range(4, 12)]
