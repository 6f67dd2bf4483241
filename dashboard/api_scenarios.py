"""The scenarios of a house for the API: the catalogue's and those that were saved."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dashboard.errors import RefusedError
from forecast.lever import no_lever
from forecast.whatif import Ground
from twin.errors import ScenarioError
from twin.scenarios import Scenario, pick


class ApiScenarios:
    """Lists scenarios, and shows one. `ground` tells whether it has a lever here."""

    def __init__(self, catalogue: Callable[[], Mapping[str, Scenario]], ground: Callable[[], Ground | None]) -> None:
        self._catalogue, self._ground = catalogue, ground

    def list(self) -> dict[str, Any]:
        """Every scenario."""
        return {"scenarios": [_said(one) for one in self._catalogue().values()]}

    def show(self, name: str) -> dict[str, Any]:
        """One scenario, or several joined by a plus; raises RefusedError (404) where there is none of the name."""
        try:
            [one] = pick(self._catalogue(), [name])
        except ScenarioError as fault:
            raise RefusedError(404, str(fault)) from None
        ground = self._ground()
        why = no_lever(ground.situation, one) if ground is not None else None
        return {**_said(one), "changes": one.changes, "inapplicable": why}


def _said(one: Scenario) -> dict[str, Any]:
    return {"name": one.name, "fr": one.sentence("fr"), "en": one.sentence("en"), "parameters": one.parameters}
