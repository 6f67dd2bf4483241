"""The scenario catalogue: list it, show one, check a file of one's own; run scenarios, compare them, run a grid."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dashboard.commands.said import say
from dashboard.commands.scenario_runs import ACTIONS, add_run_options, run_action
from dashboard.commands.typed import settings_of
from dashboard.errors import CommandError
from dashboard.house import DATABASE, names_of, open_house, scenario_catalogue
from dashboard.settings import Settings
from ingest.errors import DatabaseHeldError
from twin.scenarios import Scenario, catalogue, pick


def add_options(command: argparse.ArgumentParser) -> None:
    """The options of `edtwin scenarios`."""
    command.add_argument("action", choices=("list", "show", "check", *ACTIONS))
    names = "show: a scenario's name; check: a TOML file; run, compare, grid: scenarios by name, several joined by a +"
    command.add_argument("names", nargs="*", metavar="NAME", help=names)
    add_run_options(command)


def run(options: argparse.Namespace) -> None:
    """Print what is asked for."""
    if options.action in ACTIONS:
        run_action(options)
        return
    options.name = options.names[0] if options.names else None
    settings = settings_of(options)
    if options.action == "list":
        found = list(_known(settings).values())
    elif options.name is None:
        raise CommandError(f"scenarios {options.action} needs {_NEEDS[options.action]}")
    elif options.action == "show":
        found = pick(_known(settings), [options.name])
    else:
        found = _own(Path(options.name), settings)
    whole = options.action == "show"
    told = [_told(scenario, whole=whole) for scenario in found]
    say(options, {"scenarios": told}, lambda: "\n".join(_lines(told, whole=whole)))


def _known(settings: Settings) -> Mapping[str, Scenario]:
    """The catalogue, and what was saved in the data; a house that runs on them is the only one to tell that."""
    if not (settings.data / DATABASE).exists():
        return scenario_catalogue(settings)
    try:
        with open_house(settings) as house:
            return dict(house.catalogue())
    except DatabaseHeldError as held:
        print(f"without the scenarios that were saved: {held} (/compare lists them)", file=sys.stderr)
        return scenario_catalogue(settings)


def _own(file: Path, settings: Settings) -> list[Scenario]:
    """The scenarios of a file that are not the shipped ones."""
    shipped = catalogue()
    return [s for s in catalogue(file, names=names_of(settings)).values() if s != shipped.get(s.name)]


_NEEDS = {"show": "the name of a scenario", "check": "a TOML file"}


def _told(scenario: Scenario, *, whole: bool) -> dict[str, Any]:
    told = {"name": scenario.name, "sentence": scenario.sentence("en"), "parameters": scenario.parameters}
    return {**told, "changes": scenario.changes} if whole else told


def _lines(told: list[dict[str, Any]], *, whole: bool) -> list[str]:
    return [line for one in told for line in (f"{one['name']}: {one['sentence']}", *(_details(one) if whole else ()))]


def _details(told: dict[str, Any]) -> list[str]:
    knobs = [
        f"  {name} = {one['value']:g} ({one['low']:g} to {one['high']:g}): {one['en']}"
        for name, one in told["parameters"].items()
    ]
    return [*knobs, *(f"  {kind}: {change}" for kind, changes in told["changes"].items() for change in changes)]
