"""The page of the desk: every proposal as it stands, and what the twin says of the open ones, on the same luck."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from forecast.change_words import changes_said
from forecast.compare_view import ChoiceView, CompareView, Named
from forecast.comparisons import Comparisons
from forecast.desk import Desk
from forecast.desk_view import CommentView, DecisionView, DeskView, DoneView, ProposalView
from forecast.people import People
from forecast.proposals import Proposal
from forecast.realised import Effect
from ingest.clock import Clock
from twin.hospital import Hospital
from twin.supply_file import Supplies

SHOWN = 60
"""Proposals on the page: the open ones and the newest of the others; all can be exported."""


class DeskPage:
    """What makes the page; `comparisons` runs the open proposals."""

    def __init__(
        self, desk: Desk, people: People, comparisons: Comparisons, hospital: Hospital, supplies: Supplies,
        clock: Clock, mode: str, faults: Callable[[], Mapping[str, str]] = dict,
    ) -> None:  # fmt: skip
        """`faults` says why the forecast does not carry what it should, by proposal."""
        self._faults = faults
        self._desk, self._people, self._comparisons = desk, people, comparisons
        self._hospital, self._supplies, self._clock, self._mode = hospital, supplies, clock, mode
        self._last: dict[str, ChoiceView] = {}
        self._last_view = ""

    def view(self, query: str) -> DeskView:
        """The page that an address asks for."""
        now, there = self._clock.now(), self._desk.proposals
        open_ = [one for one in there.values() if one.state == "open"]
        compared = self._comparisons.of([one.scenario for one in open_], query)
        choices = self._told(compared)
        shown = sorted(there.values(), key=lambda one: (one.state != "open", -_number(one.name)))[:SHOWN]
        return DeskView(
            made_at=self._made_at(compared.made_at), zone=self._hospital.zone,
            hospital=self._hospital.name, mode=self._mode,
            proposals=tuple(self._card(one, there, choices.get(one.name), now) for one in shown),
            views=compared.views, view=compared.view, criteria=compared.criteria, as_of=compared.as_of,
            hours=compared.hours, members=compared.members, of=compared.of,
            deciders=tuple(_named(p.name, self._people) for p in self._people.everybody if p.may("manager")),
            fault=compared.fault,
        )  # fmt: skip

    def _made_at(self, compared_at: datetime) -> datetime:
        """When what is shown last changed: by the minute, by a comparison, by what people did."""
        minute = self._clock.now().replace(second=0, microsecond=0)
        return max(minute, compared_at, self._desk.changed_at or minute)

    def _told(self, compared: CompareView) -> dict[str, ChoiceView]:
        """What is said of each proposal; while a new comparison has not answered, what the one before said."""
        before = self._last if compared.view == self._last_view else {}
        told = {
            one.name: one if one.effects or one.why_not_en else before.get(one.name, one) for one in compared.choices
        }
        self._last, self._last_view = told, compared.view
        return told

    def _card(
        self, one: Proposal, there: Mapping[str, Proposal], choice: ChoiceView | None, now: datetime
    ) -> ProposalView:
        names = one.shows_names
        author = _named(one.author, self._people) if one.shows_author else None
        comments = tuple(
            CommentView(c.at, _named(c.who, self._people) if names else None, c.words) for c in one.comments
        )
        at = one.decision.at if one.decision else one.proposed_at
        return ProposalView(
            name=one.name, number=_number(one.name), proposed_at=one.proposed_at, author=author, words=one.words,
            changes=tuple(changes_said(one.scenario, self._hospital, self._supplies, at)), state=one.state,
            supporters=len(one.supporters), comments=comments, varies=_number(one.varies) if one.varies else None,
            variations=tuple(_number(n) for n, v in there.items() if v.varies == one.name and v.state == "open"),
            decision=self._decision(one, now), choice=choice, effects=tuple(map(_done, one.effects)),
            window_min=float(one.promise["window_min"]) if one.promise else None,
        )  # fmt: skip

    def _decision(self, one: Proposal, now: datetime) -> DecisionView | None:
        if one.decision is None:
            return None
        d = one.decision
        fault = self._faults().get(one.name)
        carried = one.carried_at(now) is not None
        return DecisionView(d.at, _named(d.who, self._people), d.what, d.reason, d.until, carried, fault)


def _done(one: Effect) -> DoneView:
    return DoneView(one.measure, one.observed, one.without, one.effect, one.foreseen, one.tells)


def _named(name: str, people: People) -> Named:
    person = people.named(name)
    return Named(name, name, name) if person is None else Named(person.name, person.fr, person.en)


def _number(name: str) -> int:
    return int(name.rpartition("-")[2])
