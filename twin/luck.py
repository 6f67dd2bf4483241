"""LUCK FIRST: every random number of a member, drawn before its run, as arrays by patient and purpose.

A member has one generator, from (seed, member); each group of patients has a stretch of it of its own, in which it is
drawn patient by patient: all that one will need, then all that the next will. So a scenario moves no number, one
patient more moves no other's, and a longer horizon adds patients after those who come anyway. Another path asks for
other numbers a patient: it moves what happens to patients, not when candidates come. The rows are the patients: those
who are here, a reserve for victims of a crisis, and the candidates of each stream of arrivals, of whom a scenario lets
come as many as its level of arrivals asks for.
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
from twin.arrivals import (
    HEADROOM,
    Calendar,
    accompanied,
    calendar,
    candidates_min,
    day_levels,
    expected_today,
    reached_by,
)
from twin.parameters import Parameters, Stream
from twin.pathway import Path

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]
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
_MARK, _CLASS, _FIRST = range(3)
"""Columns of luck that every path has; those of its slots begin at the third."""
_LUCK, _ANNOUNCED = 0x10C4, 0xA220
"""Set a member's luck, and when those come who are announced, apart from what else is drawn from its seed."""
_DAYS, _OF_HERE, _OF_CRISIS, _OF_STREAMS = range(4)
_GAPS, _TOGETHER, _ROWS, _EACH = range(4)
"""Stretches of a member's generator; each stream has some."""
_STRETCH = 0x9E3779B97F4A7C15F39CC0605CEDC835
"""How far apart stretches begin: the jump of numpy's `jumped`, so that they do not overlap."""


@dataclass(frozen=True, eq=False)
class Luck:
    """Uniform numbers in [0, 1) of one or several members, one row a patient.

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
    uniform: Array
    """All other numbers, `(patient, column)`."""
    columns: Mapping[Purpose, Index]
    """Where a purpose's number stands, `(slot,)`; -1 where the path asks for none."""
    hours: Calendar

    @property
    def cls(self) -> Array:
        """Which class of patient, `(patient,)`."""
        return self.uniform[:, _CLASS]

    def of(self, purpose: Purpose, row: Index, slot: Index) -> Array:
        """The numbers of some patients at some slots, for which the path asks for one."""
        return np.asarray(self.uniform.take(row * self.uniform.shape[1] + self.columns[purpose][slot]))

    def table(self, purpose: Purpose) -> Array:
        """The numbers of everybody, `(patient, slot)`; NaN where the path asks for none."""
        columns = self.columns[purpose]
        return np.where(columns >= 0, self.uniform[:, columns], np.nan)

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
    hours = calendar(start, horizon_min, zone)
    dice = [_Dice(seed, member) for member in present_counts]
    rates = _rates(dice, parameters.streams, hours, start, zone, seen_today or {}, unheard_today or {})
    for stream in announced:
        rates[stream.stream] = rates[stream.stream] * stream.unannounced(hours.edge_min)
    reached = [reached_by(rate, 1.0 if code else HEADROOM) for code, rate in enumerate(rates)]
    coming = [_coming(one, parameters.streams, [by[m] for by in reached], hours) for m, one in enumerate(dice)]
    coming, sure, fits = _with_announced(coming, announced, seed, list(present_counts), horizon_min)
    sizes = [
        [here, reserve, *(at.size for at in mine)]
        for here, mine in zip(present_counts.values(), coming, strict=True)
    ]  # fmt: skip
    first = np.concatenate([[0], np.cumsum([sum(mine) for mine in sizes])]).astype(np.int64)
    columns, width = _columns(path)
    uniform = np.empty((int(first[-1]), width))
    for one, begin, mine in zip(dice, first, sizes, strict=False):
        one.fill(uniform[begin:], mine)
    group = np.repeat(np.tile([HERE, CRISIS, *range(len(parameters.streams))], len(dice)), np.concatenate(sizes))
    at_min = np.concatenate(
        [part for here, mine in zip(present_counts.values(), coming, strict=True)
         for part in (np.zeros(here + reserve), *mine)]
    )  # fmt: skip
    mark = uniform[_leads(group, at_min), _MARK]
    for (member, code), rows in _last_of(group, first, sure).items() if announced else ():
        mark[rows] = 0.0
        if (member, code) in fits:
            share = parameters.streams[code].class_share[parameters.block_of_hour[hours.hour_of_day_at(at_min[rows])]]
            uniform[rows, _CLASS] = _of_a_class_that_fits(uniform[rows, _CLASS], share, fits[member, code])
    return Luck(first, group, at_min, mark, uniform, columns, hours)


