"""The past told again: learned when it is due, and the same whatever came to be known later."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from forecast.past import Past, grid_start
from forecast.retold import Then, retold
from ingest.log import EventLog
from tests.histories import NOON, Remembered, calibration, fingerprint, log_of, other_log, told, whole_log
from twin.calibrate import Calibration
from twin.memory import Memory
from twin.state import State

HOUR = timedelta(hours=1)
TIMES = [NOON + k * HOUR for k in range(-12, 1, 3)]


def learn(_: State, as_of: datetime) -> Calibration:
    return replace(calibration(), as_of=as_of)


def again(memory: Memory, every: timedelta = 24 * HOUR) -> Iterator[Then]:
    return retold(memory, learn, Past(grid_start(TIMES[0], days=7)), TIMES, every)


def learned_anew(every: timedelta) -> list[datetime]:
    told = list(again(Remembered(whole_log()), every))
    assert [then.situation.as_of for then in told] == TIMES
    assert all(then.situation.calibration.as_of <= then.situation.as_of for then in told)
    return [then.situation.as_of for then in told if then.is_learned_anew]


def test_parameters_are_learned_for_the_first_and_whenever_they_are_due() -> None:
    assert learned_anew(24 * HOUR) == TIMES[:1]
    assert learned_anew(6 * HOUR) == TIMES[::2]
    assert learned_anew(timedelta(0)) == TIMES


class Foresighted(Remembered):
    """The mutant: at every instant it knows what is known three hours later."""

    def at(self, known_at: datetime) -> State:
        return super().at(known_at + 3 * HOUR)


def knows_its_future(memory: type[Memory]) -> bool:
    """The other log is the same up to noon, and has another future."""

    def known(log: EventLog) -> str:
        return fingerprint([(then.situation, then.history, then.now) for then in again(memory(log))])

    return known(whole_log()) != known(other_log())


def test_nothing_is_known_of_what_came_later() -> None:
    assert not knows_its_future(Remembered)
    assert knows_its_future(Foresighted)


def test_a_house_that_starts_again_from_a_snapshot_prepares_the_same() -> None:
    """A state that was read holds its visits in another order than one that was followed."""

    def situations(memory: Memory) -> list[str]:
        return [fingerprint(then.situation) for then in again(memory)]

    log = log_of(told().events)
    followed = situations(Memory(log))
    Memory(log, saves=True).at(TIMES[0] - HOUR)
    assert situations(Memory(log)) == followed
