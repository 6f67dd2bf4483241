"""A row that could not become events, as the log keeps it: why, where, and nothing that names anyone."""

from __future__ import annotations

from collections.abc import Mapping

from ingest.log import Rejected

REASONS: dict[str, str] = {
    "malformed": "the row has too many or too few cells",
    "missing_key": "the visit has no number",
    "impossible_date": "a time that does not exist",
    "missing_arrival": "the visit has no arrival",
    "missing_time": "the event has no time",
    "unknown_value": "a word that the mapping does not name",
    "unknown_activity": "an activity that the mapping does not name",
    "before_arrival": "a milestone before the arrival",
    "in_future": "a time after the extract was taken",
    "stay_over_limit": "a stay longer than the mapping allows",
    "contradictory": "an earlier row of the file says otherwise of the same visit or record",
}
"""Every reason for which a row is rejected."""


def rejection(place: str, row: int, reason: str, sentence: str, kept: Mapping[str, str | None]) -> Rejected:
    """Row `row` of the file `place`; `kept` are pseudonyms, times and classes."""
    assert reason in REASONS, reason
    told = "; ".join(f"{name} {value}" for name, value in kept.items() if value is not None)
    text = f"{sentence} ({told})" if told else sentence
    return Rejected(position=row, place=f"{place}:row {row}", reason=reason, text=text)
