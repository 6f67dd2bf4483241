"""What those who came when a visit did tell of it: today may be slower than usual, or quicker.

Whether a visit without a record of something (its exit, its first contact) has it behind it is learned from visits like
it in the past. On a day on which everybody waits hours longer, that alone would take those who still wait for people
who were seen and never written down. So the log-odds of what is usual are shifted by as much as the visits show that
came when it did: if fewer of them have it on record than usual, it is likelier that it has not happened.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from twin.odds import shifted

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

ALIKE_AGES = 1.5
"""Visits came together whose ages differ by less than this factor."""
OF_TODAY_MIN = 8 * 60.0
"""Visits younger than this tell how busy it is today."""
DAYS_DIFFER = 1.5
"""By how much days differ: standard deviation of the shift of log-odds that is to be expected of a day."""
_ROUNDS = 12
_LONGEST_STEP = 2.0
_NEARLY = 1e-4


def over_by_now(
    together: Flags, on_record: Flags, usual: Array, told_share: Array, asked: Flags | None = None
) -> Array:
    """For what share of visits like each something is over by now, `(visit,)`, 0 to 1.

    `together` says whose records speak for each, `(visit, visit)`, `on_record` who has it on record. `usual` is the
    share that the past lets expect at that age, `told_share` the share on record by now of those for whom it is over.
    The shift is the likeliest given what speaks for each, and that it is normal with mean 0 and deviation DAYS_DIFFER;
    found by Fisher scoring. Where only some are `asked` for, the others stay as usual.
    """
    known = np.clip(usual, _NEARLY, 1.0 - _NEARLY)
    rows = np.arange(usual.size) if asked is None else np.flatnonzero(asked)
    mine, shift = together[rows], np.zeros(rows.size)
    speak = np.flatnonzero(mine.any(axis=0))
    mine, of_them = mine[:, speak], (on_record[speak], known[speak], told_share[speak])
    for _ in range(_ROUNDS):
        slope, information = _scores(mine, shift, *of_them)
        shift += np.clip(slope / information, -_LONGEST_STEP, _LONGEST_STEP)
    over = known.copy()
    over[rows] = shifted(known[rows], shift)
    return over


def behind_without_record(over: Array, told_share: Array) -> Array:
    """How likely it is over for a visit that has it not on record, `(visit,)`."""
    untold = over * (1.0 - told_share)
    return np.asarray(np.divide(untold, untold + 1.0 - over, out=np.zeros_like(over), where=untold > 0))


def came_together(age_min: Array, kind: Index) -> Flags:
    """Who came with whom and is of one kind, `(visit, visit)`; nobody speaks for themselves."""
    age = np.log(np.maximum(age_min, 1.0))
    out = (np.abs(age[:, None] - age[None, :]) < np.log(ALIKE_AGES)) & (kind[:, None] == kind[None, :])
    np.fill_diagonal(out, False)
    return np.asarray(out)


def came_today(age_min: Array) -> Flags:
    """Everybody who came in the last hours speaks for everybody else, `(visit, visit)`."""
    out = np.tile(age_min < OF_TODAY_MIN, (age_min.size, 1))
    np.fill_diagonal(out, False)
    return out


def _scores(together: Flags, shift: Array, on_record: Flags, usual: Array, told_share: Array) -> tuple[Array, Array]:
    """The slope of log-likelihoods at the shifts of some visits, and how much they are expected to curve, `(some,)`.

    `together` is `(some, visit)`, what is known of all of them `(visit,)`.
    """
    over = shifted(usual[None, :], shift[:, None])
    p = np.clip(over * told_share[None, :], _NEARLY, 1.0 - _NEARLY)
    rise = over * (1.0 - over) * told_share[None, :]
    weight = np.where(together, rise / (p * (1.0 - p)), 0.0)
    slope = (weight * (on_record[None, :] - p)).sum(axis=1) - shift / DAYS_DIFFER**2
    return slope, (weight * rise).sum(axis=1) + DAYS_DIFFER**-2
