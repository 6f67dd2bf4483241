"""Panels read as component trees, without a browser: what they say, and under which class."""

from __future__ import annotations

from typing import Any

from dash.development.base_component import Component

from dashboard.words import NBSP, Reader

READER = Reader("en", "Europe/Paris")
FRENCH = Reader("fr", "Europe/Paris")
DOWN, UP, SQUARE, CIRCLE = "▼", "▲", "■", "●"


def children(component: Any) -> list[Any]:
    found = getattr(component, "children", None)
    if found is None:
        return []
    return list(found) if isinstance(found, list | tuple) else [found]


def texts(component: Any) -> list[str]:
    """All that a component says, in reading order, with plain spaces."""
    if isinstance(component, str):
        return [component.replace(NBSP, " ")]
    return [text for child in children(component) for text in texts(child)]


def classes(component: Any) -> list[str]:
    """All class names in a component, in reading order."""
    if not isinstance(component, Component):
        return []
    own = (getattr(component, "className", None) or "").split()
    return [*own, *(name for child in children(component) for name in classes(child))]


def with_class(component: Any, name: str) -> list[Any]:
    """The components in a tree that have a class."""
    if not isinstance(component, Component):
        return []
    own = [component] if name in (getattr(component, "className", None) or "").split() else []
    return own + [found for child in children(component) for found in with_class(child, name)]


def rows(component: Any) -> list[str]:
    """The rows of a table, each as its cells' texts with a bar between."""
    if type(component).__name__ == "TableTr":
        return [" | ".join(" ".join(texts(cell)) for cell in children(component))]
    return [row for child in children(component) for row in rows(child)]
