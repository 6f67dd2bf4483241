"""Two back-tests side by side, on the issues that both have: did a version or a setting forecast better?

`edtwin backtest --json` tells the scores of each issue of the headline measures (`paired`), so that two of its answers
can be compared pair by pair: the weather of the days is the same for both, and what is left is the difference.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from forecast.dayblocks import days_of, mean_interval, ratio_interval
from forecast.errors import ForecastError
from forecast.record import HEADLINES
from forecast.values import Array, or_none
from forecast.verify import Pairs

PAIRED = "paired"
_DIGITS = 5


@dataclass(frozen=True)
class Versus:
    """One measure at one lead, on the issues that both back-tests scored."""

    measure: str
    lead_min: float
    n: int
    crps_a: float
    crps_b: float
    gain: float
    """1 - crps of B / that of A: above 0 B is better."""
    gain_ci95: tuple[float, float]
    bias_a: float
    bias_b: float
    bias_change_ci95: tuple[float, float]
    """Of B's error - A's."""

    @property
    def better(self) -> str | None:
        """`A` or `B` where the interval of the gain is clear of 0; None where it is not."""
        low, high = self.gain_ci95
        return "B" if low > 0 else "A" if high < 0 else None

    def as_json(self) -> dict[str, Any]:
        """Plain values; NaN is null."""
        return {name: _plain(value) for name, value in asdict(self).items()} | {"better": self.better}


def paired(pairs: Pairs) -> dict[str, Any]:
    """The scores of each issue: instants (UTC), then `crps` and `error` by measure and lead, null where none."""
    issues, number = np.unique(pairs.issued_at, return_inverse=True)
    measures: dict[str, dict[str, dict[str, list[float | None]]]] = {}
    for measure in (m for m in HEADLINES if m in set(pairs.measure.tolist())):
        for lead in np.unique(pairs.lead_min):
            mine = np.flatnonzero((pairs.measure == measure) & (pairs.lead_min == lead))
            told = {name: _by_issue(getattr(pairs, name)[mine], number[mine], issues.size) for name in _SCORES}
            measures.setdefault(measure, {})[str(round(lead))] = told
    return {"issued_at": np.datetime_as_string(issues, unit="s").tolist(), "measures": measures}


def compare(a: Mapping[str, Any], b: Mapping[str, Any]) -> list[Versus]:
    """Every measure and lead that two answers of `edtwin backtest --json` share.

    Raises ForecastError where one does not tell the scores of its issues, or they share no issue.
    """
    first, second = (_told(one, name) for one, name in ((a, "A"), (b, "B")))
    at_a, at_b = (np.array(one["issued_at"], dtype="datetime64[s]") for one in (first, second))
    shared, mine, theirs = np.intersect1d(at_a, at_b, return_indices=True)
    if not shared.size:
        raise ForecastError("the two back-tests must share issue times to be compared, but they have none in common")
    day = days_of(shared.astype("datetime64[us]"))
    found = []
    for measure, lead in _shared(first["measures"], second["measures"]):
        both = [_columns(told, measure, lead, at) for told, at in ((first, mine), (second, theirs))]
        found.append(_versus(measure, float(lead), day, both))
    return found


def _told(answer: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    told = answer.get(PAIRED)
    if not isinstance(told, Mapping) or not {"issued_at", "measures"} <= set(told):
        raise ForecastError(f"{name} must be an answer of edtwin backtest --json with {PAIRED!r}, but has none")
    return told


def _shared(a: Mapping[str, Any], b: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    return ((m, lead) for m in a if m in b for lead in a[m] if lead in b[m])


def _columns(told: Mapping[str, Any], measure: str, lead: str, at: npt.NDArray[np.int64]) -> dict[str, Array]:
    found = told["measures"][measure][lead]
    return {name: np.array(found[name], dtype=np.float64)[at] for name in _SCORES}


def _versus(measure: str, lead_min: float, day: npt.NDArray[np.int64], both: list[dict[str, Array]]) -> Versus:
    a, b = both
    kept = ~np.isnan(a["crps"] + b["crps"])
    a, b = ({name: values[kept] for name, values in one.items()} for one in (a, b))
    low, high = ratio_interval(b["crps"], a["crps"], day[kept])
    crps_a, crps_b, bias_a, bias_b = (_mean(one[name]) for name in _SCORES for one in (a, b))
    gain = 1.0 - crps_b / crps_a if crps_a > 0 else float("nan")
    change = mean_interval(b["error"] - a["error"], day[kept])
    ends = (1.0 - high, 1.0 - low)
    return Versus(measure, lead_min, int(kept.sum()), crps_a, crps_b, gain, ends, bias_a, bias_b, change)


def _by_issue(values: Array, number: npt.NDArray[np.int64], size: int) -> list[float | None]:
    column = np.full(size, np.nan)
    column[number] = values
    return [or_none(value, _DIGITS) for value in column]


def _mean(values: Array) -> float:
    return float(values.mean()) if values.size else float("nan")


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return or_none(value) if isinstance(value, float) else value


_SCORES = ("crps", "error")
