"""What people know, for the page of it: the house's people, and the view that the page shows."""

from __future__ import annotations

from dataclasses import dataclass
from secrets import token_urlsafe

from dashboard.access.acting import acting_person, require
from dashboard.house import House
from dashboard.known_door import KnownDoor
from dashboard.pages.known import KEPT
from forecast.errors import QuestionError
from forecast.known_futures import KnownFutures
from forecast.known_told import Known, Told
from forecast.known_view import KnownFuture, KnownView
from forecast.loop import Loop
from forecast.people import People, Person
from ingest.clock import Clock
from twin.hospital import Hospital


@dataclass(frozen=True)
class KnownPage:
    """What the page shows, and what people do on it."""

    known: KnownFutures
    people: People
    hospital: Hospital
    mode: str
    clock: Clock

    def say(self, who: str, told: Told) -> int:
        """Keep what somebody says; its number. Raises QuestionError."""
        return self.known.say(self._person(who), told)

    def undo(self, who: str, number: int) -> None:
        """Strike out what was said. Raises QuestionError."""
        self.known.undo(self._person(who), number)

    def view(self) -> KnownView:
        """What stands, the last first; what is over or undone for a day more."""
        now, choices = self.clock.now(), self.known.choices()
        shown = [
            one
            for one in reversed(self.known.known)
            if now - (one.undone or one.said).noted_at < KEPT or one.told.at > now
        ]
        people = tuple((one.name, one.fr, one.en) for one in self.people.everybody)
        return KnownView(
            now, self.hospital.zone, self.hospital.name, self.mode, choices, people,
            tuple(self._shown(one) for one in shown), bool(choices),
        )  # fmt: skip

    def _person(self, who: str) -> Person:
        require("proposer")
        person = acting_person(self.people, who)
        if person is None:
            fr, en = (", ".join(names) for names in zip(*((p.fr, p.en) for p in self.people.everybody), strict=True))
            raise QuestionError(f"Dites qui vous êtes : {fr}.", f"Say who you are: {en}.")
        return person

    def _shown(self, one: Known) -> KnownFuture:
        person = self.people.named(one.said.who)
        fr, en = self._names(one.told.name)
        return KnownFuture(
            one.number, one.told.kind, fr, en, one.told.count, one.said.noted_at, one.told.at,
            person.fr if person else one.said.who, person.en if person else one.said.who,
            one.undone.noted_at if one.undone else None, self.known.counted_since(one),
        )  # fmt: skip

    def _names(self, name: str) -> tuple[str, str]:
        """What the hospital calls a ward, or staff."""
        units = {one.name: (one.fr, one.en) for one in self.hospital.units}
        staff = {one.name: (one.fr, one.en) for one in self.hospital.rosters}
        return {**staff, **units}.get(name, (name, name))


def known_of(house: House, loop: Loop, people: People, mode: str) -> KnownDoor:
    """The page of what is already known, of a running house."""
    known = KnownFutures(house.log, house.database, house.clock, lambda: loop.calibration, lambda: loop.state)
    return KnownDoor(KnownPage(known, people, house.hospital, mode, house.clock), token_urlsafe())
