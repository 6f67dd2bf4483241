"""The queue for doctors lived through once more: it is the law, and waits tell how long a contact takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from ingest.events import RANK
from tests.histories import NOON, hospital, state
from twin import queue_loop
from twin import replayed as module
from twin.calibrate import calibrate
from twin.durations import LEVELS, Duration, exponential
from twin.fate import Fate
from twin.hospital import NO_LIMIT
from twin.kernel import compiled_queue
from twin.learned_durations import Cells
from twin.learned_path import Sample
from twin.replayed import Queue, queue_of, relived, slower
from twin.small_hospitals import arriving, member, parameters, small_path
from twin.story import DESTINATIONS, Array, Visits

LOOKED_AFTER = """
name = "looked after"
[stage.contact]
comes = "Arrived"
patience = "patience"
takes = "care:doctor"
needs = "doctor"
starts = "SeenByProvider"
frees_after = "doctor_slot"
lasts = "care"
gives = "care:doctor"
then = { home = 1 }
[stage.home]
starts = "Departed"
to = "home"
"""
GROWING = np.array([12.0, 15.0, 20.0, 30.0])
"""Minutes of a doctor with 0, 1, 2, 3 patients or more in care."""
SLOT = Duration(-np.log1p(-LEVELS) * GROWING[None, None, :, None], GROWING[None, None, :])
LIMIT = 4
DUTY = ((0.0, 2), (480.0, 4), (960.0, 3), (1200.0, 1))
"""Doctors of a day."""
WEEKS = 6


def by_law(seed: int) -> tuple[Queue, Array, Array]:
    """A day by the law: its queue, how long each keeps a doctor by caseload, and when each was seen."""
    path = small_path(LOOKED_AFTER)
    lasting = {"doctor_slot": SLOT, "care": exponential(70.0), "patience": exponential(200.0)}
    believed = parameters(path, lasting, per_hour=20.0, classes={0: 0.2, 2: 0.5, -1: 0.3})
    at_min = np.sort(np.random.default_rng(seed).uniform(0, 1400, 200))

    def placed(fate: Fate) -> Fate:
        return replace(arriving(fate, at_min.tolist()), visit=np.arange(at_min.size))

    capacity = {"doctor": DUTY, "care:doctor": tuple((at, LIMIT * count) for at, count in DUTY)}
    ran = member(path, believed, hours=72, capacity=capacity, bend=placed, seed=seed)
    contacts = ran.story.kind == RANK["SeenByProvider"]
    seen = np.full(at_min.size, np.inf)
    seen[ran.story.visit[contacts]] = ran.story.at_min[contacts]
    fate = ran.fate
    leaves = at_min + fate.patience_min[:, 0]
    stopped = np.minimum(seen, leaves)
    return (
        Queue(at_min, stopped, fate.minutes[:, 0, 0], leaves, fate.priority, at_min, fate.block, DUTY),
        fate.freed_min[fate.freed_at[:, 0]],
        seen,
    )


def test_the_queue_is_lived_through_as_the_law_has_it() -> None:
    """Priorities, patience, rosters, caseloads and the limit to them, to the last bit."""
    for seed in range(5):
        queue, held, seen = by_law(seed)
        assert 20 < np.isinf(seen).sum() < 180, "some leave"
        assert relived(queue, held, LIMIT).tolist() == seen.tolist()


@pytest.mark.timeout(400)
def test_compiled_it_is_lived_through_as_the_law_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compiling takes some seconds of a processor, and more on a busy machine."""
    monkeypatch.setattr(queue_loop, "ready", [compiled_queue()])
    for seed in range(5):
        queue, held, seen = by_law(seed)
        assert relived(queue, held, LIMIT).tolist() == seen.tolist()
        assert relived(replace(queue, priority=np.zeros_like(queue.priority)), held, LIMIT).tolist() != seen.tolist()


@pytest.mark.parametrize(
    "wrong",
    [
        lambda queue, held: relived(queue, held[:, :1], LIMIT),
        lambda queue, held: relived(queue, held, NO_LIMIT),
        lambda queue, held: relived(replace(queue, priority=np.zeros_like(queue.priority)), held, LIMIT),
        lambda queue, held: relived(replace(queue, leaves_min=np.full_like(queue.leaves_min, np.inf)), held, LIMIT),
        lambda queue, held: relived(replace(queue, duty=DUTY[:1]), held, LIMIT),
        lambda queue, held: relived(replace(queue, care_min=queue.care_min + 1.0), held, LIMIT),
    ],
    ids=["caseloads alike", "no limit", "no priority", "no patience", "one roster", "longer care"],
)
def test_a_queue_that_leaves_a_part_of_the_law_out_is_seen(wrong: Callable[[Queue, Array], Array]) -> None:
    queue, held, seen = by_law(0)
    assert wrong(queue, held).tolist() != seen.tolist()


