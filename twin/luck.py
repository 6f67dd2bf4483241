"""LUCK FIRST: every random number of a member is settled before its run, by patient and purpose.

From (seed, member) hangs a tree of keys (`keys.py`): each group of patients has a key, and each patient of it; a number
is asked for by the patient's key and the place of its purpose. So a scenario moves no number, one patient more moves no
other's, and a longer horizon adds patients after those who come anyway. Another path asks for other numbers a patient:
it moves what happens to patients, not when candidates come. The rows are the patients: those who are here, a reserve
for victims of a crisis, and the candidates of each stream of arrivals, of whom a scenario lets come as many as its
level of arrivals asks for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Literal

import numpy as np
import numpy.typing as npt

from twin.announced import Coming
from twin.arrivals import HEADROOM, Calendar, calendar, day_levels, expected_today, reached_by
from twin.keys import Array, Index, Keys, children, keys_of, number
from twin.luck_loop import CLASS, MARK, candidates, loops
from twin.parameters import Parameters, Stream
from twin.pathway import Path

Flags = npt.NDArray[np.bool_]
Fits = dict[tuple[int, int], Flags]
"""By member and stream, of each of the announced who come the classes that it may be of, `(patient, class)`."""

Purpose = Literal["stage", "then", "wanted", "patience", "freed"]
"""How long a stage lasts, where it leads, which ward is wanted at its end, how long a patient queues for it, and how
long it holds what it needs."""

RESERVE = 100
"""How many victims of a crisis luck is drawn for, where no scenario brings more."""
MOST_VICTIMS = 3000
"""How many a scenario may bring: luck is drawn for each."""
HERE, CRISIS = -2, -1
"""Codes of the groups that are not streams."""
_FIRST = max(MARK, CLASS) + 1
"""Where the places of numbers begin that the slots of a path ask for."""
_LUCK, _ANNOUNCED = 0x10C4, 0xA220
"""Set a member's luck, and when those come who are announced, apart from what else hangs from its seed."""
_DAYS, _OF_HERE, _OF_CRISIS, _OF_STREAMS = range(4)
_GAPS, _TOGETHER, _ROWS, _EACH = range(4)
"""Places of a member's key; each stream has some."""


@dataclass(frozen=True, eq=False)
class Luck:
    """What decides uniform numbers in [0, 1) of one or several members, one row a patient.

    A member's rows stand together: those who are here first, then the reserve, then candidates.
    """

    first: Index
    """Where each member's rows begin, and where the last one's end, `(member + 1,)`."""
    group: Index
    """HERE, CRISIS, or the index of the stream, `(patient,)`."""
    at_min: Array
    """When a candidate comes, `(patient,)`; 0 for those here and for the reserve."""
    mark: Array
    """Decides whether a candidate comes, and when a victim does, `(patient,)`; those who come together share it."""
    cls: Array
    """Decides which class of patient, `(patient,)`."""
    key: Keys
    """From which all other numbers come, `(patient,)`."""
    places: Mapping[Purpose, Index]
    """The place of a purpose's number, `(slot,)`; -1 where the path asks for none."""
    hours: Calendar

    def of(self, purpose: Purpose, row: Index, slot: Index) -> Array:
        """The numbers of some patients at some slots, for which the path asks for one."""
        return np.asarray(number(self.key[row], self.places[purpose][slot]))

    def table(self, purpose: Purpose) -> Array:
        """The numbers of everybody, `(patient, slot)`; NaN where the path asks for none."""
        places = self.places[purpose]
        return np.where(places >= 0, number(self.key[:, None], np.maximum(places, 0)), np.nan)

    @property
    def here(self) -> Index:
        """How many patients of each member are here at the start, `(member,)`."""
        return np.add.reduceat((self.group == HERE).astype(np.int64), self.first[:-1])

    @property
    def reserve(self) -> int:
        """How many victims of a crisis there is luck for in each member."""
        return int((self.group[self.first[0] : self.first[1]] == CRISIS).sum())


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
    reserve: int = RESERVE,
) -> Luck:
    """The luck of one member from an aware instant on.

    `seen_today` gives the arrivals since local midnight by stream; a stream left out has the level of any day.
    """
    return draw_members(
        path, parameters, {member: present_count}, seed=seed, start=start, horizon_min=horizon_min, zone=zone,
        seen_today=seen_today, reserve=reserve,
    )  # fmt: skip


