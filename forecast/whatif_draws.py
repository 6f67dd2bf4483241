"""What the process that answers what-if questions keeps: what was drawn for the moments that are asked about.

Presents and luck do not depend on the question. They are drawn before anybody asks, a chunk of members after the
other; a question then costs only what luck means under it, the run and the count. Members are those of the cycle: same
situation, same seed, same numbers, so the same values to the last bit.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from multiprocessing import parent_process

import numpy as np

from forecast.ensemble import Run, applied_to, drawn, luck_of, reserve_of, run_drawn
from forecast.situation import Situation
from forecast.values import Array, Packed, packed
from forecast.whatif_view import FREE
from twin.luck import RESERVE, Luck
from twin.present import Present
from twin.scenarios import Scenario

MOMENTS = 4
"""Moments of which something is kept, the one asked about longest ago let go: some 100 MB each in a large hospital."""
LUCK_KEPT = 200
"""Members whose luck is kept, for the first answers. Of the others it is drawn again, in a sixth of a chunk's time: it
is four times as large as all else."""
POLITE = 5
"""By how much the process gives way to those that make the forecast."""
MEASURES = ("ed_census", "ed_waiting", "ed_boarders", "ed_departures", "ed_arrivals")
"""What is told of members, beside beds that are free."""
Told = Mapping[str, Packed]
"""Some members' measures, `(lead, member)`."""


class NotKeptError(Exception):
    """Nothing is kept of the moment: it was let go, or the process is another one."""


@dataclass(eq=False)
class _Moment:
    """What is kept of a moment, chunk by chunk."""

    situation: Situation
    how: Run
    usual: Scenario
    presents: dict[int, list[Present]] = field(default_factory=dict)
    luck: dict[int, Luck] = field(default_factory=dict)

    def drawn(self, members: range, reserve: int) -> tuple[list[Present], Luck]:
        """Presents and luck of a chunk, drawn now if they were not before."""
        first, s, how = members.start, self.situation, self.how
        if first not in self.presents:
            presents, luck = drawn(s, how, members, reserve=reserve)
            self.presents[first] = presents
            if first < LUCK_KEPT and reserve == RESERVE:
                self.luck[first] = luck
            return presents, luck
        presents = self.presents[first]
        kept = self.luck.get(first) if reserve == RESERVE else None
        return presents, kept or luck_of(s, how, members, presents, reserve=reserve)


_moments: OrderedDict[str, _Moment] = OrderedDict()
"""Of this process, by key, the one asked about last at the end."""


def begin(key: str, situation: Situation, how: Run, usual: Scenario) -> None:
    """Hear of a moment; `usual` is the scenario that others are compared with."""
    politely()
    _moments[key] = _Moment(situation, how, usual)
    while len(_moments) > MOMENTS:
        _moments.popitem(last=False)


def as_usual(key: str, members: range) -> Told:
    """A chunk of members as usual; what is drawn for it is kept. Raises NotKeptError for a moment not heard of."""
    moment = _kept(key)
    return _told(moment, moment.usual, members)


def under(key: str, scenario: Scenario, members: range) -> Told:
    """The same members under a scenario; raises NotKeptError for a moment not heard of."""
    return _told(_kept(key), scenario, members)


def _kept(key: str) -> _Moment:
    if key not in _moments:
        raise NotKeptError(key)
    _moments.move_to_end(key)
    return _moments[key]


def _told(moment: _Moment, scenario: Scenario, members: range) -> Told:
    s, how = moment.situation, moment.how
    setting = applied_to(s, scenario, how)
    presents, luck = moment.drawn(members, reserve_of([setting]))
    [ran] = run_drawn(s, {scenario.name: setting}, how, members, presents, luck).values()
    return {name: packed(values) for name, values in chosen(ran).items()}


def chosen(measures: Mapping[str, Array]) -> dict[str, Array]:
    """Of members' measures those that are told."""
    out = {name: measures[name] for name in MEASURES if name in measures}
    free = [values for name, values in measures.items() if name.startswith(f"{FREE}:")]
    return {**out, FREE: np.sum(free, axis=0)} if free else out


@cache
def politely() -> None:
    """Give way to the processes that make the forecast, in the thread that runs members; never in the house's own."""
    if parent_process() is not None:
        os.nice(POLITE)
