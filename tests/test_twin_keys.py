"""Keys: the stream of SplitMix64 at any place, uniform and apart however they are asked for."""

from __future__ import annotations

import numpy as np
from scipy import stats

from twin import keys
from twin.keys import Array, child, children, keys_of, number


def test_the_keys_of_a_key_are_the_stream_of_splitmix64() -> None:
    """From 1234567, as published with the generator."""
    told = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431, 16408922859458223821]
    assert child(np.array([1234567], dtype=np.uint64), np.arange(5)).tolist() == told


def test_members_have_their_keys_whoever_else_is_asked_for() -> None:
    assert keys_of(3, range(9), 5)[[2, 7]].tolist() == keys_of(3, [2, 7], 5).tolist()
    assert len({int(k) for seed in (0, 1, 1 << 63) for p in (0, 1) for k in keys_of(seed, range(50), p)}) == 300


def grid(rows: int = 400, places: int = 60) -> Array:
    """Numbers of many members' keys, `(key, place)`."""
    return np.asarray(number(keys_of(11, range(rows), 1)[:, None], np.arange(places)))


def is_uniform(told: Array) -> bool:
    """On the whole, along a key, along a place, and each beside the next of its key and of the next key."""
    beside = [(told[:, 1:], told[:, :-1]), (told[1:], told[:-1])]
    apart = all(abs(np.corrcoef(a.ravel(), b.ravel())[0, 1]) < 4.5 / a.size**0.5 for a, b in beside)
    lines = [told.ravel(), told[0], told[-1], told[:, 0], told[:, -1]]
    return apart and all(stats.kstest(line, "uniform").pvalue > 1e-3 for line in lines)


def test_numbers_are_uniform_and_apart() -> None:
    assert is_uniform(grid())
    assert grid().min() >= 0.0
    assert grid().max() < 1.0


def test_keys_that_are_not_mixed_well_are_seen() -> None:
    """The mutant: numbers of neighbouring keys, as seeds one apart would be, without the mixing of keys."""
    near = np.arange(400, dtype=np.uint64)[:, None] * keys._STEP
    assert not is_uniform(np.asarray(number(near, np.arange(60)))), "the next key has what this one had, one place on"


def test_several_places_at_once_are_each_as_asked_alone() -> None:
    mine = keys_of(1, range(4), 2)
    assert children(mine, 3, 8)[1].tolist() == child(mine, np.array([8])).tolist()
