"""The huddle sheet as a file to send, keep or download: its name and its bytes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, get_args

from flask import Flask, Response

from dashboard.huddle_pdf import pdf
from dashboard.huddle_xlsx import xlsx
from dashboard.words import LANGUAGES, Language, Reader
from forecast.huddle_desk import Sheets
from forecast.sheet import Sheet

Form = Literal["pdf", "xlsx"]
FORMS: tuple[Form, ...] = get_args(Form)
MIMETYPES: Mapping[Form, str] = {
    "pdf": "application/pdf",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_MAKES: Mapping[Form, Callable[[Sheet, Reader], bytes]] = {"pdf": pdf, "xlsx": xlsx}


def attachment(sheet: Sheet, language: Language, form: Form) -> tuple[str, bytes]:
    """The file's name and its bytes, the same for the same sheet."""
    name = f"huddle-{sheet.name}.{form}"
    return name, _MAKES[form](sheet, Reader(language, sheet.zone))


def asked_for(sheets: Sheets, file: str, language: str) -> tuple[str, bytes, str] | None:
    """What stands at an address such as `2026-11-24T0800.pdf`: name, bytes, kind; None where nothing does."""
    name, _, form = file.rpartition(".")
    sheet = sheets.named(name) if form in FORMS and language in LANGUAGES else None
    if sheet is None:
        return None
    known = next(one for one in FORMS if one == form)
    filename, made = attachment(sheet, next(one for one in LANGUAGES if one == language), known)
    return filename, made, MIMETYPES[known]


def answer_huddle(server: Flask, sheets: Sheets) -> None:
    """`/huddle/fr/2026-11-24T0800.pdf` (or `en`, or `.xlsx`): a huddle sheet to download; 404 where there is none."""

    def download(language: str, file: str) -> Response:
        found = asked_for(sheets, file, language)
        if found is None:
            return Response("there is no such huddle sheet\n", 404, mimetype="text/plain")
        name, made, kind = found
        return Response(made, mimetype=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})

    server.add_url_rule("/huddle/<language>/<file>", "huddle-file", download)
