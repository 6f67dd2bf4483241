"""Hypothesis strategies for events: of any kind, with any value that the vocabulary allows."""

from __future__ import annotations

from dataclasses import MISSING, fields
from datetime import UTC, datetime
from typing import Any, get_args, get_type_hints

from hypothesis import strategies as st

from ingest.events import EVENT_CLASSES, Event, choices

FIRST = datetime(1990, 1, 1)
LAST = datetime(2060, 1, 1)


def instants(first: datetime = FIRST, last: datetime = LAST) -> st.SearchStrategy[datetime]:
    """Aware UTC instants with microseconds."""
    return st.datetimes(min_value=first, max_value=last, timezones=st.just(UTC))


def names() -> st.SearchStrategy[str]:
    """Ids and names: few, so that they meet again, and odd ones among them."""
    return st.sampled_from(["a", "b", "Ward É", "x/1", "'", "\x1f", "", "\U0001f691 0"])


def events(*kinds: type[Event], **fixed: st.SearchStrategy[Any]) -> st.SearchStrategy[Event]:
    """Events of the given kinds (all if none is given); `fixed` are strategies for fields by name."""
    return st.one_of([_of(cls, fixed) for cls in kinds or EVENT_CLASSES])


def _of(cls: type[Event], fixed: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[Event]:
    hints = get_type_hints(cls)
    by_field = {}
    for field in fields(cls):
        some = fixed.get(field.name, _values(hints[field.name]))
        optional = field.default is None and field.name not in fixed
        by_field[field.name] = st.none() | some if optional else some
    assert all(f.default is not MISSING or f.name in by_field for f in fields(cls))
    return st.builds(cls, **by_field)


def _values(hint: Any) -> st.SearchStrategy[Any]:
    if allowed := choices(hint):
        return st.sampled_from(allowed)
    types = (hint, *get_args(hint))
    if datetime in types:
        return instants()
    if bool in types:
        return st.booleans()
    if int in types:
        return st.integers(-(2**63), 2**63 - 1)
    return names()
