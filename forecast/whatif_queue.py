"""Who asks what-if, and in which turn they are answered: one question a viewer, a bounded number of viewers.

A question is answered chunk by chunk; between two chunks the next viewer has a turn, so that each has a first answer
soon, whoever came before. A viewer's newer question takes the place of the older one, which is not run any further.
While nobody asks, the members of now are run as usual, ahead of the first question.

    whatif = WhatIf(workers, grounds)
    whatif.start()
    standing = whatif.ask("viewer 1", scenario)      # returns at once; ask the same again to see how far it is
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Executor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Literal

from forecast.errors import ForecastError
from forecast.whatif import Answer, Ground, Grounds, Many, Session
from forecast.whatif_draws import NotKeptError, as_usual, begin, under
from forecast.whatif_moments import Moments
from ingest.errors import EdtwinError
from twin.scenarios import Scenario

logger = logging.getLogger(__name__)

VIEWERS = 16
"""Viewers whose questions may wait at once."""
REMEMBERED = 64
"""Viewers whose last answer is kept."""
SESSIONS = 4
"""Moments whose members as usual are kept, that of now among them."""
LOOK_S = 0.5
"""How often it is looked whether a new forecast is there, while nobody asks."""
_TRIES = 3
State = Literal["waking", "rebuilding", "full", "asked", "failed"]


@dataclass(frozen=True)
class Standing:
    """How far a viewer's question is.

    `waking`: no forecast is there yet; `rebuilding`: the moment is being made; `full`: too many ask, it was not taken;
    `asked`: it is answered, from the first answer on with `answer`; `failed`: it cannot be, `fault` says why.
    """

    state: State
    answer: Answer | None = None
    fault: EdtwinError | None = None


@dataclass(eq=False)
class _Asked:
    """A viewer's question and what has come of it."""

    scenario: Scenario
    session: Session
    changed: Many
    answer: Answer | None = None
    fault: EdtwinError | None = None

    @property
    def is_over(self) -> bool:
        return self.fault is not None or self.changed.count >= self.session.ground.how.members


class WhatIf:
    """Answers questions in a thread of its own; members run in `workers`, which it does not own."""

    def __init__(
        self, workers: Executor, now: Grounds, moments: Moments | None = None, *, viewers: int = VIEWERS
    ) -> None:
        """`now` gives the ground of the newest forecast, `moments` those of the past."""
        self._workers, self._now, self._moments, self._viewers = workers, now, moments, viewers
        self._changed = threading.Condition()
        self._asked: OrderedDict[str, _Asked] = OrderedDict()
        """By viewer; whose turn is next stands first."""
        self._sessions: OrderedDict[str, Session] = OrderedDict()
        self._is_over = False
        self._thread = threading.Thread(target=self._run, name="what-if", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, timeout_s: float | None = None) -> None:
        """No further chunk; the one that runs is waited for."""
        with self._changed:
            self._is_over = True
            self._changed.notify_all()
        if self._thread.ident is not None:
            self._thread.join(timeout_s)

    def ask(self, viewer: str, scenario: Scenario, at: datetime | None = None) -> Standing:
        """Ask what a scenario would change from now, or from a past moment on; or how far that question is."""
        try:
            ground = self._ground(at)
        except EdtwinError as fault:
            return Standing("failed", fault=fault)
        if ground is None:
            return Standing("waking" if at is None else "rebuilding")
        with self._changed:
            mine = self._asked.get(viewer)
            if mine is None or mine.scenario != scenario or mine.session.ground.key != ground.key:
                waiting = sum(not one.is_over for name, one in self._asked.items() if name != viewer)
                if waiting >= self._viewers:
                    return Standing("full")
                mine = self._taken(viewer, scenario, ground)
            return Standing("failed" if mine.fault else "asked", mine.answer, mine.fault)

    def _ground(self, at: datetime | None) -> Ground | None:
        if at is None:
            return self._now()
        return self._moments.at(at) if self._moments is not None else None

    def _taken(self, viewer: str, scenario: Scenario, ground: Ground) -> _Asked:
        """The question put in the viewer's place in the turn, instead of the one before."""
        session = self._session(ground)
        mine = self._asked[viewer] = _Asked(scenario, session, Many(ground.how.members))
        for name in list(self._asked)[: max(len(self._asked) - REMEMBERED, 0)]:
            if self._asked[name].is_over and name != viewer:
                del self._asked[name]
        self._changed.notify_all()
        return mine

    def _session(self, ground: Ground) -> Session:
        session = self._sessions.get(ground.key) or Session(ground)
        self._sessions[ground.key] = session
        self._sessions.move_to_end(ground.key)
        while len(self._sessions) > SESSIONS:
            self._sessions.popitem(last=False)
        return session

    # --- the turns --------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        while (work := self._next()) is not None:
            try:
                work()
            except Exception:  # a fault of one question has been told to who asked; anything else must not end this
                if not self._is_over:
                    logger.exception("what-if could not go on")
                    self._pause()

    def _next(self) -> Callable[[], None] | None:
        """What to do next; None at the end."""
        with self._changed:
            while not self._is_over:
                for viewer, mine in self._asked.items():
                    if not mine.is_over:
                        self._asked.move_to_end(viewer)
                        return partial(self._advance, mine)
                session = self._ahead()
                if session is not None:
                    return partial(self._run_as_usual, session)
                self._changed.wait(LOOK_S)
            return None

    def _ahead(self) -> Session | None:
        """The moment of now, while some of its members have not been run."""
        ground = self._now()
        session = self._session(ground) if ground is not None else None
        return session if session is not None and session.next_chunk() is not None else None

    def _pause(self) -> None:
        with self._changed:
            self._changed.wait(LOOK_S)

    def _advance(self, mine: _Asked) -> None:
        """The next chunk of a question; the answer, where a stage is reached."""
        ground = mine.session.ground
        chunk = next(chunk for chunk in ground.chunks() if chunk.start >= mine.changed.count)
        try:
            if mine.session.usual.count < chunk.stop:
                self._run_as_usual(mine.session)
            told = self._in_child(ground, under, ground.begun(mine.scenario), chunk)
            mine.changed.add(told, chunk)
            if chunk.stop in ground.stages():
                mine.answer = mine.session.answer(mine.scenario, mine.changed, chunk.stop)
        except EdtwinError as fault:
            mine.fault = fault
        except Exception as fault:
            mine.fault = ForecastError(type(fault).__name__)
            raise

    def _run_as_usual(self, session: Session) -> None:
        chunk = session.next_chunk()
        if chunk is not None:
            session.usual.add(self._in_child(session.ground, as_usual, chunk), chunk)

    def _in_child(self, ground: Ground, function: Callable[..., Any], *asked: Any) -> Any:
        """What a function gives in the child; one that died is begun anew, and told of the moment."""
        for _ in range(_TRIES - 1):
            try:
                return self._workers.submit(function, ground.key, *asked).result()
            except NotKeptError:
                self._begin(ground)
            except BrokenProcessPool:
                logger.warning("the process that answers what-if died: it is started again")
        return self._workers.submit(function, ground.key, *asked).result()

    def _begin(self, ground: Ground) -> None:
        self._workers.submit(begin, ground.key, ground.situation, ground.longer, ground.begun(ground.usual)).result()
