"""Everything that forecasting may raise beyond ingestion's, in one tree.

EdtwinError (ingest/errors.py)
└── ForecastError                something about forecasts that a user can mend
    ├── AlarmError               an alarm that is not on, or a person who did not say who
    ├── DeskError                what a person may not do at the desk, or what cannot be done there any more
    ├── AlreadyIssuedError       a forecast of that issue time is in the archive
    ├── QuestionError            a what-if question that cannot be asked of this hospital, or a scenario not to be kept
    ├── UndeliveredError         a message about an alarm was not taken by its recipient
    ├── OverBudgetError          a simulation took longer, or more memory, than it may
    └── ClusterError             the cluster on which members were to run cannot be had, or was lost
        └── OtherCodeError       its workers run other code than the house
"""

from __future__ import annotations

from ingest.errors import EdtwinError


class ForecastError(EdtwinError):
    """Something about forecasts that a user can mend."""


class AlarmError(ForecastError):
    """An alarm that is not on any more, or an answer to it that lacks something."""


class DeskError(ForecastError):
    """What a person may not do at the desk of proposals, what lacks something, or what cannot be done any more."""


class AlreadyIssuedError(ForecastError):
    """A forecast with the same issue time is in the archive; what was said is never overwritten."""


class QuestionError(ForecastError):
    """A what-if question that cannot be asked of this hospital, or a scenario that cannot be kept.

    Its text is in English; `fr` and `en` are for the page.
    """

    def __init__(self, fr: str, en: str) -> None:
        super().__init__(en)
        self.fr, self.en = fr, en


class UndeliveredError(ForecastError):
    """A message was not taken. `final`: to send it again would change nothing. Its text names no address."""

    def __init__(self, why: str, *, final: bool = False) -> None:
        super().__init__(why)
        self.final = final


class OverBudgetError(ForecastError):
    """A simulation took longer, or asked for more memory, than it may: its process was ended, or its task refused."""


class ClusterError(ForecastError):
    """The cluster on which members were to run cannot be had, or was lost before they were done."""


class OtherCodeError(ClusterError):
    """A worker's code, tables or libraries are others than the house's, so that its members would be others."""
