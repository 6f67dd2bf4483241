"""What the command may raise beyond the other folders', in one tree.

EdtwinError (ingest/errors.py)
├── CommandError                 an option or an argument that cannot be, or a place that cannot be written to or served
└── RefusedError                 a request to the API that cannot be answered, with the status that says why
"""

from __future__ import annotations

from ingest.errors import EdtwinError


class CommandError(EdtwinError):
    """An option or an argument that cannot be, or a place that cannot be written to or served."""


class RefusedError(EdtwinError):
    """A request that cannot be answered; it may be asked again after `retry_after_s`, where that is told."""

    def __init__(self, status: int, why: str, *, retry_after_s: int | None = None) -> None:
        super().__init__(why)
        self.status, self.retry_after_s = status, retry_after_s
