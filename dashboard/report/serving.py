"""The last report of a back-test, as the house shows it at `/report`."""

from __future__ import annotations

from datetime import UTC, datetime
from html import escape
from pathlib import Path

from flask import Flask, Response, request

from dashboard.theme import FONT, colours
from dashboard.words import LANGUAGES, Reader

ADDRESS = "/report"
COMMAND = "edtwin backtest --report report.html"


FORMS = {"html": "text/html", "json": "application/json"}
"""What a report is downloaded as."""


def answer_report(server: Flask, file: Path) -> None:
    """`/report`: the file as it stands, or how to have one made (404); `/report.html` and `.json` download it."""

    def report() -> Response:
        try:
            return Response(file.read_bytes(), mimetype="text/html")
        except OSError:
            return Response(_none(request.args.get("lang", "")), 404, mimetype="text/html")

    def download(form: str) -> Response:
        if form not in FORMS:
            return Response("a report is downloaded as html or json\n", 404, mimetype="text/plain")
        try:
            made = file.with_suffix(f".{form}").read_bytes()
        except OSError:
            return Response("no back-test has been reported here yet\n", 404, mimetype="text/plain")
        attached = {"Content-Disposition": f'attachment; filename="edtwin-backtest.{form}"'}
        return Response(made, mimetype=FORMS[form], headers=attached)

    server.add_url_rule(ADDRESS, "report", report)
    server.add_url_rule(f"{ADDRESS}.<form>", "report-file", download)


def written_at(file: Path) -> datetime | None:
    """When the last report was written; None where there is none."""
    try:
        return datetime.fromtimestamp(file.stat().st_mtime, UTC)
    except OSError:
        return None


def what_it_shows(reader: Reader) -> str:
    """What the report of a back-test shows, in plain words."""
    return reader.say(
        "It makes the forecasts of a past period again, each from what was known at its time, and shows on one page "
        "how good they were: against simple rules, by hour, on the worst days and why."
    )


def how_to_make(reader: Reader) -> str:
    """Where and when a report can be made; the command stands beside it."""
    return reader.say(
        "No back-test has been reported here yet. The page “Validation” begins one from its button, beside the "
        "forecasts, which go on. Or, while the house is stopped (one process at a time can hold the data; it takes "
        "minutes to an hour), this command:"
    )


def _none(wanted: str) -> str:
    """How to have one made, in the language asked for first."""
    ordered = sorted(LANGUAGES, key=lambda language: language != wanted)
    told = "".join(_how(Reader(language, "UTC"), level) for level, language in enumerate(ordered, start=1))
    c = colours("light")  # as the report itself
    style = (
        f"body{{background:{c['ground']};color:{c['text']};font:1.2rem/1.5 {FONT};max-width:50rem;margin:2rem auto;"
        f"padding:0 1rem}}code{{color:{c['news']};overflow-wrap:anywhere}}a{{color:{c['news']}}}"
    )
    head = (
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>edtwin</title><style>{style}</style>"
    )
    return f'<!DOCTYPE html><html lang="{ordered[0]}"><head>{head}</head><body><main>{told}</main></body></html>'


def _how(reader: Reader, level: int) -> str:
    title = f"<h{level}>{escape(reader.say('Back-test'))}</h{level}>"
    said = escape(how_to_make(reader))
    shows = escape(what_it_shows(reader))
    ways = " · ".join(
        f'<a href="{path}?lang={reader.language}">{escape(name)}</a>'
        for path, name in (
            ("/validation", reader.say("Validation")), ("/trust", reader.say("How good are the forecasts?"))
        )
    )  # fmt: skip
    told = f"{title}<p>{said}<br><code>{COMMAND}</code></p><p>{shows}</p><p>{ways}</p>"
    return f'<section lang="{reader.language}">{told}</section>'
