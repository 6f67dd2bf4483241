"""The last report of a back-test, as the house shows it at `/report`."""

from __future__ import annotations

from html import escape
from pathlib import Path

from flask import Flask, Response

from dashboard.words import LANGUAGES, Reader

ADDRESS = "/report"
COMMAND = "edtwin backtest --report report.html"


def answer_report(server: Flask, file: Path) -> None:
    """`/report`: the file as it stands, or how to have one made (404)."""

    def report() -> Response:
        try:
            return Response(file.read_bytes(), mimetype="text/html")
        except OSError:
            return Response(_none(), 404, mimetype="text/html")

    server.add_url_rule(ADDRESS, "report", report)


def _none() -> str:
    told = "".join(_how(Reader(language, "UTC")) for language in LANGUAGES)
    return f'<!DOCTYPE html><html><meta charset="utf-8"><title>edtwin</title>{told}</html>'


def _how(reader: Reader) -> str:
    said = escape(reader.say("No back-test has been reported here yet. To make one:"))
    return f'<p lang="{reader.language}">{said} <code>{COMMAND}</code></p>'
