"""The processes that simulate: begun anew after one has died."""

from __future__ import annotations

import gc
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from datetime import timedelta
from multiprocessing.connection import Connection
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path

import pytest

from forecast import workers as module
from forecast.situation import Situation
from forecast.workers import GENTLY, Workers
from ingest.clock import WallClock
from tests.histories import situation
from tests.ills import double
from tests.processes import is_running


def kind_of_process() -> str:
    return type(multiprocessing.current_process()).__name__


@pytest.fixture
def workers() -> Iterator[Workers]:
    made = Workers(1)
    yield made
    made.shutdown()


def test_values_go_in_and_out(workers: Workers) -> None:
    assert list(workers.map(double, [1, 2, 3])) == [2, 4, 6]


def test_after_a_child_was_killed_the_next_task_works(workers: Workers) -> None:
    child = workers.submit(os.getpid).result()
    assert child != os.getpid()
    task = workers.submit(signal.pause)
    os.kill(child, signal.SIGKILL)
    with pytest.raises(BrokenProcessPool):
        task.result()
    assert workers.submit(double, 21).result() == 42
    assert workers.submit(os.getpid).result() != child


@pytest.mark.parametrize("gives_way", [0, GENTLY])  # those that give no way are the mutant
def test_children_give_way_to_their_owner_where_that_is_asked_for(gives_way: int) -> None:
    mine, made = os.nice(0), Workers(2, gives_way=gives_way)
    try:
        assert {made.submit(os.nice, 0).result() for _ in range(4)} == {min(mine + gives_way, 19)}
        assert os.nice(0) == mine
    finally:
        made.shutdown()


@pytest.mark.parametrize("end", [Workers.shutdown, lambda made: made._pool.shutdown()])  # the second is the mutant
def test_with_workers_that_end_their_watcher_ends(end: Callable[[Workers], None]) -> None:
    """A process that ends while a thread of it lives writes of all that it leaves to whoever gave the command."""
    made = Workers(1)
    end(made)
    assert made._watcher.is_alive() == (end is not Workers.shutdown)
    made.shutdown()


def test_children_are_spawned_and_share_nothing(workers: Workers) -> None:
    assert workers.submit(kind_of_process).result() == "SpawnProcess"


def hash_and_count(of: Situation, times: int) -> tuple[str, int]:
    return of.state_hash, of.known.count * times


def test_a_situation_is_shown_to_the_children_and_taken_back(workers: Workers) -> None:
    here = situation()
    told = here.state_hash, 2 * here.known.count
    assert list(workers.map(hash_and_count, [here] * 3, [2] * 3)) == [told] * 3
    place = workers._sent(here)
    assert len(pickle.dumps(place)) < 200 < len(pickle.dumps(here)), "what each task carries of it"
    assert workers._sent(here) == place
    others = [workers._sent(replace(here)) for _ in range(2)]
    assert len({place.name, *(other.name for other in others)}) == 3
    with pytest.raises(FileNotFoundError):
        SharedMemory(place.name)
    workers.shutdown(wait=False, cancel_futures=True)
    with pytest.raises(FileNotFoundError):
        SharedMemory(others[-1].name)
    with pytest.raises(RuntimeError, match="after shutdown"):
        workers.submit(hash_and_count, replace(here), 1)
    assert workers._shown == [], "nothing is left behind"


def test_a_situation_is_shown_for_as_long_as_a_task_needs_it(workers: Workers) -> None:
    """Taken back when another comes, the mutant, the second task would find nothing."""
    many = [replace(situation()) for _ in range(6)]
    asked = [workers.submit(hash_and_count, one, i) for i, one in enumerate(many)]
    assert [task.result()[1] for task in asked] == [i * situation().known.count for i in range(6)]


def beds_and_learned(of: Situation) -> tuple[int, float, int]:
    """Beds, and what was learned: its numbers, and which object it is to the child."""
    c = of.calibration
    return (
        c.hospital.wards[0].places,
        float(sum(d.tail_min.sum() for d in c.parameters.durations.values())),
        id(c.exits),
    )


