"""Views in which every word that people or feeds may have written is hostile: markup, a script, a template's braces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

HOSTILE = (
    '"><img class=hostile src=x onerror="window.hostile=1"><script>window.hostile=1</script>',
    "<a class='hostile' href='javascript:window.hostile=1'>x</a><svg class=hostile onload=window.hostile=1>",
    "{{7*7}}${7*7}<b class=hostile>&lt;i&gt;\u202e\u0000</b>",
)
"""Each begins elements of this class wherever it is taken for more than text."""


def hostile(view: Any, words: str) -> Any:
    """The view with these words before every text in it that is written for people; codes stay as they are."""
    if is_dataclass(view) and not isinstance(view, type):
        kept = {f.name: getattr(view, f.name) for f in fields(view) if f.init}
        changed = {name: _of_field(name, value, words) for name, value in kept.items()}
        return replace(view, **{name: value for name, value in changed.items() if value is not kept[name]})
    if isinstance(view, tuple) and type(view) is tuple:
        return tuple(hostile(one, words) for one in view)
    if isinstance(view, list):
        return [hostile(one, words) for one in view]
    if isinstance(view, Mapping):
        return {key: hostile(value, words) for key, value in view.items()}
    return words + view if isinstance(view, str) and " " in view else view


def _of_field(name: str, value: Any, words: str) -> Any:
    """Of a field that says by its name that it is for people, whatever it holds."""
    for_people = name.endswith(("_fr", "_en")) or name in ("hospital", "who", "note", "acknowledged_by", "author")
    if for_people and isinstance(value, str):
        return words + value
    return hostile(value, words)
