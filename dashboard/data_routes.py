"""`/data/wall/census.csv` (or `.parquet`): the figures of a chart, as they are drawn at that moment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask, Response, request

from dashboard.charts import Drawn, drawn
from dashboard.data_ways import ADDRESS
from dashboard.tidy import FORMS, MEDIA, WRITERS, Form, file_name
from dashboard.words import LANGUAGES, Reader

ViewOf = Callable[[str, str], Any]
"""The view of a page by its name and by what its address asks for; None where there is none yet."""
LONGEST_QUERY = 600


def answer_data(server: Flask, view_of: ViewOf) -> None:
    """Answer what a chart's links ask; what is not there is said in a sentence, in the language of the page."""

    def download(page: str, file: str) -> Response:
        name, _, ending = file.rpartition(".")
        form, chart = next((one for one in FORMS if one == ending), None), drawn(page, name)
        reader = _reader()
        if form is None or chart is None:
            return _said(404, reader.say("There is no such chart. All of them stand at {address}.", address=ADDRESS))
        query = request.query_string.decode("utf-8", "replace")
        if len(query) > LONGEST_QUERY:
            return _said(400, reader.say("This address is too long."))
        view = view_of(page, f"?{query}")
        if view is None:
            return _said(503, reader.say("Its page shows nothing yet."))
        return _file(chart, view, form, reader)

    server.add_url_rule(f"{ADDRESS}/<page>/<file>", "chart-data", download)


def _file(chart: Drawn, view: Any, form: Form, reader: Reader) -> Response:
    part = request.args.get("of", "")
    table = chart.data(view, part) if part in chart.parts(view) else None
    if table is None:
        return _said(404, reader.say("Nothing is drawn now."))
    name = file_name(chart.page, chart.name, part, view.made_at, view.zone, form)
    made = WRITERS[form](table, view.zone)
    return Response(made, mimetype=MEDIA[form], headers={"Content-Disposition": f'attachment; filename="{name}"'})


def _reader() -> Reader:
    asked = request.args.get("lang")
    return Reader(next((one for one in LANGUAGES if one == asked), LANGUAGES[0]), "UTC")


def _said(status: int, words: str) -> Response:
    return Response(f"{words}\n", status, mimetype="text/plain")
