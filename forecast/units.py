"""What each measure is counted in: a word that is the same in every answer, table and file."""

from __future__ import annotations

PATIENTS, BEDS, AN_HOUR, MINUTES = "patients", "beds", "patients/h", "min"
_FLOWS = ("ed_arrivals", "ed_departures", "admissions")
_OF_TIME = ("wait_min", "peak_min")


def unit_of(measure: str) -> str:
    """The unit of a measure by its stable name.

    >>> [unit_of(name) for name in ("ed_census", "ed_arrivals", "beds_free:surgery", "wait_min:3A")]
    ['patients', 'patients/h', 'beds', 'min']
    """
    kind = measure.partition(":")[0]
    if kind in _OF_TIME:
        return MINUTES
    if kind == "beds_free":
        return BEDS
    return AN_HOUR if measure in _FLOWS else PATIENTS
