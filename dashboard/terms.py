"""What the words on the pages mean: a term for each, with its definition, how it is made here, and its source.

    Present   a label: name_of("census", reader) as a component; a tap on it shows the term's definition
    /words    every term; a label is a link to its own, so that it works without script

The terms stand in `terms.toml`. A label that no term explains is a defect that a test finds.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from dash import html
from dash.development.base_component import Component
from flask import Flask, Response, abort, jsonify
from pydantic import BaseModel, ConfigDict, Field

from dashboard.words import LANGUAGES, Reader

FILE = Path(__file__).with_name("terms.toml")
PAGE = "words"
"""The page of all terms, by its address."""
MARK = "term"
"""The class of a label that leads to its term."""


class _Entry(BaseModel):
    """A row of the shipped file; a key that is not known is a fault."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class GroupEntry(_Entry):
    """One `[group.<name>]`."""

    fr: str = Field(min_length=1, max_length=60)
    en: str = Field(min_length=1, max_length=60)


class TermEntry(_Entry):
    """One `[term.<name>]`."""

    group: str
    fr: str = Field(min_length=1, max_length=60)
    en: str = Field(min_length=1, max_length=60)
    is_fr: str = Field(min_length=10, max_length=400)
    is_en: str = Field(min_length=10, max_length=400)
    how_fr: str = Field(min_length=10, max_length=400)
    how_en: str = Field(min_length=10, max_length=400)
    source: str = ""
    """Whose definition it is; empty where it is ours."""


class TermsFile(_Entry):
    """What `terms.toml` says."""

    group: dict[str, GroupEntry]
    term: dict[str, TermEntry]


@dataclass(frozen=True)
class Term:
    """One term in one language."""

    name: str
    title: str
    meaning: str
    how: str
    source: str


@cache
def terms() -> TermsFile:
    """All of them, in the order of the file."""
    return TermsFile.model_validate(tomllib.loads(FILE.read_text(encoding="utf-8")))


def grouped(reader: Reader) -> dict[str, list[Term]]:
    """The terms of each group, under the group's title."""
    told = terms()
    return {
        reader.choice(group.fr, group.en): [
            in_words(term, reader) for term, entry in told.term.items() if entry.group == name
        ]
        for name, group in told.group.items()
    }


def in_words(name: str, reader: Reader) -> Term:
    """One term in the reader's language. Raises KeyError for one that there is not."""
    of = terms().term[name]
    meaning, how = reader.choice(of.is_fr, of.is_en), reader.choice(of.how_fr, of.how_en)
    return Term(name, reader.choice(of.fr, of.en), spaced(meaning, reader), spaced(how, reader), of.source)


def label(name: str, text: str, reader: Reader) -> Component:
    """A label that leads to what it means. Raises KeyError where no term is so called."""
    if name not in terms().term:
        raise KeyError(f"terms.toml has no [term.{name}]")
    return html.A(text, href=f"/{PAGE}?lang={reader.language}#{name}", className=MARK)


def spaced(text: str, reader: Reader) -> str:
    """A text as it is set in French: with a space that does not break before : ; ! ? and within quotation marks."""
    if reader.language != "fr":
        return text
    for sign in (":", ";", "!", "?", "\N{RIGHT-POINTING DOUBLE ANGLE QUOTATION MARK}"):
        text = text.replace(f" {sign}", f"\N{NO-BREAK SPACE}{sign}")
    opening = "\N{LEFT-POINTING DOUBLE ANGLE QUOTATION MARK}"
    return text.replace(f"{opening} ", f"{opening}\N{NO-BREAK SPACE}")


def answer_terms(server: Flask) -> None:
    """`/words/fr.json`, and `en`: every term by its name, and what the window says, for the page's script."""

    def told(language: str) -> Response:
        if language not in LANGUAGES:
            abort(404)
        return jsonify(_told(Reader(language, "UTC")))

    server.add_url_rule("/words/<language>.json", "terms", told)


def _told(reader: Reader) -> Mapping[str, Any]:
    said = {
        "how": reader.say("How it is made here"),
        "source": reader.say("Source"),
        "close": reader.say("Close"),
        "all": reader.say("All words"),
    }
    return {"said": said, "terms": {name: vars(in_words(name, reader)) for name in terms().term}}
