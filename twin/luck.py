"""LUCK FIRST: every random number of a member, drawn before its run, as arrays by patient and purpose.

Each purpose of each group of patients has a generator of its own, all from (seed, member): so a change of path or of
scenario moves no other number. The rows are the patients: those who are here, a reserve for victims of a crisis, and
the candidates of each stream of arrivals, of whom a scenario lets come as many as its level of arrivals asks for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from twin.arrivals import Calendar, accompanied, calendar, candidates_min, day_levels, expected_today
from twin.parameters import Parameters, Stream
from twin.pathway import Path

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]

Purpose = Literal["gaps", "days", "mark", "class", "stage", "then", "wanted", "patience", "freed", "together"]
_NUMBER: dict[str, int] = {purpose: number for number, purpose in enumerate(get_args(Purpose))}

RESERVE = 100
"""How many victims of a crisis a scenario may bring."""
HERE, CRISIS = -2, -1
"""Codes of the groups that are not streams."""


@dataclass(frozen=True, eq=False)
class Luck:
    """Uniform numbers in [0, 1), one row a patient; those who are here first, then the reserve, then candidates."""

    group: Index
    """HERE, CRISIS, or the index of the stream, `(patient,)`."""
    at_min: Array
    """When a candidate comes, `(patient,)`; 0 for those here and for the reserve."""
    mark: Array
    """Decides whether a candidate comes, and when a victim does, `(patient,)`; those who come together share it."""
    cls: Array
    """Which class of patient, `(patient,)`."""
    stage: Array
    """How long a stage lasts, `(patient, slot)`."""
    then: Array
    """Where it leads, `(patient, slot)`."""
    wanted: Array
    """Which ward is wanted at its end, `(patient, slot)`."""
    patience: Array
    """How long the patient queues for it, `(patient, slot)`."""
    freed: Array
    """How long it holds what it needs, `(patient, slot)`."""
    hours: Calendar

    @property
    def here(self) -> int:
        """How many patients are here at the start."""
        return int((self.group == HERE).sum())


def draw(
    path: Path,
    parameters: Parameters,
    present_count: int,
    *,
    seed: int,
    member: int,
    start: datetime,
    horizon_min: float,
    zone: str,
    seen_today: Mapping[str, int] | None = None,
) -> Luck:
    """The luck of one member from an aware instant on.

    `seen_today` gives the arrivals since local midnight by stream; a stream left out has the level of any day.
    """
    hours = calendar(start, horizon_min, zone)
    dice = _Dice(seed, member)
    groups, times = [np.full(present_count, HERE), np.full(RESERVE, CRISIS)], [np.zeros(present_count + RESERVE)]
    for code, stream in enumerate(parameters.streams):
        seen = (seen_today or {}).get(stream.name)
        known = None if seen is None else (seen, expected_today(stream, start, zone))
        times.append(_candidates(dice, code, stream, hours, known))
        groups.append(np.full(times[-1].size, code))
    return _drawn(dice, groups, np.concatenate(times), hours, path.slots)


class _Dice:
    """A generator for each purpose and group, all from one seed and member."""

    def __init__(self, seed: int, member: int) -> None:
        self._root = (seed, member)

    def of(self, purpose: Purpose, group: int) -> np.random.Generator:
        """The generator of a purpose for a group."""
        seed = np.random.SeedSequence([*self._root, _NUMBER[purpose], group - HERE])
        return np.random.Generator(np.random.PCG64(seed))


def _candidates(dice: _Dice, code: int, stream: Stream, hours: Calendar, known: tuple[int, float] | None) -> Array:
    seen, expected = known or (0, 0.0)
    uniform = dice.of("days", code).random(int(hours.day[-1]) + 1)
    levels = day_levels(uniform, stream.day_cv, seen=seen, expected=expected, dispersion=stream.dispersion)
    rate = hours.expected_of(stream) * levels[hours.day]
    alone = candidates_min(dice.of("gaps", code), hours, rate / (1.0 + stream.together))
    return accompanied(dice.of("together", code), alone, stream.together)


def _drawn(dice: _Dice, groups: list[Index], at_min: Array, hours: Calendar, slots: int) -> Luck:
    codes = [int(group[0]) for group in groups if group.size]
    sizes = [group.size for group in groups if group.size]

    def each(purpose: Purpose) -> Array:
        return np.concatenate([dice.of(purpose, c).random(n) for c, n in zip(codes, sizes, strict=True)])

    def each_slot(purpose: Purpose) -> Array:
        return np.concatenate([dice.of(purpose, c).random((n, slots)) for c, n in zip(codes, sizes, strict=True)])

    return Luck(
        group=np.concatenate(groups).astype(np.int64),
        at_min=at_min,
        mark=each("mark")[_leads(np.concatenate(groups), at_min)],
        cls=each("class"),
        stage=each_slot("stage"),
        then=each_slot("then"),
        wanted=each_slot("wanted"),
        patience=each_slot("patience"),
        freed=each_slot("freed"),
        hours=hours,
    )


def _leads(group: Index, at_min: Array) -> Index:
    """For each patient the row of the one who brings them along, `(patient,)`; their own for who comes alone."""
    brought = np.zeros(group.size, dtype=bool)
    brought[1:] = (group[1:] >= 0) & (np.diff(group) == 0) & (np.diff(at_min) == 0)
    return np.asarray(np.maximum.accumulate(np.where(brought, 0, np.arange(group.size))))
