"""TOML files read into checked values: every fault at once, each with its line.

A configuration value is a frozen pydantic model that forbids unknown keys (`Checked`). `load` reads a file into
one; what is wrong comes as a `ConfigurationError` that names the file, the line, the key, the rule and the value.
"""

from __future__ import annotations

import re
import tomllib
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Self, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from ingest.errors import ConfigurationError, UnreadableInputError
from ingest.events import BOARD


class Checked(BaseModel):
    """A frozen value read from a configuration file; unknown keys are faults."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False, arbitrary_types_allowed=True)


def _not_the_houses_own(name: str) -> str:
    if name == BOARD:
        raise ValueError(f"must not be {BOARD}, which is what people say on the house's own pages")
    return name


SourceName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]+$"), AfterValidator(_not_the_houses_own)]
"""What a source is called, which every event that it tells bears."""

Fault = tuple[tuple[str, ...], str, object]
"""Where in the file, the rule, the value that breaks it."""


class Judged(Checked):
    """A checked value that is also judged as a whole: what no single field can tell, all such faults at once."""

    @classmethod
    def model_validate(cls, obj: Any, **options: Any) -> Self:
        """The value, if every field and the whole are as they must be."""
        whole = super().model_validate(obj, **options)
        details = [
            InitErrorDetails(type=PydanticCustomError("whole", "{rule}", {"rule": rule}), loc=key, input=value)
            for key, rule, value in whole.faults()
        ]
        if details:
            raise ValidationError.from_exception_data(cls.__name__, details)
        return whole

    @abstractmethod
    def faults(self) -> Iterator[Fault]:
        """What contradicts itself."""


T = TypeVar("T", bound=Checked)


def load(path: Path, model: type[T]) -> T:
    """The file as a checked value.

    Raises UnreadableInputError if it cannot be read, ConfigurationError with all faults if it is not as it must be.
    """
    return parse(read(path), model, place=str(path))


def read(path: Path) -> str:
    """The text of a file; raises UnreadableInputError if it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadableInputError(f"{path} cannot be read: {error}") from error


def parse(text: str, model: type[T], *, place: str) -> T:
    """The text of a TOML file as a checked value; `place` names it in errors."""
    return checked(tables(text, place=place), model, text, place=place)


def tables(text: str, *, place: str) -> dict[str, Any]:
    """What a TOML text says, unchecked; raises ConfigurationError where it is not TOML."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError([f"{place}: not valid TOML: {error}"]) from error


def checked(data: Mapping[str, Any], model: type[T], text: str, *, place: str) -> T:
    """What a text says, or a part of it, as a checked value; raises ConfigurationError with every fault's line."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        lines = _lines_of_keys(text)
        raise ConfigurationError([_fault(e, place, lines, model) for e in _told(error.errors())]) from error


def _told(errors: Sequence[Any]) -> list[Any]:
    """The errors without those that only follow from others: a list is not too short because a part of it is wrong."""
    places = [tuple(error["loc"]) for error in errors]
    follows = [
        error["type"] == "too_short" and any(p != loc and p[: len(loc)] == loc for p in places)
        for error, loc in zip(errors, places, strict=True)
    ]
    return [error for error, it_follows in zip(errors, follows, strict=True) if not it_follows]


def _fault(error: Any, place: str, lines: dict[tuple[str, ...], int], model: type[BaseModel]) -> str:
    key = tuple(str(part) for part in error["loc"])
    where = f"{place}:{_line_of(key, lines)}: {'.'.join(key) or 'file'}"
    if error["type"] == "extra_forbidden":
        return f"{where}: unknown key{_hint(key[-1], _siblings(model, error['loc'][:-1]))}"
    if error["type"] == "missing":
        return f"{where}: is missing"
    rule = plain(str(error["msg"]).removeprefix("Value error, "))
    shown = "" if isinstance(error["input"], dict) else f", but is {error['input']!r}"
    return f"{where}: {rule[:1].lower()}{rule[1:]}{shown}"


_PLAIN = (
    (r"^Input tag (.+) found using '(\w+)' does not match .* tags: (.*)", r"\2 must be one of \3, but is \1"),
    (r"^Input should be ", "must be "),
    (r"a valid integer(, (unable to parse|got a number).*)?", "a whole number"),
    (r"a valid number(, unable to parse string as a number)?", "a number"),
    (r"a valid string", 'a text in "quotes"'),
    (r"a valid boolean(, unable to interpret input)?", "true or false"),
    (r"a valid (dictionary|tuple|list)|a valid dictionary or instance of \w+", "a table or list of its own"),
    (r"greater than or equal to (\S+)", r"\1 or more"),
    (r"less than or equal to (\S+)", r"\1 or less"),
    (r"greater than (\S+)", r"more than \1"),
    (r"less than (\S+)", r"less than \1"),
)
"""What pydantic says, and how it is said here."""


def plain(rule: str) -> str:
    """A rule in words that need no programmer."""
    for pattern, words in _PLAIN:
        rule = re.sub(pattern, words, rule)
    return rule


def line_of(key: tuple[str, ...], text: str) -> int:
    """The line of a TOML text where a key stands, or else the table that it would stand in; 1 where there is none."""
    return _line_of(key, _lines_of_keys(text))


def _hint(name: str, allowed: Sequence[str]) -> str:
    near = get_close_matches(name, allowed, n=1)
    likely = f", likely a typo for {near[0]}" if near else ""
    return f"{likely}; allowed keys are {', '.join(allowed)}" if allowed else likely


def _siblings(model: type[BaseModel], loc: Sequence[str | int]) -> list[str]:
    """The keys that are allowed at a place, as far as models say."""
    here: Any = model
    for part in loc:
        if isinstance(here, type) and issubclass(here, BaseModel) and part in here.model_fields:
            here = _innermost_model(here.model_fields[str(part)].annotation)
        elif not (isinstance(here, type) and issubclass(here, BaseModel)):
            return []
    return list(here.model_fields) if isinstance(here, type) and issubclass(here, BaseModel) else []


def _innermost_model(annotation: Any) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for part in getattr(annotation, "__args__", ()):
        found = _innermost_model(part)
        if found is not None:
            return found
    return None


_HEADER = re.compile(r"^\s*\[\[?\s*([^\]]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"""^\s*((?:"[^"]+"|'[^']+'|[A-Za-z0-9_-]+)(?:\s*\.\s*(?:"[^"]+"|'[^']+'|[A-Za-z0-9_-]+))*)\s*=""")
_PART = re.compile(r""""([^"]+)"|'([^']+)'|([A-Za-z0-9_-]+)""")


def _lines_of_keys(text: str) -> dict[tuple[str, ...], int]:
    """Where each key of a TOML text stands, 1 for the first line; tables of arrays carry their index."""
    lines: dict[tuple[str, ...], int] = {}
    table: tuple[str, ...] = ()
    counts: dict[tuple[str, ...], int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            table = _parts(header.group(1))
            if line.lstrip().startswith("[["):
                counts[table] = counts.get(table, -1) + 1
                table = (*table, str(counts[table]))
            lines.setdefault(table, number)
        elif key := _KEY.match(line):
            lines.setdefault((*table, *_parts(key.group(1))), number)
    return lines


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(next(part for part in match if part) for match in _PART.findall(dotted))


def _line_of(key: tuple[str, ...], lines: dict[tuple[str, ...], int]) -> int:
    for length in range(len(key), 0, -1):
        if key[:length] in lines:
            return lines[key[:length]]
    return 1