def draw_members(
    path: Path,
    parameters: Parameters,
    present_counts: Mapping[int, int],
    *,
    seed: int,
    start: datetime,
    horizon_min: float,
    zone: str,
    seen_today: Mapping[str, int] | None = None,
    unheard_today: Mapping[str, float] | None = None,
    announced: Sequence[Coming] = (),
    reserve: int = RESERVE,
) -> Luck:
    """The luck of several members, by how many are here in each; that of each is the same whoever else is drawn.

    `unheard_today` are the arrivals since midnight, by stream, of which nothing was to be heard by now. Those
    `announced` come beside the candidates of their streams, of whom so many fewer come. They come under every
    level of arrivals. Of the `reserve`, victims of a crisis are taken; how large it is moves nobody's luck.
    """
    hours, streams, members = calendar(start, horizon_min, zone), parameters.streams, list(present_counts)
    mine = keys_of(seed, members, _LUCK)
    rates = _rates(mine, streams, hours, start, zone, seen_today or {}, unheard_today or {})
    for told in announced:
        rates[told.stream] = rates[told.stream] * told.unannounced(hours.edge_min)
    coming = [
        _coming(mine, code, stream, rate, hours) for code, (stream, rate) in enumerate(zip(streams, rates, strict=True))
    ]
    sure, fits = _announced(coming, announced, keys_of(seed, members, _ANNOUNCED), horizon_min)
    size = np.array([[*present_counts.values()], [reserve] * len(members), *(count for _, count in coming)]).T
    first = np.concatenate([[0], np.cumsum(size.sum(axis=1))])
    groups = [HERE, CRISIS, *range(len(streams))]
    group = np.repeat(np.tile(groups, len(members)), size.ravel())
    at_min, key, mark, cls = np.zeros(group.size), np.empty(group.size, dtype=np.uint64), *np.empty((2, group.size))
    for code, (at, _) in enumerate(coming):
        at_min[group == code] = at
    blocks = children(mine, _OF_HERE, _OF_CRISIS, *(_of_stream(code, _ROWS) for code in range(len(streams)))).T
    loops().seat(blocks.ravel(), size.ravel(), np.tile(groups, len(members)), at_min, key, mark, cls)
    for (member, code), rows in _last_of(group, first, sure).items() if announced else ():
        mark[rows] = 0.0
        if (member, code) in fits:
            share = streams[code].class_share[parameters.block_of_hour[hours.hour_of_day_at(at_min[rows])]]
            cls[rows] = _of_a_class_that_fits(cls[rows], share, fits[member, code])
    return Luck(first, group, at_min, mark, cls, key, _places(path), hours)


def _of_stream(code: int, what: int) -> int:
    """A place of a member's key that is a stream's."""
    return _OF_STREAMS + _EACH * code + what


def _rates(
    mine: Keys,
    streams: Sequence[Stream],
    hours: Calendar,
    start: datetime,
    zone: str,
    seen: Mapping[str, int],
    unheard: Mapping[str, float],
) -> list[Array]:
    """Arrivals that each stream expects by hour, `(member, hour)`, with the levels of the member's days."""
    days = int(hours.day[-1]) + 1
    [of_days] = children(mine, _DAYS)
    out = []
    for code, stream in enumerate(streams):
        expected = 0.0
        if stream.name in seen:
            expected = max(expected_today(stream, start, zone) - unheard.get(stream.name, 0.0), 0.0)
        uniform = number(of_days[:, None], np.arange(days) * len(streams) + code)
        levels = day_levels(
            uniform, stream.day_cv, seen=seen.get(stream.name, 0), expected=expected, dispersion=stream.dispersion
        )
        out.append(hours.expected_of(stream) * levels[:, hours.day] / (1.0 + stream.together))
    return out