def test_what_was_learned_is_shown_once_and_each_situation_has_its_own_beds(workers: Workers) -> None:
    """Read as it was first shown, the mutant, a situation would have the beds of the first."""
    first = situation()
    hospital = first.calibration.hospital
    name, places = hospital.wards[0].name, hospital.wards[0].places
    closed = replace(first, calibration=replace(first.calibration, hospital=hospital.with_beds({name: places - 1})))
    anew = replace(first, calibration=replace(first.calibration, parameters=replace(first.calibration.parameters)))
    asked = [workers.submit(beds_and_learned, one).result() for one in (first, closed, anew, closed)]
    assert [beds for beds, *_ in asked] == [places, places - 1, places, places - 1]
    assert len({numbers for _, numbers, _ in asked}) == 1
    assert asked[0][2] == asked[1][2] != asked[2][2]
    assert len(pickle.dumps(first)) > 20 * len(module._told(closed, first.calibration))


def test_what_nobody_shuts_down_leaves_nothing_behind_either() -> None:
    left = Workers(1)
    place = left._sent(situation())
    left._pool.shutdown()
    del left
    gc.collect()
    with pytest.raises(FileNotFoundError):
        SharedMemory(place.name)


def test_without_memory_to_share_a_situation_goes_with_the_task(
    workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none_left(**_: object) -> SharedMemory:
        raise OSError("no space left on device")

    monkeypatch.setattr(module, "SharedMemory", none_left)
    assert workers.submit(hash_and_count, situation(), 1).result()[0] == situation().state_hash


PREPARED = threading.Event()


def prepare() -> None:
    PREPARED.set()


def said_to_be_prepared() -> bool:
    return PREPARED.wait(timeout=20)


def test_each_child_prepares_itself_beside_its_tasks() -> None:
    made = Workers(2, prepare=prepare)
    try:
        assert list(made.map(double, [1, 2])) == [2, 4]
        assert made.submit(said_to_be_prepared).result()
        assert not PREPARED.is_set(), "in the children, not here"
    finally:
        made.shutdown()


def prepare_for_ever() -> None:
    threading.Event().wait()


@pytest.mark.timeout(20)
def test_a_child_ends_although_it_still_prepares_itself() -> None:
    made = Workers(1, prepare=prepare_for_ever)
    assert made.submit(double, 21).result() == 42
    made.shutdown()


def test_after_shutdown_there_is_no_more_work() -> None:
    ended = Workers(1)
    ended.shutdown()
    with pytest.raises(RuntimeError, match="after shutdown"):
        ended.submit(double, 1)


def owner_of_a_child(told: Connection) -> None:
    """A process that owns workers, tells which child it has, and then waits to be killed."""
    told.send(Workers(1).submit(os.getpid).result())
    signal.pause()


@pytest.mark.skipif(not Path("/proc").exists(), reason="needs /proc to see another process")
def test_a_child_ends_when_its_parent_was_killed() -> None:
    spawn = multiprocessing.get_context("spawn")
    hear, tell = spawn.Pipe(duplex=False)
    owner = spawn.Process(target=owner_of_a_child, args=(tell,))
    owner.start()
    child = hear.recv()
    assert owner.pid is not None
    os.kill(owner.pid, signal.SIGKILL)
    owner.join()
    clock = WallClock()
    patience = clock.now() + timedelta(seconds=20)
    while is_running(child) and clock.now() < patience:
        clock.sleep_until(clock.now() + timedelta(seconds=0.1))
    assert not is_running(child)


def test_a_child_begins_without_what_it_has_no_use_for() -> None:
    """Each cost every child half a second of a processor, and with it the first forecast of a house."""
    told = (
        "import sys, forecast.workers, forecast.ensemble; print({'pandas', 'scipy.stats', 'dash'} & set(sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert run.stdout == "set()\n"
