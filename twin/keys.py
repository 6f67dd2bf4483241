"""Random numbers without a generator: each is hashed from a key and its place, so that none needs those before it.

A key is 64 bits. From a key and a place comes another key, or a number: those of a key are the stream that SplitMix64
gives from it (Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators"), any of them at once. So
keys make a tree, seed to member to purpose to patient, and whoever knows a key can ask for the one number that counts.
The text serves arrays, and single numbers where it is compiled into a loop (`kernel.py`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from twin.kernel_layout import part

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]
Keys = npt.NDArray[np.uint64]

_FIRST = np.uint64(1)
_STEP = np.uint64(0x9E3779B97F4A7C15)
_TIMES, _TIMES_AGAIN = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_SHIFT, _SHIFT_AGAIN, _SHIFT_LAST = np.uint64(30), np.uint64(27), np.uint64(31)
_UNUSED_BITS = np.uint64(11)
_OF_ONE = 2.0**-53
_BITS = (1 << 64) - 1


@part
def child(key: Any, place: Any) -> Any:
    """The key at a place of a key, counted from 0."""
    bits = key + (np.uint64(place) + _FIRST) * _STEP
    bits = (bits ^ (bits >> _SHIFT)) * _TIMES
    bits = (bits ^ (bits >> _SHIFT_AGAIN)) * _TIMES_AGAIN
    return bits ^ (bits >> _SHIFT_LAST)


@part
def number(key: Any, place: Any) -> Any:
    """The number in [0, 1) at a place of a key, uniform; the place of a key is not also that of a number."""
    return np.int64(child(key, place) >> _UNUSED_BITS) * _OF_ONE


def children(keys: Keys, *places: int) -> Keys:
    """The keys at some places of each of some keys, `(place, key)`."""
    return np.asarray(child(keys, np.array(places, dtype=np.uint64)[:, None]))


def keys_of(seed: int, members: npt.ArrayLike, purpose: int) -> Keys:
    """The key of a purpose in each of some members, `(member,)`, from a seed."""
    [root] = children(np.zeros(1, dtype=np.uint64), seed & _BITS)
    [keys] = children(child(root, np.array(members, dtype=np.uint64)), purpose)
    return np.asarray(keys)
