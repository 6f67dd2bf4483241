"""The small hospitals of `twin/small_hospitals.py`, by the name that tests know them by."""

from twin.small_hospitals import (
    DELAY,
    HOSPITAL,
    QUEUE,
    START,
    WHOLE,
    Array,
    Here,
    Member,
    arriving,
    member,
    parameters,
    present,
    same,
    small_hospital,
    small_path,
)

__all__ = [
    "DELAY",
    "HOSPITAL",
    "QUEUE",
    "START",
    "WHOLE",
    "Array",
    "Here",
    "Member",
    "arriving",
    "member",
    "parameters",
    "present",
    "same",
    "small_hospital",
    "small_path",
]
