"""What an answer of what-if says, in one sentence; the names of what it is about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import isfinite

import numpy as np

from dashboard.words import Reader
from forecast.whatif_view import FREE, AnswerView, Array, ComparedView

MEASURES = ("ed_census", "ed_waiting", "ed_boarders", FREE)
"""What charts and the sentence may be about, in the order of the tabs."""
GOOD_WHEN_MORE = frozenset({FREE, "ed_departures"})
SENTENCE_LEADS_MIN = (120, 240, 360, 480, 720, 960, 1200, 1440)
"""Of these the sentence speaks of the one at which the change is clearest."""


@dataclass(frozen=True)
class Effect:
    """The difference in one measure at one lead: mean, 80 % interval, and how often it is less or more."""

    lead_min: int
    mean: float
    low: float
    high: float
    p_less: float
    p_more: float

    @property
    def is_known(self) -> bool:
        """Whether the measure exists there."""
        return isfinite(self.mean)

    @property
    def clearness(self) -> float:
        """How far from nothing, in widths of its interval."""
        return abs(self.mean) / (self.high - self.low + 1.0) if self.is_known else -1.0

    @property
    def is_nothing(self) -> bool:
        """No run in which anything differs."""
        return self.p_less == self.p_more == 0.0


def effects(found: ComparedView, lead_min: Array, leads: Sequence[int]) -> list[Effect]:
    """The differences at some leads; those beyond the horizon are left out."""
    at = [(lead, int(place[0])) for lead in leads if (place := np.flatnonzero(lead_min == lead)).size]
    d = found.difference
    return [
        Effect(
            lead, float(d.mean[i]), float(d.quantiles[0.1][i]), float(d.quantiles[0.9][i]), float(found.p_less[i]),
            float(found.p_more[i]),
        )
        for lead, i in at
    ]  # fmt: skip


def measure_name(measure: str, reader: Reader) -> str:
    """Its name on tabs and in the table."""
    return {
        "ed_census": reader.say("Present"),
        "ed_waiting": reader.say("Waiting"),
        "ed_boarders": reader.say("Waiting for a bed"),
        "ed_departures": reader.say("Departures an hour"),
        "ed_arrivals": reader.say("Arrivals an hour"),
        FREE: reader.say("Free ward beds"),
    }.get(measure, measure)


def sentence(answer: AnswerView, measure: str, reader: Reader) -> str:
    """What changes in a measure, where it is clearest: how many fewer or more, when, and how often."""
    found = answer.measures.get(measure)
    told = [] if found is None else effects(found, answer.lead_min, SENTENCE_LEADS_MIN)
    if not any(effect.is_known for effect in told):
        return reader.say("The data do not tell this here.")
    at = max(told, key=lambda effect: effect.clearness)
    if max(at.p_less, at.p_more) < 0.005:
        return reader.say("Nothing changes here.")
    when = reader.clock(answer.as_of + timedelta(minutes=at.lead_min))
    if abs(at.mean) < 0.05 and round(at.low) == round(at.high) == 0:
        return reader.say("Hardly anything changes here: less than one patient in ten either way.")
    return _changed(at, measure, when, reader)


def _changed(at: Effect, measure: str, when: str, reader: Reader) -> str:
    """With the interval where it lies on one side of nothing, else on average."""
    fewer = at.mean < 0
    told = {
        "what": _of_whom(measure, reader), "time": when,
        "share": _in_ten(at.p_less if fewer else at.p_more, reader),
    }  # fmt: skip
    near, far = sorted((abs(round(at.low)), abs(round(at.high))))
    if round(at.low) * round(at.high) >= 0 and far:
        ends = reader.say("{low} to {high}", low=reader.number(near), high=reader.number(far))
        told["amount"] = reader.number(far) if near == far else ends
        if fewer:
            return reader.say("{amount} fewer {what} at {time}, fewer {share}.", **told)
        return reader.say("{amount} more {what} at {time}, more {share}.", **told)
    told["mean"] = reader.number(abs(at.mean), 1)
    if fewer:
        return reader.say("On average {mean} fewer {what} at {time}, fewer {share}.", **told)
    return reader.say("On average {mean} more {what} at {time}, more {share}.", **told)


def _of_whom(measure: str, reader: Reader) -> str:
    return {
        "ed_census": reader.say("patients present"),
        "ed_waiting": reader.say("patients waiting"),
        "ed_boarders": reader.say("patients waiting for a bed"),
        FREE: reader.say("ward beds free"),
    }.get(measure, measure)


def _in_ten(share: float, reader: Reader) -> str:
    """A chance as so many times in ten."""
    tenths = round(10 * share)
    if share > 0.985:
        return reader.say("almost always")
    if tenths == 0:
        return reader.say("hardly ever")
    return reader.say("{n} times in 10", n=reader.number(min(tenths, 9 if share < 0.95 else 10)))
