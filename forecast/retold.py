"""The past of a log told again, instant by instant: each as it was known then, and nothing that came out later."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from forecast.baselines import History
from forecast.past import Past
from forecast.situation import Situation, situation_of
from twin.calibrate import Calibration
from twin.memory import Memory
from twin.state import State

Learn = Callable[[State, datetime], Calibration]
"""What the log teaches by an instant, from the state as known at it."""


@dataclass(frozen=True)
class Then:
    """What was known at an instant."""

    state: State
    situation: Situation
    history: History
    now: Mapping[str, float]
    """Each measure at the instant."""
    is_learned_anew: bool


def retold(memory: Memory, learn: Learn, past: Past, times: Iterable[datetime], every: timedelta) -> Iterator[Then]:
    """Some instants in order; the parameters are learned anew for the first, and whenever they are `every` old."""
    calibration: Calibration | None = None
    for as_of in times:
        state = memory.at(as_of)
        is_due = calibration is None or as_of - calibration.as_of >= every
        if calibration is None or is_due:
            calibration = learn(state, as_of)
        situation = situation_of(state, calibration, as_of)
        yield Then(state, situation, *past.at(state, situation.known, calibration, as_of), is_due)
