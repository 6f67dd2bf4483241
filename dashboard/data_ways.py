"""The ways from a chart to its figures: a word, CSV, Parquet."""

from __future__ import annotations

from base64 import b64encode
from datetime import datetime
from urllib.parse import urlencode

from dash import html
from dash.development.base_component import Component

from dashboard.tidy import FORMS, MEDIA, WRITERS, Form, Tidy, file_name
from dashboard.words import Reader

WALL = "wall"
"""The name of the page that all others stand beside."""
ADDRESS = "/data"
NAMES: dict[Form, str] = {"csv": "CSV", "parquet": "Parquet"}


def address(page: str, chart: str, form: Form, *, part: str = "", query: str = "") -> str:
    """Where the figures of a chart are had; `part` says which of several, `query` what the page's address asks for."""
    of = urlencode({"of": part}) if part else ""
    asked = "&".join(text for text in (query.removeprefix("?"), of) if text)
    return f"{ADDRESS}/{page}/{chart}.{form}" + (f"?{asked}" if asked else "")


def every_file(reader: Reader) -> str:
    """Where all of them are listed: behind the titles of the wall, which has no room for links."""
    return f"{ADDRESS}?lang={reader.language}"


def data_ways(page: str, chart: str, reader: Reader, *, part: str = "", query: str = "") -> Component:
    """Beside a chart: its figures as files."""
    asked = query or f"?lang={reader.language}"
    links = [(form, address(page, chart, form, part=part, query=asked)) for form in FORMS]
    return _ways([html.A(NAMES[form], href=href, className="data-way") for form, href in links], reader)


def data_here(page: str, chart: str, table: Tidy, made_at: datetime, reader: Reader) -> Component:
    """The same of figures that only this page has: the links carry them."""
    links: list[Component] = []
    for form in FORMS:
        made = b64encode(WRITERS[form](table, reader.zone)).decode()
        name = file_name(page, chart, "", made_at, reader.zone, form)
        href = f"data:{MEDIA[form]};base64,{made}"
        links.append(html.A(NAMES[form], href=href, download=name, className="data-way"))
    return _ways(links, reader)


def _ways(links: list[Component], reader: Reader) -> Component:
    return html.Div([html.Span(reader.say("Data")), *links], className="data-ways")
