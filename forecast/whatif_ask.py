"""What-if as its page sees it: what can be asked here, a question, its answer, and what becomes of it.

`Asking` puts together the engine (`WhatIf`), the sliders, the catalogue with what was saved, and the desk where there
is one. It checks whatever comes from outside; what it refuses comes as a QuestionError, a sentence for each language.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from forecast.errors import QuestionError
from forecast.own_scenarios import OwnScenarios
from forecast.values import Series
from forecast.whatif import Answer, Compared, Ground
from forecast.whatif_levers import Lever, Question, levers_of, scenario_of
from forecast.whatif_queue import Standing, WhatIf
from forecast.whatif_view import AnswerView, ComparedView, Curve, StandingView
from twin.scenarios import Scenario


class Desk(Protocol):
    """Where a scenario is proposed, for others to see and a manager to decide."""

    def propose(self, who: str, words: str, scenario: Scenario, as_of: datetime, varies: str | None = None) -> str:
        """Hand a scenario in, a variation of another proposal perhaps; its name there. Raises QuestionError where it
        is not taken."""


@dataclass(frozen=True)
class Offer:
    """What can be asked at a moment: the scenarios of the catalogue, and the sliders."""

    presets: tuple[Scenario, ...]
    levers: tuple[Lever, ...]
    as_of: datetime
    zone: str
    first_at: datetime | None = None
    """The first moment of the past that can be asked about; None where none can."""


class Asking:
    """What the page of what-if may ask for."""

    def __init__(
        self,
        whatif: WhatIf,
        now: Callable[[], Ground | None],
        catalogue: Callable[[], Mapping[str, Scenario]],
        *,
        own: OwnScenarios | None = None,
        desk: Desk | None = None,
        first_at: Callable[[], datetime | None] = lambda: None,
    ) -> None:
        """`catalogue` gives what is not saved by `own`; `first_at` the first moment that the log can tell of."""
        self._whatif, self._now, self._catalogue = whatif, now, catalogue
        self._own, self.desk, self._first_at = own, desk, first_at
        self._lock = threading.Lock()
        self._levers: tuple[Ground, tuple[Lever, ...]] | None = None

    @property
    def zone(self) -> str:
        """Where the hospital is; UTC before the first forecast."""
        ground = self._now()
        return "UTC" if ground is None else ground.situation.calibration.hospital.zone

    def catalogue(self) -> dict[str, Scenario]:
        """Every scenario by name, those saved last."""
        return {**self._catalogue(), **(self._own.all() if self._own is not None else {})}

    def offer(self) -> Offer | None:
        """What can be asked now; None before the first forecast."""
        ground = self._now()
        if ground is None:
            return None
        zone = ground.situation.calibration.hospital.zone
        usual = ground.usual.name
        presets = tuple(scenario for name, scenario in self.catalogue().items() if name != usual)
        return Offer(presets, self._levers_of(ground), ground.as_of, zone, self._first_at())

    def ask(self, viewer: str, question: Question, at: datetime | None = None) -> Standing:
        """A viewer's question, or how far it is; raises QuestionError for one that cannot be asked here."""
        ground = self._now()
        if ground is None:
            return Standing("waking")
        return self._whatif.ask(viewer, self.scenario(question), at)

    def scenario(self, question: Question) -> Scenario:
        """What a question asks for; raises QuestionError for what cannot be asked here, or before a forecast."""
        ground = self._ground()
        return scenario_of(question, self._levers_of(ground), self.catalogue(), ground.situation, ground.how)

    def save(self, name: str, fr: str, en: str, question: Question, who: str = "") -> Scenario:
        """Keep a question as a scenario of this house; raises QuestionError where it is refused."""
        if self._own is None:
            raise QuestionError("Rien ne peut être gardé ici.", "Nothing can be saved here.")
        return self._own.save(name, fr, en, self.scenario(question), who=who, taken=self.catalogue())

    def propose(self, who: str, words: str, question: Question, varies: str | None = None) -> str:
        """Send a question to the desk; its name there."""
        if self.desk is None:
            raise QuestionError("Il n'y a pas de bureau des propositions ici.", "There is no desk of proposals here.")
        return self.desk.propose(who, words, self.scenario(question), self._ground().as_of, varies)

    def _ground(self) -> Ground:
        ground = self._now()
        if ground is None:
            raise QuestionError("Il n'y a pas encore de prévision.", "There is no forecast yet.")
        return ground

    def _levers_of(self, ground: Ground) -> tuple[Lever, ...]:
        with self._lock:
            if self._levers is None or self._levers[0] is not ground:
                self._levers = ground, levers_of(ground.situation)
            return self._levers[1]


# --- as plain values --------------------------------------------------------------------------------------------------


def as_view(standing: Standing) -> StandingView:
    """How far a question is, as the page shows it."""
    fault, answer = standing.fault, standing.answer
    fr, en = (fault.fr, fault.en) if isinstance(fault, QuestionError) else (str(fault or ""), str(fault or ""))
    return StandingView(standing.state, None if answer is None else _answer(answer), fr, en)


def refusal(fault: QuestionError) -> StandingView:
    """That a question was not as it must be."""
    return StandingView("refused", fault_fr=fault.fr, fault_en=fault.en)


def _answer(answer: Answer) -> AnswerView:
    why = answer.why_not or {}
    return AnswerView(
        answer.scenario.sentence("fr"), answer.scenario.sentence("en"), answer.as_of, answer.lead_min,
        {name: _compared(found) for name, found in answer.measures.items()}, answer.members, answer.of,
        why.get("fr"), why.get("en"),
    )  # fmt: skip


def _compared(found: Compared) -> ComparedView:
    usual, changed, difference = map(_curve, (found.usual, found.changed, found.difference))
    return ComparedView(usual, changed, difference, found.p_less, found.p_more, found.error)


def _curve(told: Series) -> Curve:
    return Curve(told.mean, told.quantiles)
