"""What the command may raise beyond the other folders', in one tree.

EdtwinError (ingest/errors.py)
└── CommandError                 an option or an argument that cannot be, or a place that cannot be written to or served
"""

from __future__ import annotations

from ingest.errors import EdtwinError


class CommandError(EdtwinError):
    """An option or an argument that cannot be, or a place that cannot be written to or served."""
