"""Everything that the twin may raise, in one tree.

EdtwinError                      (ingest) anything a user can mend
└── TwinError                    something about the hospital, its path, its parameters or a scenario
    ├── KeptError                what was kept on the disk and cannot be read as what it was
    ├── NotEnoughError           a log from which nothing can be learned yet
    ├── ParametersError          parameters that do not fit the path or the hospital: every fault at once
    ├── PresentError             a present that does not fit the path
    ├── RepeatsError             a patient comes to a stage more often than the path allows
    └── ScenarioError            an unknown scenario, or one that asks for more than luck was drawn for
"""

from __future__ import annotations

from collections.abc import Sequence

from ingest.errors import EdtwinError


class TwinError(EdtwinError):
    """Something about the hospital, its path, its parameters or a scenario that a user can mend."""


class KeptError(TwinError):
    """What was kept on the disk and cannot be read as what it was, or a value that cannot be kept; it says why."""


class NotEnoughError(TwinError):
    """A log from which nothing can be learned yet; `days` of the `needed` days are there."""

    def __init__(self, message: str, *, days: float, needed: float) -> None:
        self.days, self.needed = days, needed
        super().__init__(message)


class ParametersError(TwinError):
    """All that does not fit between parameters, path and hospital, one line each."""

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(self.faults))


class PresentError(TwinError):
    """A present that does not fit the path."""


class RepeatsError(TwinError):
    """A patient comes to a stage more often than the path's `at_most` allows."""


class ScenarioError(TwinError):
    """An unknown scenario, or one that asks for more than luck was drawn for."""
