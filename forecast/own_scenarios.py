"""Scenarios that people of the house put together and saved: kept in the database, told as a catalogue's file."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa
from pydantic import ValidationError

from forecast.errors import QuestionError
from ingest.clock import Clock
from ingest.database import Database, naive, rows
from twin.scenarios import Scenario, ScenarioEntry

logger = logging.getLogger(__name__)

NAME = re.compile(r"[a-z][a-z0-9_]{1,39}")
LONGEST_SENTENCE, LONGEST_WHO = 300, 80
_ALL = "SELECT name, told FROM own_scenario ORDER BY saved_at, name"
_ADD = "INSERT INTO own_scenario BY NAME SELECT * FROM incoming"
_ROW = pa.schema(
    [("name", pa.string()), ("saved_at", pa.timestamp("us")), ("saved_by", pa.string()), ("told", pa.string())]
)


class OwnScenarios:
    """The saved scenarios of a house."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock

    def all(self) -> dict[str, Scenario]:
        """By name, the first saved first; one of another form than today's is left out, and the log says so."""
        found = {name: _read(name, told) for name, told in rows(self._database.cursor(), _ALL)}
        return {name: scenario for name, scenario in found.items() if scenario is not None}

    def save(
        self, name: str, fr: str, en: str, scenario: Scenario, *, who: str = "", taken: Mapping[str, Scenario]
    ) -> Scenario:
        """Keep a scenario's changes under a name, with a sentence in one language at least.

        `taken` are the names that there are. Raises QuestionError where one of this is not as it must be: nothing
        is kept.
        """
        _check(name, fr, en, who, scenario, taken)
        said = {"fr": _plain(fr.strip() or en.strip()), "en": _plain(en.strip() or fr.strip())}
        told = json.dumps({**said, **scenario.changes}, ensure_ascii=False, allow_nan=False)
        row = {"name": name, "saved_at": naive(self._clock.now()), "saved_by": who.strip(), "told": told}
        with self._database.transaction() as cursor:
            if any(name == known for known, _ in rows(cursor, _ALL)):
                raise _taken(name)
            cursor.register("incoming", pa.Table.from_pylist([row], _ROW))
            cursor.execute(_ADD)
            cursor.unregister("incoming")
        return _made(name, told)


class KnownScenarios(Mapping[str, Scenario]):
    """A catalogue and what was saved beside it, as they are whenever it is looked at; the catalogue's names win."""

    def __init__(self, own: OwnScenarios, catalogue: Mapping[str, Scenario]) -> None:
        self._own, self._catalogue = own, catalogue
        self._seen: dict[str, Scenario] = {}

    def __getitem__(self, name: str) -> Scenario:
        if name in self._catalogue:
            return self._catalogue[name]
        if name not in self._seen:  # what is saved stays as it is
            self._seen = self._own.all()
        return self._seen[name]

    def __iter__(self) -> Iterator[str]:
        self._seen = self._own.all()
        return iter({**self._catalogue, **self._seen})

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _plain(sentence: str) -> str:
    """A sentence in which nothing is to be filled in."""
    return sentence.replace("{", "{{").replace("}", "}}")


def _made(name: str, told: str) -> Scenario:
    plain = json.loads(told)
    return Scenario(name, ScenarioEntry.model_validate(plain), told=plain)


def _read(name: str, told: str) -> Scenario | None:
    try:
        return _made(name, told)
    except (ValueError, ValidationError) as fault:
        logger.warning("the saved scenario %s is of another form and left out: %s", name, type(fault).__name__)
        return None


def _check(name: str, fr: str, en: str, who: str, scenario: Scenario, taken: Mapping[str, Scenario]) -> None:
    if not NAME.fullmatch(name):
        raise QuestionError(
            "Le nom doit avoir 2 à 40 lettres minuscules sans accent, chiffres ou _, et commencer par une lettre.",
            "The name must be 2 to 40 small letters without accents, digits or _, and begin with a letter.",
        )
    if name in taken:
        raise _taken(name)
    if not (fr.strip() or en.strip()):
        raise QuestionError(
            "Il faut une phrase, en français ou en anglais.", "A sentence is needed, in French or in English."
        )
    if max(len(fr), len(en)) > LONGEST_SENTENCE or len(who) > LONGEST_WHO or not (fr + en + who).isprintable():
        raise QuestionError(
            f"Une phrase a {LONGEST_SENTENCE} caractères au plus, qui se lisent tous.",
            f"A sentence has {LONGEST_SENTENCE} characters at most, all of which can be read.",
        )
    if not scenario.changes:
        raise QuestionError("Rien n'y change : il n'y a rien à garder.", "Nothing changes in it: nothing to keep.")


def _taken(name: str) -> QuestionError:
    return QuestionError(
        f"Il y a déjà un scénario {name} : choisissez un autre nom.",
        f"There is a scenario {name} already: choose another name.",
    )


# --- as a file ------------------------------------------------------------------------------------------------------


def as_toml(scenario: Scenario) -> str:
    """The scenario as a catalogue's file has it."""
    told = {"fr": scenario.change.fr, "en": scenario.change.en, **scenario.changes}
    return "\n".join([f"[scenario.{scenario.name}]", *(f"{key} = {_value(value)}" for key, value in told.items())])


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(key)} = {_value(one)}" for key, one in value.items() if one is not None) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(one) for one in value) + "]"
    return repr(value)


def _key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z_]+", key) else json.dumps(key)
