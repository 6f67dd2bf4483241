"""What was learned beside what is true: averaged over those whom it concerns, at the load that they met."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from forecast.recovery import recovered
from ingest.events import RANK
from tests.identical_worlds import law, lived
from twin.calibrate import Calibration
from twin.story import Array


def slower(name: str, factor: float) -> Calibration:
    durations = dict(law().parameters.durations)
    durations[name] = durations[name].scaled(factor)
    return replace(law(), parameters=replace(law().parameters, durations=durations))


def care_of(kind: str) -> Array:
    """How long care truly lasted, of those with whom it ended so."""
    visits, story = lived().visits, lived().story
    ended = np.full(visits.arrived_min.size, np.nan)
    mine = story.kind == RANK[kind]
    ended[story.visit[mine]] = story.at_min[mine]
    lasted = ended - visits.seen_min
    return np.asarray(lasted[~np.isnan(lasted)])


def test_a_law_is_recovered_from_itself() -> None:
    found = recovered(lived(), law())
    assert {p.name: p.learned for p in found} == {p.name: p.true for p in found}
    assert {"care_home", "care_admit", "to_exit", "to_triage", "p_admit", "arrivals", "beds"} <= {p.name for p in found}


@pytest.mark.parametrize(("name", "kind"), [("care_home", "DecidedToDischarge"), ("care_admit", "DecidedToAdmit")])
def test_the_truth_is_what_happened(name: str, kind: str) -> None:
    """The mean over all who came, whether it concerned them or not, would be the mutant."""
    truth = care_of(kind)
    near = 4 * truth.std() / np.sqrt(truth.size)
    told = next(p.true for p in recovered(lived(), law()) if p.name == name)
    assert abs(told - truth.mean()) < near
    parameters, fate = law().parameters, lived().fate
    shape = (len(parameters.classes), parameters.blocks, parameters.loads)
    by_cell = np.broadcast_to(parameters.durations[name].mean_min(), shape)
    assert abs(by_cell.mean(axis=2)[fate.cls, fate.block].mean() - truth.mean()) > near


@pytest.mark.parametrize("name", ["to_triage", "care_admit", "care_home", "to_exit"])
def test_a_tenth_too_long_is_seen(name: str) -> None:
    assert [p.name for p in recovered(lived(), slower(name, 1.1)) if not p.holds] == [name]
