"""Who may do what on the desk: a small port, and the people whom a site names in a file.

A port gives a `Person` for a name; real sign-in stands behind the same port. The embedded one believes who says a name
of the file, which suits a screen that only staff reach; where there is no file, whoever says a name may propose, and
the "manager" decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, Protocol

from pydantic import Field

from ingest.configuration import Checked, load

Role = Literal["proposer", "manager"]
"""A proposer proposes, comments, varies, supports; a manager also decides."""


@dataclass(frozen=True)
class Person:
    """Who acts."""

    name: str
    """By which the log names them; never shown before a proposal is decided, unless its author signs."""
    fr: str
    en: str
    roles: frozenset[Role]

    def may(self, role: Role) -> bool:
        """Has this person the role?"""
        return role in self.roles


class People(Protocol):
    """What knows people."""

    def named(self, name: str) -> Person | None:
        """The person of a name; None where nobody has it."""

    @property
    def everybody(self) -> Sequence[Person]:
        """All whom a page may offer to act as."""


class _PersonEntry(Checked):
    """One `[person.<name>]`."""

    fr: str = Field(min_length=1)
    en: str = Field(min_length=1)
    roles: Annotated[tuple[Role, ...], Field(min_length=1)]


class _PeopleFile(Checked):
    """What a site's file of people may say."""

    person: Annotated[dict[str, _PersonEntry], Field(min_length=1)]


class LocalPeople:
    """Those of a file, by their name or what they are called. Where the site names nobody, who says a name is believed
    and may propose."""

    def __init__(self, people: Sequence[Person], *, believes: bool = False) -> None:
        self._people, self._believes = tuple(people), believes

    def named(self, name: str) -> Person | None:
        """The person of a name; None where nobody has it, or nothing is said."""
        asked = " ".join(name.split())
        for person in self._people:
            if asked.casefold() in (person.name.casefold(), person.fr.casefold(), person.en.casefold()):
                return person
        if not self._believes or not asked or len(asked) > LONGEST_NAME:
            return None
        return Person(asked, asked, asked, frozenset({"proposer"}))

    @property
    def everybody(self) -> Sequence[Person]:
        """All of them, as the file lists them."""
        return self._people


LONGEST_NAME = 80
ANYBODY = LocalPeople(
    [
        Person("staff", "Membre du personnel", "Member of staff", frozenset({"proposer"})),
        Person("manager", "Responsable", "Manager", frozenset({"proposer", "manager"})),
    ],
    believes=True,
)
"""Where a site names nobody."""


def people_of(file: Path | None) -> LocalPeople:
    """The people of a site's file; raises ConfigurationError with every fault and its line."""
    if file is None:
        return ANYBODY
    told = load(file, _PeopleFile).person
    return LocalPeople([Person(name, one.fr, one.en, frozenset(one.roles)) for name, one in told.items()])
