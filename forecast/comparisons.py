"""The comparisons that pages ask for: begun when somebody looks, refined while they do, from the latest present."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from datetime import datetime
from math import isnan
from urllib.parse import parse_qs

from forecast.compare import Comparison, Effect, comparison, outcomes_by_stage
from forecast.compare_view import ChoiceView, CompareView, CriterionView, EffectView, Named
from forecast.designs import USUAL
from forecast.ensemble import Run
from forecast.lever import no_lever
from forecast.outcome_runs import Outcomes, fault_of
from forecast.points_of_view import Criterion
from forecast.situation import Situation
from forecast.study import Study
from forecast.supplies_further import Furthers
from ingest.clock import Clock
from ingest.errors import EdtwinError
from twin.scenarios import Scenario, carrying, pick

logger = logging.getLogger(__name__)

MOST_CHOSEN = 6
"""Scenarios side by side."""
KEPT = 6
"""Comparisons held at once; the one longest not looked at is given up for a new one."""
FIRST_ANSWER_S = 0.9
"""How long a page waits for the first members."""
_LONGEST = 600
Source = Callable[[], Situation | None]


@dataclass(frozen=True)
class Asked:
    """What a page asks for, from its address: "view=nurses&with=ten_beds_closed,winter_peak"."""

    view: str
    names: tuple[str, ...]


def asked_of(query: str, study: Study, default: Sequence[str]) -> Asked:
    """What an address asks for; what it names that there is not is left out, for pages are not to be trusted."""
    told = parse_qs(query.lstrip("?")[:_LONGEST])
    views = study.points_of_view.views
    view = next((one for one in told.get("view", []) if one in views), next(iter(views)))
    wanted = told["with"][0].split(",") if "with" in told else list(default)
    if "with=" in query and "with" not in told:
        wanted = []
    names = dict.fromkeys(name for name in wanted if name in study.catalogue and name != USUAL)
    return Asked(view, tuple(names)[:MOST_CHOSEN])


@dataclass(eq=False)
class _Work:
    """One comparison under way: what was found so far."""

    situation: Situation
    scenarios: tuple[Scenario, ...]
    found: dict[str, Outcomes] = field(default_factory=dict)
    found_at: datetime | None = None
    fault: str | None = None
    given_up: bool = False
    first: threading.Event = field(default_factory=threading.Event)


class Comparisons:
    """Compares what pages ask for. `source` gives the latest present, None before there is one."""

    def __init__(
        self, study: Study, source: Source, executor: Executor, clock: Clock, how: Run, *,
        mode: str, default: Sequence[str] = (), carried: Callable[[datetime], Sequence[Scenario]] = lambda _: (),
        further: Furthers = lambda _: (),
    ) -> None:  # fmt: skip
        """`carried` is what was adopted by an instant: every scenario has it beside its own changes. `further` is what
        else is known at a situation, such as supplies."""
        self._study, self._source, self._executor, self._clock = study, source, executor, clock
        self._how, self._mode, self._default, self._carried = how, mode, default, carried
        self._further = further
        self._lock = threading.Lock()
        self._works: dict[tuple[str, ...], _Work] = {}

    def view(self, query: str) -> CompareView:
        """The page that an address asks for, as far as it is known; waits a moment for the first answer."""
        asked = asked_of(query, self._study, self._default)
        situation = self._source()
        empty = self._empty(asked, situation)
        names = [choice.name for choice in empty.choices if choice.chosen and choice.why_not_en is None]
        if situation is None or not names:
            return empty
        work = self._work(tuple(names), pick(self._study.catalogue, names), situation)
        work.first.wait(FIRST_ANSWER_S)
        return _told(empty, work, self._study, asked.view)

    def of(self, scenarios: Sequence[Scenario], query: str) -> CompareView:
        """Scenarios that are in no catalogue, from the point of view that an address asks for; does not wait."""
        asked = asked_of(query, self._study, ())
        situation = self._source()
        empty = self._empty(asked, situation)
        faults = {one.name: self._fault(one, situation) for one in scenarios}
        choices = tuple(_choice(one, situation, chosen=True, fault=faults[one.name]) for one in scenarios)
        empty = replace(empty, choices=choices)
        scenarios = [one for one in scenarios if faults[one.name] is None]
        if situation is None or not scenarios:
            return empty
        key = tuple(f"{one.name} {one.changes}" for one in scenarios)
        return _told(empty, self._work(key, scenarios, situation), self._study, asked.view)

    def _empty(self, asked: Asked, situation: Situation | None) -> CompareView:
        """What can be chosen, before anything is compared."""
        study, hospital = self._study, self._study.hospital
        choices = tuple(
            _choice(one, situation, chosen=name in asked.names)
            for name, one in study.catalogue.items() if name != USUAL
        )  # fmt: skip
        views = tuple(Named(one.name, one.fr, one.en) for one in study.points_of_view.views.values())
        as_of = situation.as_of if situation else None
        return CompareView(
            made_at=as_of or self._clock.now(), zone=hospital.zone, hospital=hospital.name, mode=self._mode,
            views=views, view=asked.view, choices=choices, as_of=as_of, hours=self._how.horizon_min / 60,
            of=self._how.members,
        )  # fmt: skip

    def _fault(self, scenario: Scenario, situation: Situation | None) -> str | None:
        """Why a scenario cannot be run beside what was adopted; None where it can."""
        if situation is None:
            return None
        return fault_of(situation, carrying(scenario, self._carried(situation.as_of)), self._how)

    def _work(self, names: tuple[str, ...], scenarios: Sequence[Scenario], situation: Situation) -> _Work:
        """The comparison of some scenarios from a present: the one under way, or a new one; the last looked at last."""
        carried = self._carried(situation.as_of)
        names = (*names, *(f"{one.name} {one.changes}" for one in carried))
        with self._lock:
            work = self._works.pop(names, None)
            if work is None or work.situation is not situation:
                if work is not None:
                    work.given_up = True
                [usual] = pick(self._study.catalogue, [USUAL])
                work = _Work(situation, tuple(carrying(one, carried) for one in (usual, *scenarios)))
                threading.Thread(target=self._run, args=(work,), name="comparison", daemon=True).start()
            self._works[names] = work
            while len(self._works) > KEPT:
                self._works.pop(next(iter(self._works))).given_up = True
        return work

    def _run(self, work: _Work) -> None:
        try:
            stages = outcomes_by_stage(
                work.situation, work.scenarios, self._how,
                replace(self._study.wanted, further=self._further(work.situation)), executor=self._executor,
            )  # fmt: skip
            for found in stages:
                work.found, work.found_at = found, self._clock.now()
                work.first.set()
                if work.given_up:
                    stages.close()
                    return
        except EdtwinError as fault:
            work.fault = str(fault)
        except Exception as fault:  # the page says so; the house goes on
            if not work.given_up:
                logger.exception("a comparison failed")
            work.fault = type(fault).__name__
        finally:
            work.first.set()


def _choice(scenario: Scenario, situation: Situation | None, *, chosen: bool, fault: str | None = None) -> ChoiceView:
    why_fr, why_en = (
        (fault, fault) if situation is None or fault is not None
        else (no_lever(situation, scenario, "fr"), no_lever(situation, scenario, "en"))
    )  # fmt: skip
    return ChoiceView(scenario.name, scenario.sentence("fr"), scenario.sentence("en"), chosen, why_fr, why_en)


def _told(empty: CompareView, work: _Work, study: Study, view: str) -> CompareView:
    """The page with what was found so far."""
    if not work.found or work.found_at is None:
        return replace(empty, fault=work.fault)
    there = list(next(iter(work.found.values())))
    told = comparison(work.found, study.criteria(there, view=view))
    choices = tuple(
        replace(c, effects=_effects(told, c.name), dominated_by=_by(told, c.name)) if c.name in told.effects else c
        for c in empty.choices
    )  # fmt: skip
    criteria = tuple(criterion_view(one, told.usual_values[one.name]) for one in told.criteria)
    return replace(
        empty, made_at=work.found_at, as_of=work.situation.as_of, choices=choices, criteria=criteria,
        members=told.members, usual_dominated_by=_by(told, told.usual), fault=work.fault,
    )  # fmt: skip


def criterion_view(one: Criterion, usual: float | None = None) -> CriterionView:
    """A criterion as plain values."""
    mean = None if usual is None or isnan(usual) else usual
    return CriterionView(one.name, one.fr, one.en, one.unit_in("fr"), one.unit_in("en"), one.better, mean)


def _effects(told: Comparison, name: str) -> dict[str, EffectView | None]:
    return {criterion: _effect(one) for criterion, one in told.effects[name].items()}


def _effect(one: Effect) -> EffectView | None:
    return EffectView(one.value, one.mean, *one.ci95, one.p_better, one.p_same) if one.n else None


def _by(told: Comparison, name: str) -> tuple[str, ...]:
    """Who dominates it; "" for as usual."""
    return tuple("" if by == told.usual else by for by in told.dominated_by[name])