def _coming(mine: Keys, code: int, stream: Stream, rate: Array, hours: Calendar) -> tuple[Array, Index]:
    """When the candidates of a stream come, those of the first member first, and how many each member has.

    Of the first stream, whose level a scenario may raise, there are more than come.
    """
    reached = reached_by(rate, 1.0 if code else HEADROOM)
    gaps, company = children(mine, _of_stream(code, _GAPS), _of_stream(code, _TOGETHER))
    return candidates(gaps, company, reached, hours.edge_min, stream.together)


def _announced(
    coming: list[tuple[Array, Index]], announced: Sequence[Coming], mine: Keys, horizon_min: float
) -> tuple[Index, Fits]:
    """Puts the announced ones who come behind each member's candidates of their stream; how many these are, `(member,
    stream)`; and of which classes they may be, where anything of that is told."""
    fits: Fits = {}
    sure = np.zeros((mine.size, len(coming)), np.int64)
    for one in announced:
        code, (at_min, count) = one.stream, coming[one.stream]
        numbers = number(children(mine, code).T, np.arange(len(one.after_min)))
        parts = np.split(at_min, np.cumsum(count)[:-1])
        for m in range(mine.size):
            told_min, who = one.drawn(numbers[m])
            told_min, who = told_min[told_min < horizon_min], who[told_min < horizon_min]
            if one.fits and who.size:
                fits[m, code] = np.array(one.fits)[who]
            parts[m] = np.concatenate([parts[m], told_min])
            sure[m, code] = told_min.size
        coming[code] = np.concatenate(parts), count + sure[:, code]
    return sure, fits


def _last_of(group: Index, first: Index, sure: Index) -> dict[tuple[int, int], slice]:
    """The last rows of each stream of each member, as many as there are `(member, stream)`."""
    out = {}
    for member, stream in zip(*np.nonzero(sure), strict=True):
        mine = group[first[member] : first[member + 1]]
        end = int(first[member] + np.flatnonzero(mine == stream)[-1]) + 1
        out[int(member), int(stream)] = slice(end - int(sure[member, stream]), end)
    return out


def _of_a_class_that_fits(uniform: Array, share: Array, fits: Flags) -> Array:
    """The numbers that draw a class from shares, `(patient, class)`, moved to where they draw one that fits.

    Where none does, or no such patient is usual, they stay.
    """
    within = np.where(fits, share, 0.0)
    total = within.sum(axis=1, keepdims=True)
    running = np.cumsum(within / np.where(total > 0, total, 1.0), axis=1)
    cls = np.minimum((running <= uniform[:, None]).sum(axis=1), share.shape[1] - 1)
    row = np.arange(cls.size)
    there = (np.cumsum(share, axis=1) - share / 2)[row, cls]
    return np.where((total > 0)[:, 0] & ~fits.all(axis=1), there, uniform)


@lru_cache(maxsize=8)
def _places(path: Path) -> dict[Purpose, Index]:
    """The places of the numbers that a path's slots ask for."""
    asks: dict[Purpose, list[bool]] = {
        "stage": [stage.lasts is not None for stage in path.stages],
        "then": [len(stage.then) > 1 for stage in path.stages],
        "wanted": [stage.wants in path.wanted for stage in path.stages],
        "patience": [stage.while_queueing is not None for stage in path.stages],
        "freed": [stage.frees_after is not None for stage in path.stages],
    }
    places, taken = dict[Purpose, Index](), _FIRST
    for purpose, by_stage in asks.items():
        asked = np.repeat(by_stage, [stage.at_most for stage in path.stages])
        places[purpose] = np.where(asked, taken - 1 + np.cumsum(asked), -1)
        taken += int(asked.sum())
    return places
