"""The scenario catalogue: list it, show one, check a file of one's own."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from dashboard.commands.common import say, settings_of
from dashboard.house import scenario_catalogue
from twin.scenarios import Scenario, catalogue, pick


def add_options(command: argparse.ArgumentParser) -> None:
    """The options of `edtwin scenarios`."""
    command.add_argument("action", choices=("list", "show", "check"))
    command.add_argument("name", nargs="?", help="show: a scenario's name; check: a TOML file")


def run(options: argparse.Namespace) -> None:
    """Print what is asked for."""
    if options.action == "check":
        found = list(catalogue(Path(options.name or "")).values())
    else:
        known = scenario_catalogue(settings_of(options))
        found = list(known.values()) if options.action == "list" else pick(known, [options.name or ""])
    told = [_told(scenario) for scenario in found]
    say(options, {"scenarios": told}, lambda: "\n".join(_lines(told, whole=options.action == "show")))


def _told(scenario: Scenario) -> dict[str, Any]:
    return {"name": scenario.name, "sentence": scenario.sentence("en"), "parameters": scenario.parameters}


def _lines(told: list[dict[str, Any]], *, whole: bool) -> list[str]:
    return [f"{t['name']}: {t['sentence']}" + (f"\n  {t['parameters']}" if whole else "") for t in told]
