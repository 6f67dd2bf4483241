"""Routes: shares by class, wards wanted, repeats."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest

from twin.durations import fixed
from twin.errors import RepeatsError
from twin.routing import probabilities
from twin.small_hospitals import QUEUE, WHOLE, member, parameters, small_path

LOOP = QUEUE.replace("then = { home = 1 }", 'at_most = 3\nthen = { contact = "p_again", home = "rest" }')


def test_routes_follow_their_shares() -> None:
    path = small_path(WHOLE)
    lasting = {name: fixed(1) for name in path.durations}
    believed = parameters(
        path, lasting, per_hour=30.0, shares={"p_admit": 0.3}, wanted={"medicine": 0.8, "surgery": 0.2}
    )
    told = member(path, believed, hours=72).fate
    admitted = (told.stage == path.index("admit")).any(axis=1)
    assert admitted.mean() == pytest.approx(0.3, abs=0.03)
    assert (told.unit[admitted].max(axis=1) == 1).mean() == pytest.approx(0.8, abs=0.05)
    assert (told.stage == path.index("home")).any(axis=1)[~admitted].all()


def test_what_is_left_goes_to_the_rest() -> None:
    path = small_path(WHOLE)
    believed = parameters(path, {}, classes={0: 0.5, 1: 0.5}, shares={"p_admit": 0.25})
    assert probabilities(path.stage("contact"), believed).tolist() == [[[0.25, 0.75]]] * 2


def test_a_stage_may_be_repeated_and_each_time_has_its_own_luck() -> None:
    path = small_path(LOOP.replace("at_most = 3", "at_most = 30"))
    believed = parameters(path, {"service": fixed(1)}, per_hour=20.0, shares={"p_again": 0.4})
    told = member(path, believed, hours=72, capacity={"doctor": 50}).fate
    times = (told.stage == path.index("contact")).sum(axis=1)
    assert times.mean() == pytest.approx(1 / 0.6, rel=0.06)
    assert (np.bincount(times)[1:4] / times.size) == pytest.approx([0.6, 0.24, 0.096], abs=0.04)


def test_more_repeats_than_the_path_allows_raise() -> None:
    path = small_path(LOOP)
    believed = parameters(path, {"service": fixed(1)}, per_hour=20.0, shares={"p_again": 0.9})
    with pytest.raises(RepeatsError, match="contact of path queue: a patient may come here 3 times"):
        member(path, believed, hours=24)


def test_what_was_learned_on_other_days_is_let_go() -> None:
    """A house learns each night; what it keeps of earlier nights is bounded: it used to grow for two months."""
    path, days = small_path(WHOLE), []
    for day in range(40):
        learned = parameters(
            path, {name: fixed(1) for name in path.durations}, per_hour=3.0, shares={"p_admit": 0.3 + day / 1000},
            wanted={"medicine": 0.8, "surgery": 0.2},
        )  # fmt: skip
        member(path, learned, hours=1)
        days.append(weakref.ref(learned))
    del learned
    gc.collect()
    assert sum(day() is not None for day in days) <= 16
