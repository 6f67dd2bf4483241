"""Why a message is ignored or rejected, by code, in words that name nobody."""

from __future__ import annotations

from ingest.hl7_text import FAULTS

IGNORED: dict[str, str] = {
    "not_read": "a type of message that tells nothing we hold",
    "not_production": "a message of training or debugging, which the settings do not take",
    "unknown_trigger": "a trigger that tells nothing we hold",
    "identity_only": "a change of a person's numbers that moves no visit to another",
    "leave_of_absence": "a leave, during which the bed is kept",
    "no_movement": "nothing about where anyone is",
    "departing": "a departure to a place whose arrival is told by a message of its own",
    "elsewhere": "a place that is neither an area of the department nor a ward",
    "no_expected_time": "an announced visit that does not say for when",
    "not_final": "an order or a result on its way",
    "nothing_told": "nothing that we hold",
}
"""Every rule by which a message is ignored."""

REASONS: dict[str, str] = {
    **FAULTS,
    "missing_trigger": "MSH-9 must name a type and a trigger",
    "missing_visit": "a visit must have a number in one of the fields that the settings name",
    "missing_time": "a message must have a time in ZBE-2, EVN-6, EVN-2 or MSH-7",
    "impossible_time": "the time of what happened must be a time between 1980 and 2199",
    "missing_unit": "a move must say the unit, by a code",
    "missing_bed": "the status of a bed must name its unit, the bed and a known status",
    "too_many_patients": "a swap must be of two patients",
    "missing_movement": "a change of a movement must have its number in ZBE-1",
    "unknown_class": "a place must be named by the settings, or its kind must follow from PV1-2",
}
"""Every reason for which a message is rejected."""
