"""No search for garbage in the block, and again after it, however blocks lie to one another."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator

import pytest

from ingest.unswept import SELDOM, seldom_swept, unswept


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    assert gc.isenabled()
    yield
    gc.enable()


def test_in_the_block_nothing_is_searched_and_after_it_again() -> None:
    with unswept():
        with unswept():
            assert not gc.isenabled()
        assert not gc.isenabled(), "the outer block is not over"
    assert gc.isenabled()


def test_a_block_that_fails_ends_it_too() -> None:
    with pytest.raises(ZeroDivisionError), unswept():
        raise ZeroDivisionError
    assert gc.isenabled()


def test_a_search_that_was_off_stays_off() -> None:
    gc.disable()
    with unswept():
        pass
    assert not gc.isenabled()


def test_the_last_of_two_threads_switches_it_on() -> None:
    entered, leave = threading.Event(), threading.Event()

    def other() -> None:
        with unswept():
            entered.set()
            leave.wait(10)

    thread = threading.Thread(target=other)
    with unswept():
        thread.start()
        assert entered.wait(10)
    assert not gc.isenabled(), "a block of another thread is not over"
    leave.set()
    thread.join(10)
    assert gc.isenabled()


def test_in_a_house_that_runs_it_is_seldom_searched_and_as_before_afterwards() -> None:
    before = gc.get_threshold()
    with seldom_swept():
        assert gc.get_threshold() == SELDOM
        assert gc.isenabled()
    assert gc.get_threshold() == before != SELDOM
