"""Questions that readers ask of the event classes: which fields, which words, which of them a must."""

from __future__ import annotations

from dataclasses import MISSING, fields
from functools import cache
from typing import get_type_hints

from ingest.events import BY_KIND, COMMON_FIELDS, choices


@cache
def fields_of(kind: str, *, required: bool = False) -> tuple[str, ...]:
    """The fields of a kind of event beyond those all have and `visit`; only those without a default if `required`."""
    own = (f for f in fields(BY_KIND[kind]) if f.name not in (*COMMON_FIELDS, "visit"))
    return tuple(f.name for f in own if not required or f.default is MISSING)


@cache
def allowed_values(kind: str, field: str) -> tuple[str, ...]:
    """The words that a field may hold; empty where any text may stand."""
    return choices(get_type_hints(BY_KIND[kind])[field])
