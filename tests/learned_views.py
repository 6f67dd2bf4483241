"""Example views of the page of what was learned: ordinary, poor, before the first night, after one that failed."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from forecast.pages import LearnedView
from tests.boards import MADE_AT

_WARDS = {"medicine": "Médecine", "surgery": "Chirurgie", "geriatrics": "Gériatrie", "uhcd": "UHCD",
          "cardiology": "Cardiologie", "intensive_care": "Réanimation"}  # fmt: skip
_CLASSES = [f"{acuity} {age}" for acuity in ("?", "1", "2", "3A", "3B", "4", "5") for age in ("0-74", "75+")]


def report(**said: Any) -> dict[str, Any]:
    """The account of a hospital with 220 arrivals a day, as `twin/learned_report.py` makes it."""
    ordinary: dict[str, Any] = {
        "as_of": MADE_AT.isoformat(), "version": "a3f09c1d22be", "path": "milestones", "days": 58.0, "visits": 12812,
        "year_days": 361.9, "year_visits": 79841, "arrivals_per_day": 221.4, "recent_level": 1.02, "day_cv": 0.094,
        "come_together": 0.07,
        "arrivals_per_hour": [round(9.2 + 6 * math.sin((h - 9) / 24 * 2 * math.pi) + d / 9, 2)
                              for d in range(7) for h in range(24)],
        "calendar": {"holidays_of": "FR", "holidays": {"Christmas Day": 0.82}, "other_holidays": 0.94,
                     "season_swing": 0.02, "trend_a_year": 0.01, "soon": {}},
        "classes": [{"class": name, "share": 1 / 14} for name in _CLASSES],
        "stay_min": {"p10": 62.0, "p50": 172.0, "p90": 344.0},
        "durations": [{"class": name, "what": what, "n": 900, "p10": 8.0 * k, "p50": 31.0 * k, "p90": 77.0 * k}
                      for name in ("all", *_CLASSES[2:])
                      for k, what in enumerate(("to_triage", "to_contact", "care", "boarding", "stay"), start=1)],
        "recorded_share": {"triage": 0.946, "first contact": 0.945, "exit": 0.9, "ward": 1.0},
        "ghost_share": 0.1, "shares": {"p_admit": 0.19},
        "wards": [{"ward": name, "beds": 24 + k, "held_back": k % 3, "ended_stays": 955 * k,
                   "stay_days": {"p10": 1.1, "p50": 4.2, "p90": 12.7} if k else None,
                   "leaves_by_hour": [0.02] * 14 + [0.4] + [0.02] * 9} for k, name in enumerate(_WARDS)],
        "ward_stays": {}, "beds_known": list(_WARDS), "beds_held_back": {}, "bed_turnaround_min": 41.0,
        "doctors_known": True, "doctors_supposed": None, "doctor_caseload": 9, "doctor_slot_min": 23.0,
        "excluded": {"not yet settled (48 h)": 382, "before the learned period": 0, "exit before arrival": 2,
                     "steps out of order": 71},
        "not_known": [],
        "checks": [
            {"check": "little", "what": "department", "seen": 31.2, "expected": 30.9, "tolerance": 0.05,
             "verdict": "good", "n": 12812},
            {"check": "little", "what": "geriatrics", "seen": 26.1, "expected": 20.4, "tolerance": 0.15,
             "verdict": "doubtful", "n": 410},
            {"check": "implausible", "what": "wards", "seen": 0.004, "expected": 0.0, "tolerance": 0.01,
             "verdict": "good", "n": 2400},
            {"check": "completeness", "what": "first contact", "seen": 0.945, "expected": 1.0, "tolerance": 0.1,
             "verdict": "good", "n": 12812}],
        "names": {name: {"fr": fr, "en": name.replace("_", " ").capitalize()} for name, fr in _WARDS.items()},
        "verdict": "doubtful",
    }  # fmt: skip
    return ordinary | said


def ordinary_learned() -> LearnedView:
    """A night that went well."""
    changes = (
        {"what": "stay_days:geriatrics", "before": 7.9, "now": 8.31}, {"what": "arrivals_per_day", "before": 219.8,
        "now": 221.4}, {"what": "doctor_caseload", "before": None, "now": 9.0},
    )  # fmt: skip
    return LearnedView(
        MADE_AT, "Europe/Paris", "Centre hospitalier de Valmont", "live", next_at=MADE_AT + timedelta(hours=13),
        learned_at=MADE_AT - timedelta(hours=11), seconds=3.42, days_added=1, report=report(), changes=changes,
        changed_since=MADE_AT - timedelta(hours=35),
    )  # fmt: skip


def poor_learned() -> LearnedView:
    """A log of arrivals and exits alone, of a few days, whose parts disagree."""
    bad = report(path="stay", doctors_known=False, verdict="bad", wards=[], durations=[], year_days=9.0)
    return replace(ordinary_learned(), report=bad, changes=())


def described_learned() -> LearnedView:
    """A house of three days, which forecasts from what its site says."""
    basis = {"source": "site", "days": 3.0, "needed": 7.0, "level": 1.08, "keeps_path": False}
    return replace(ordinary_learned(), report=None, learned_at=None, seconds=None, described=basis)


def kept_learned() -> LearnedView:
    """A site that keeps its path."""
    basis = {"source": "site", "days": 58.0, "needed": 7.0, "level": None, "keeps_path": True}
    return replace(ordinary_learned(), report=report(path="own", described=basis), described=basis)


LEARNED: dict[str, Callable[[], LearnedView]] = {
    "ordinary": ordinary_learned,
    "poor": poor_learned,
    "failed": lambda: replace(ordinary_learned(), fault="a calibration needs 7 days of visits"),
    "first": lambda: replace(ordinary_learned(), changes=(), changed_since=None),
    "described": described_learned,
    "kept": kept_learned,
    "nothing": lambda: replace(ordinary_learned(), report=None, learned_at=None, seconds=None),
}
