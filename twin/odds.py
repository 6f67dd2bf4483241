"""Probabilities whose odds are changed."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

_NEARLY = 1e-9


def shifted(p: Array, by: float | Array) -> Array:
    """Probabilities with their log-odds shifted, each by its own or all by one; 0 and 1 hardly move."""
    odds = np.clip(p, _NEARLY, 1.0 - _NEARLY)
    odds = odds / (1.0 - odds) * np.exp(by)
    return np.asarray(odds / (1.0 + odds))
