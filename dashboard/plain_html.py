"""Panels as plain HTML: the same components that Dash draws with scripts, written out for a page that has none.

The phone's page shows the wall's own panels, so that nothing is said twice; it needs neither Dash nor its scripts in
the browser. What a component looks like is left to the style sheets.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

from dash.development.base_component import Component

_ATTRIBUTES = {
    "className": "class",
    "htmlFor": "for",
    "colSpan": "colspan",
    "rowSpan": "rowspan",
    "dateTime": "datetime",
}
_PLAIN = (
    "id",
    "href",
    "lang",
    "role",
    "title",
    "scope",
    "type",
    "hidden",
    "open",
    "name",
    "value",
    "method",
    "action",
    "selected",
    "disabled",
)
_ALONE = ("br", "hr", "img", "input")
_MANTINE = {
    "Text": "p", "Paper": "div", "Badge": "span", "Table": "table", "TableThead": "thead", "TableTbody": "tbody",
    "TableTr": "tr", "TableTh": "th", "TableTd": "td",
}  # fmt: skip


class Markup(str):
    """HTML that is written out as it stands: a picture made here, such as a chart in SVG."""

    __slots__ = ()


def rendered(content: Any) -> str:
    """A component, a text, or a list of them, as HTML. Raises TypeError for a component that needs a script."""
    if content is None:
        return ""
    if isinstance(content, Markup):
        return str(content)
    if isinstance(content, Sequence) and not isinstance(content, str):
        return "".join(map(rendered, content))
    if not isinstance(content, Component):
        return escape(str(content), quote=False)
    told = content.to_plotly_json()
    kind, props = told["type"], dict(told["props"])
    if told["namespace"] == "dash_html_components":
        return _element(kind.lower(), props)
    write = _WRITTEN.get(kind)
    if told["namespace"] != "dash_mantine_components" or write is None:
        raise TypeError(f"a page without scripts must be of plain components, but has {told['namespace']}.{kind}")
    return write(props)


def _element(tag: str, props: Mapping[str, Any]) -> str:
    inside = "" if tag in _ALONE else f"{rendered(props.get('children'))}</{tag}>"
    return f"<{tag}{_attributes(props)}>{inside}"


def _attributes(props: Mapping[str, Any]) -> str:
    """In the order of their names: equal pages are equal texts."""
    named = {_ATTRIBUTES.get(name, name): value for name, value in props.items()}
    known = (name for name in named if name in _PLAIN or name in _ATTRIBUTES.values() or name[:5] in ("data-", "aria-"))
    told = ((name, named[name]) for name in sorted(known) if named[name] is not None and named[name] is not False)
    return "".join(f" {name}" if value is True else f' {name}="{escape(str(value))}"' for name, value in told)


def _title(props: Mapping[str, Any]) -> str:
    return _element(f"h{props.get('order', 1)}", props)


def _alert(props: Mapping[str, Any]) -> str:
    return _element("div", {**props, "role": "alert", "title": None})


def _progress(props: Mapping[str, Any]) -> str:
    """A bar: what it stands for is said beside it."""
    share = min(max(float(props.get("value") or 0.0), 0.0), 100.0)
    box = 'viewBox="0 0 100 1" preserveAspectRatio="none"'
    bar = Markup(f'<svg class="filled" {box}><rect width="{share:.0f}" height="1"/></svg>')
    return _element("div", {"className": props.get("className"), "aria-hidden": "true", "children": bar})


def _cell(tag: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda props: _element(tag, {**props, **(props.get("tableProps") or {})})


_WRITTEN: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    **{kind: _cell(tag) for kind, tag in _MANTINE.items()},
    "Title": _title, "Alert": _alert, "Progress": _progress,
}  # fmt: skip