def weeks(factor: Callable[[Array], Array] = np.ones_like, *, load: float = 0.85) -> Queue:
    """Weeks of a department whose contacts take `factor` times as long as SLOT says, by the week of the visit."""
    chance = np.random.default_rng(7)
    span = WEEKS * module.STRETCH_MIN
    minute = np.arange(0.0, span)
    rate = load * 2 / GROWING[1] * (1 + 0.6 * np.sin(2 * np.pi * minute / 1440.0)) / 1.5
    ready = np.flatnonzero(chance.random(minute.size) < rate).astype(np.float64)
    n = ready.size
    care, code = chance.exponential(60.0, n), np.zeros(n, dtype=np.int64)
    never = np.full(n, np.inf)
    queue = Queue(ready, ready, care, never, np.zeros(n), ready, code, ((0.0, 2),))
    held = SLOT.at(chance.random(n), code, code) * factor(ready // module.STRETCH_MIN)[:, None]
    return replace(queue, stopped_min=relived(queue, held, NO_LIMIT))


@pytest.mark.parametrize("true", [0.85, 1.0, 1.3])
def test_the_waits_tell_how_much_longer_a_contact_takes_than_believed(true: float) -> None:
    assert slower(weeks(lambda week: np.full(week.size, true)), SLOT, NO_LIMIT) == pytest.approx(true, rel=0.06)


def odd(week: Array) -> Array:
    """One week in which something went wrong."""
    return np.where(week == 2, 2.5, 1.0)


def test_a_week_that_was_odd_does_not_count_for_more() -> None:
    assert slower(weeks(odd), SLOT, NO_LIMIT) == pytest.approx(1.0, abs=0.08)


def test_all_weeks_in_one_are_carried_away_by_it(monkeypatch: pytest.MonkeyPatch) -> None:
    queue = weeks(odd)
    monkeypatch.setattr(module, "STRETCH_MIN", 1e9)
    assert slower(queue, SLOT, NO_LIMIT) > 1.15


def test_where_nobody_waits_it_stays_as_believed_and_few_minutes_say_little() -> None:
    queue = weeks()
    nobody = replace(queue, stopped_min=queue.ready_min)
    assert slower(nobody, SLOT, NO_LIMIT) == 1.0
    hardly = replace(queue, stopped_min=queue.ready_min + 0.01)
    assert module.FACTORS[0] < slower(hardly, SLOT, NO_LIMIT) < 1.0


def test_a_roster_that_ends_with_nobody_does_not_carry_all_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those whom nobody would see have waited for two days, not for ever."""
    queue = weeks()
    ends = replace(queue, duty=(*queue.duty, (float(queue.ready_min[-20]), 0)))
    assert slower(ends, SLOT, NO_LIMIT) == pytest.approx(1.0, abs=0.1)
    monkeypatch.setattr(module, "LONGEST_MIN", 1e9)
    assert slower(ends, SLOT, NO_LIMIT) < 0.9


def test_the_same_log_tells_the_same_twice() -> None:
    queue = weeks()
    assert slower(queue, SLOT, NO_LIMIT) == slower(queue, SLOT, NO_LIMIT)


def waited(queue: Queue, slot: Duration, limit: int) -> float:
    """Minutes that each waits on average by the law, with another luck than the learning had."""
    chance, anyone = np.random.default_rng(11), np.zeros(queue.block.size, dtype=np.int64)
    held = [slot.at(chance.random(anyone.size), anyone, queue.block) for _ in range(4)]
    until = [np.minimum(relived(queue, one, limit), queue.leaves_min) for one in held]
    return float((np.mean(until, axis=0) - queue.ready_min).mean())


def test_with_what_is_learned_of_a_hospital_the_law_gives_the_waits_of_its_log(monkeypatch: pytest.MonkeyPatch) -> None:
    """What its busy stretches tell alone gives too few."""
    asked: list[tuple[Queue, Duration, int]] = []

    def heard(queue: Queue, slot: Duration, limit: int) -> float:
        asked.append((queue, slot, limit))
        return slower(queue, slot, limit)

    monkeypatch.setattr("twin.calibrate.slower", heard)
    learned = calibrate(state(), hospital(), NOON).parameters.durations["doctor_slot"]
    ((queue, believed, limit),) = asked
    came = float(queue.waited_min.mean())
    assert waited(queue, learned, limit) == pytest.approx(came, rel=0.25)
    assert waited(queue, believed, limit) < 0.75 * came


def sample() -> Sample:
    """Seen and sent home; left unseen; seen before the triage was noted; of unknown acuity, and never seen."""
    nan, none = np.nan, np.empty(0, dtype=np.int64)
    visits = Visits(
        arrived_min=np.array([0.0, 5.0, 8.0, 9.0]),
        triaged_min=np.array([4.0, nan, 20.0, 12.0]),
        seen_min=np.array([30.0, nan, 15.0, nan]),
        decided_min=np.array([nan, nan, 75.0, nan]),
        departed_min=np.array([90.0, 65.0, 200.0, 40.0]),
        to=np.array([DESTINATIONS.index(to) for to in ("home", "left_without_being_seen", "ward", "home")]),
        acuity=np.array([4, 3, 1, -1]),
        stay_visit=none, stay_unit=none, stay_from_min=np.empty(0), stay_until_min=np.empty(0),
    )  # fmt: skip
    code = np.zeros(4, dtype=np.int64)
    return Sample(
        visits, np.array([70.0, nan, nan, nan]), code, code, Cells(code, code, code, (1, 1, 1)),
        lambda at: code, np.ones(4, dtype=bool), visits.departed_min,
    )  # fmt: skip


def test_the_queue_is_that_of_the_log() -> None:
    queue = queue_of(sample(), exponential(100.0), DUTY, acuities=6)
    assert queue.ready_min.tolist() == [4.0, 5.0, 20.0], "who was never seen and did not leave waits for nobody"
    assert queue.waited_min.tolist() == [26.0, 60.0, 0.0]
    assert queue.care_min[[0, 2]].tolist() == [40.0, 60.0], "until the decision"
    assert queue.care_min[1] in (40.0, 60.0), "as long as another"
    assert queue.leaves_min[1] == 65.0
    assert (queue.leaves_min > queue.stopped_min)[[0, 2]].all(), "who was seen had more patience than that"
    assert queue.priority.tolist() == [4.0, 3.0, 1.0]
