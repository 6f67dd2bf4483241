"""How an extract is read: which column holds what, from a TOML file.

`wide` extracts have one row a visit, with a column for each milestone; `long` ones have one row an event. A value is
kept only if the mapping names it or the vocabulary holds it: whatever else a column says never reaches the disk.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

from ingest.configuration import parse
from ingest.errors import UnreadableInputError
from ingest.long_mapping import LongMapping
from ingest.mapping_parts import ExtractFormat
from ingest.wide_mapping import WideMapping

SHIPPED = Path(__file__).with_name("mappings")
"""The folder of the mappings that come with the house."""


def find_mapping(name: str) -> Path:
    """The file of that path, else the shipped mapping of that name ("sepsis"). Raises UnreadableInputError."""
    shipped = SHIPPED / f"{name}.toml"
    if Path(name).exists() or not shipped.exists():
        return _existing(Path(name))
    return shipped


def _existing(path: Path) -> Path:
    if not path.exists():
        names = ", ".join(sorted(shipped.stem for shipped in SHIPPED.glob("*.toml")))
        raise UnreadableInputError(f"{path} is neither a file nor one of the shipped mappings {names}")
    return path


def load_mapping(path: Path, *, expected: ExtractFormat | None = None) -> WideMapping | LongMapping:
    """The mapping in a TOML file; `expected` is the format that the user stated.

    Raises UnreadableInputError if it cannot be read, ConfigurationError with all faults, each with its line.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadableInputError(f"{path} cannot be read: {error}") from error
    return parse_mapping(text, place=str(path), expected=expected)


def parse_mapping(
    text: str, *, place: str = "mapping", expected: ExtractFormat | None = None
) -> WideMapping | LongMapping:
    """The mapping in a text; `place` names it in errors."""
    model: type[WideMapping | LongMapping] = LongMapping if _stated_format(text) == "long" else WideMapping
    mapping = parse(text, model, place=place)
    if expected is not None and mapping.source.format != expected:
        raise UnreadableInputError(f"{place}: the mapping is for {mapping.source.format} extracts, not for {expected}")
    return mapping.placed(place, text)


def _stated_format(text: str) -> str | None:
    """What the text says of its format, as far as it can be read; its faults are told by `parse`."""
    try:
        source = tomllib.loads(text).get("source")
    except tomllib.TOMLDecodeError:
        return None
    return source.get("format") if isinstance(source, dict) else None