class _Dice:
    """A member's generator, which can be put at the beginning of any stretch of it."""

    def __init__(self, seed: int, member: int) -> None:
        self._bits = np.random.PCG64DXSM(np.random.SeedSequence([seed, member, _LUCK]))
        self._generator = np.random.Generator(self._bits)
        self._start = self._bits.state

    def at(self, stretch: int) -> np.random.Generator:
        """The generator at the beginning of a stretch."""
        self._bits.state = self._start
        self._bits.advance(stretch * _STRETCH % (1 << 128))
        return self._generator

    def of_stream(self, code: int, what: int) -> np.random.Generator:
        """At the beginning of a stretch of a stream's."""
        return self.at(_OF_STREAMS + _EACH * code + what)

    def fill(self, rows: Array, sizes: Sequence[int]) -> None:
        """The numbers of each group, patient by patient: those here, the reserve, and each stream's candidates."""
        stretches = [_OF_HERE, _OF_CRISIS, *range(_OF_STREAMS + _ROWS, _OF_STREAMS + _EACH * len(sizes), _EACH)]
        begin = 0
        for stretch, size in zip(stretches, sizes, strict=False):
            if size:
                self.at(stretch).random(out=rows[begin : begin + size])
            begin += size


def _rates(
    dice: Sequence[_Dice],
    streams: Sequence[Stream],
    hours: Calendar,
    start: datetime,
    zone: str,
    seen: Mapping[str, int],
    unheard: Mapping[str, float],
) -> list[Array]:
    """Arrivals that each stream expects by hour, `(member, hour)`, with the levels of the member's days."""
    days = int(hours.day[-1]) + 1
    uniform = np.stack([one.at(_DAYS).random((days, len(streams))) for one in dice])
    out = []
    for code, stream in enumerate(streams):
        expected = 0.0
        if stream.name in seen:
            expected = max(expected_today(stream, start, zone) - unheard.get(stream.name, 0.0), 0.0)
        levels = day_levels(
            uniform[:, :, code], stream.day_cv, seen=seen.get(stream.name, 0), expected=expected,
            dispersion=stream.dispersion,
        )  # fmt: skip
        out.append(hours.expected_of(stream) * levels[:, hours.day] / (1.0 + stream.together))
    return out


def _coming(dice: _Dice, streams: Sequence[Stream], reached: Sequence[Array], hours: Calendar) -> list[Array]:
    """When the candidates of each stream come, of whom so many are expected by each bound of the hours."""
    out = []
    for code, (stream, expected) in enumerate(zip(streams, reached, strict=True)):
        alone = candidates_min(dice.of_stream(code, _GAPS), hours, expected)
        if stream.together:
            alone = accompanied(dice.of_stream(code, _TOGETHER), alone, stream.together)
        out.append(alone)
    return out


def _with_announced(
    coming: Sequence[list[Array]], announced: Sequence[Coming], seed: int, members: Sequence[int], horizon_min: float
) -> tuple[list[list[Array]], Index, Fits]:
    """Each member's candidates and behind them the announced ones who come; how many these are, by stream; and of
    which classes they may be, where anything of that is told."""
    fits: Fits = {}
    out, sure = [list(mine) for mine in coming], np.zeros((len(members), max(map(len, coming), default=0)), np.int64)
    for m, member in enumerate(members) if announced else ():
        dice = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, member, _ANNOUNCED])))
        for stream in announced:
            at_min, who = stream.drawn(dice.random(len(stream.after_min)))
            at_min, who = at_min[at_min < horizon_min], who[at_min < horizon_min]
            if stream.fits and who.size:
                fits[m, stream.stream] = np.array(stream.fits)[who]
            out[m][stream.stream] = np.concatenate([out[m][stream.stream], at_min])
            sure[m, stream.stream] = at_min.size
    return out, sure, fits


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
def _columns(path: Path) -> tuple[dict[Purpose, Index], int]:
    """Where the numbers of a path's slots stand, and how many a patient has in all."""
    asks: dict[Purpose, list[bool]] = {
        "stage": [stage.lasts is not None for stage in path.stages],
        "then": [len(stage.then) > 1 for stage in path.stages],
        "wanted": [stage.wants in path.wanted for stage in path.stages],
        "patience": [stage.while_queueing is not None for stage in path.stages],
        "freed": [stage.frees_after is not None for stage in path.stages],
    }
    columns, width = dict[Purpose, Index](), _FIRST
    for purpose, by_stage in asks.items():
        asked = np.repeat(by_stage, [stage.at_most for stage in path.stages])
        columns[purpose] = np.where(asked, width - 1 + np.cumsum(asked), -1)
        width += int(asked.sum())
    return columns, width


def _leads(group: Index, at_min: Array) -> Index:
    """For each patient the row of the one who brings them along, `(patient,)`; their own for who comes alone."""
    brought = np.zeros(group.size, dtype=bool)
    brought[1:] = (group[1:] >= 0) & (group[1:] == group[:-1]) & (at_min[1:] == at_min[:-1])
    return np.asarray(np.maximum.accumulate(np.where(brought, 0, np.arange(group.size))))
