"""The campaign on fabricated hospitals: 60 days to learn, 120 to judge, an issue every 3 hours.

The seeds are drawn from the commit, so that nobody can have tuned to them. For a look it can be made smaller:
EDTWIN_CAMPAIGN_MEMBERS, EDTWIN_CAMPAIGN_DAYS, EDTWIN_CAMPAIGN_EVERY_H (9 still meets every third hour of the day).
The figures are printed and kept in build/campaign.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from forecast.backtest import Plan, Report, backtest
from forecast.ensemble import Run
from forecast.workers import Workers
from ingest.clock import WallClock
from ingest.database import Database
from ingest.log import EventLog, Position
from twin.fabricate import FabricatedHospital, HospitalKind, fabricate
from twin.hospital import load_hospital
from twin.kernel import warm
from twin.scenarios import catalogue

pytestmark = pytest.mark.soak

START = datetime(2025, 9, 1, tzinfo=UTC)
LEARNED_DAYS = 60
JUDGED_DAYS = int(os.environ.get("EDTWIN_CAMPAIGN_DAYS", "120"))
MEMBERS = int(os.environ.get("EDTWIN_CAMPAIGN_MEMBERS", "200"))
EVERY = timedelta(hours=float(os.environ.get("EDTWIN_CAMPAIGN_EVERY_H", "3")))
BUILD = Path(__file__).parent.parent / "build" / "campaign"


def seed_of_commit(kind: str) -> int:
    """A seed beyond those of development (1-9), drawn from the commit and the kind of hospital."""
    commit = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
    return 10 + int.from_bytes(hashlib.sha256(f"{commit}{kind}".encode()).digest()[:4], "big") % 1_000_000


def campaign(kind: HospitalKind, seed: int) -> Report:
    """One large hospital, as its feed delivered it, replayed as it was known then."""
    made = fabricate(
        FabricatedHospital(kind=kind, size="large"), start=START, days=LEARNED_DAYS + JUDGED_DAYS + 2, seed=seed
    )
    first = START + timedelta(days=LEARNED_DAYS)
    plan = Plan(first, first + timedelta(days=JUDGED_DAYS), every=EVERY, how=Run(members=MEMBERS))
    workers = Workers(prepare=warm)
    try:
        with Database.open(None) as database:
            log = EventLog(database, WallClock())
            log.append_table(made.table(), Position(source="fabricated", offset=1))
            return backtest(log, load_hospital(), catalogue()["as_usual"], plan, executor=workers)
    finally:
        workers.shutdown()


@pytest.mark.timeout(7200)
@pytest.mark.parametrize("kind", ["roomy", "congested"])
def test_census_forecasts_beat_climatology_and_their_intervals_hold(kind: HospitalKind) -> None:
    seed = seed_of_commit(kind)
    report = campaign(kind, seed)
    BUILD.mkdir(parents=True, exist_ok=True)
    (BUILD / f"{kind}-{seed}.json").write_text(json.dumps(report.as_json(), indent=1), encoding="utf-8")
    census = report.verifications["ed_census"]
    for lead_min, found in census.items():
        print(
            f"{kind} {seed} +{lead_min / 60:g} h n {found.n} mae {found.mae:.2f} bias {found.bias:+.2f} "
            f"crps {found.crps:.3f} covers {found.coverage[80]:.3f} "
            + " ".join(f"{name} {skill:+.3f} {found.skill_ci95[name]}" for name, skill in found.skill.items())
        )
    for lead_min in (60.0, 120.0, 240.0):
        assert census[lead_min].skill["climatology"] > 0
    for lead_min in (480.0, 720.0, 1440.0):
        assert census[lead_min].skill["climatology"] > -0.02
    assert all(0.74 <= found.coverage[80] <= 0.86 for found in census.values())
