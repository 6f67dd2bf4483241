"""What the access to a house may raise, in one tree.

EdtwinError (ingest/errors.py)
└── AccountsError                a file of accounts that cannot be read, or an account that cannot be as it is asked for
werkzeug's Forbidden
└── NotAllowedError              an act that takes another role
"""

from __future__ import annotations

from werkzeug.exceptions import Forbidden

from dashboard.access.roles import Least, SignedIn
from ingest.errors import EdtwinError


class AccountsError(EdtwinError):
    """A file of accounts that cannot be read, or an account that cannot be as it is asked for."""


class NotAllowedError(Forbidden):
    """An act that takes another role than who asks has."""

    def __init__(self, least: Least, signed: SignedIn) -> None:
        super().__init__(f"this takes the role {least}")
        self.least, self.signed = least, signed
