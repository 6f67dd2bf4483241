"""How this house is set: each setting with its value and what it is."""

from __future__ import annotations

from dash import html
from dash.development.base_component import Component

from dashboard.parts import Content, card, heading, table
from dashboard.settings_view import SettingRow, SettingsView
from dashboard.words import UNKNOWN, Reader


def panel(view: SettingsView, reader: Reader) -> Component:
    """A card for each group of settings, those that the site has changed first."""
    names = {
        "site": reader.say("The site and its files"),
        "forecast": reader.say("Forecasts"),
        "machine": reader.say("This machine"),
        "access": reader.say("Who signs in"),
        "hl7": reader.say("HL7 messages"),
        "kafka": reader.say("Kafka messages"),
        "fhir": reader.say("FHIR resources"),
    }
    cards = [card("settings", names[name], _table(rows, reader)) for name, rows in view.groups]
    return html.Section([_head(view, reader), *cards], className="settings-cards")


def _head(view: SettingsView, reader: Reader) -> Component:
    changed = sum(row.is_changed for _, rows in view.groups for row in rows)
    said = reader.count(
        "{n} setting differs from what is shipped.", "{n} settings differ from what is shipped.", changed
    )
    how = reader.say("They are changed in the file that edtwin up --config names, or by an option of the command.")
    hidden = reader.say("What opens a door (keys, tokens, passwords, senders) is not shown here.")
    return html.Div([heading(reader.say("How is this house set?")), html.P(f"{said} {how} {hidden}")], className="card")


def _table(rows: tuple[SettingRow, ...], reader: Reader) -> Component:
    head = [reader.say("Setting"), reader.say("Value"), reader.say("As shipped"), reader.say("What it is")]
    ordered = sorted(rows, key=lambda row: not row.is_changed)
    return table(head, [_row(row, reader) for row in ordered], "settings-table")


def _row(row: SettingRow, reader: Reader) -> list[Content]:
    value = html.B(_value(row, reader), className="changed") if row.is_changed else _value(row, reader)
    shipped = row.default if row.default is not None else UNKNOWN
    return [html.Code(row.name), value, shipped, reader.choice(row.fr, row.en)]


def _value(row: SettingRow, reader: Reader) -> str:
    if not row.is_shown:
        return reader.say("set, not shown") if row.is_changed else UNKNOWN
    return row.value if row.value is not None else UNKNOWN
