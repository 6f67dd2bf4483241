"""On a site's own path everybody stands where the way from their last milestone leads, and no pool has too many."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from forecast.ensemble import Run, law_and_engine
from tests.histories import START, fingerprint, scenarios
from tests.sites import COUNTER, HOUR, SECOND_DAY, believed_of, situation_at
from twin import placed as module
from twin.calibrate import Calibration
from twin.known import Known
from twin.pathway import Path
from twin.present import Present
from twin.present_draw import draw_present, draw_presents
from twin.stages import Stage
from twin.story import Story, Visits
from twin.waits import BED, BEGINS, DECISION, DEPARTURE, PROVIDER, TRIAGE, WARD

MEMBERS = 20
Place = tuple[int, bool]
"""A stage, and whether it has begun."""


def presents(at_known: Known, c: Calibration) -> list[Present]:
    return draw_presents(at_known, c, seed=3, members=range(MEMBERS))


def reached(path: Path, begun: str) -> set[Place]:
    """Where one may be from a milestone on, until the next: from the table alone."""
    out: set[Place] = set()
    open_: list[Place] = list(_after(path, begun))
    while open_:
        place = open_.pop()
        if place in out:
            continue
        out.add(place)
        k, serving = place
        stage = path.stages[k]
        if not serving and stage.starts not in _MARKS:
            open_.append((k, True))
        if serving and stage.ends not in _MARKS:
            open_ += [(path.index(name), bool(not path.stage(name).asks)) for name in stage.then]
    return {place for place in out if not _marks_at_once(path, place)}


_MARKS = (*BEGINS, "Departed", "EnteredWard", "LeftWard")


def _marks_at_once(path: Path, place: Place) -> bool:
    """A stage without queue whose start is a milestone is one of the next situation."""
    stage = path.stages[place[0]]
    return not stage.asks and stage.starts in _MARKS


def _after(path: Path, begun: str) -> Iterator[Place]:
    for k, stage in enumerate(path.stages):
        if stage.comes == begun:
            yield k, not stage.asks
        if stage.starts == begun:
            yield k, True
        if stage.ends == begun:
            yield from ((path.index(name), not path.stage(name).asks) for name in stage.then)


_BEGUN_BY = {TRIAGE: "Arrived", PROVIDER: "Triaged", DECISION: "SeenByProvider", DEPARTURE: "DecidedToDischarge",
             BED: "DecidedToAdmit"}  # fmt: skip


def strangers(known: Known, c: Calibration, drawn: list[Present]) -> int:
    """How many stand where their milestones do not lead; those drawn beyond their last one may be further."""
    ways = {situation: reached(c.path, begun) | _started(c.path, begun) for situation, begun in _BEGUN_BY.items()}
    ways[TRIAGE] |= ways[PROVIDER] | ways[DECISION]
    ways[PROVIDER] |= ways[DECISION]
    found = 0
    for present in drawn:
        for row, situation in enumerate(known.situation.tolist()):
            if present.here[row] and situation in ways and not _in_a_ward(c.path, int(present.stage[row])):
                found += (int(present.stage[row]), bool(present.serving[row])) not in ways[situation]
    return found


def _started(path: Path, begun: str) -> set[Place]:
    return {(k, True) for k, stage in enumerate(path.stages) if stage.starts == begun}


def _in_a_ward(path: Path, k: int) -> bool:
    return not path.situations[k].inside or path.stages[k].starts == "Departed"


@pytest.mark.parametrize("hours", [0, 7, 14])
def test_everybody_stands_where_their_milestones_lead(hours: int) -> None:
    situation = situation_at(SECOND_DAY + hours * HOUR)
    known, c = situation.known, situation.calibration
    assert known.count > 50
    assert strangers(known, c, presents(known, c)) == 0


def test_one_who_stands_elsewhere_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mutant: the situation counts one milestone further."""
    situation = situation_at()
    known, c = situation.known, situation.calibration
    further = replace(known, situation=np.where(known.situation < DEPARTURE, known.situation + 1, known.situation))
    assert strangers(known, c, presents(further, c)) > 0


def test_those_in_a_ward_lie_there() -> None:
    situation = situation_at()
    known, c = situation.known, situation.calibration
    lying = known.situation == WARD
    for present in presents(known, c):
        census = {u.name: int((known.unit[lying & present.here] == c.hospital.unit_code(u.name)).sum())
                  for u in c.hospital.wards}  # fmt: skip
        visits = Visits.of(present.history, np.full(known.count, -1))
        there = np.isnan(visits.stay_until_min)
        told = {u.name: int((visits.stay_unit[there] == c.hospital.unit_code(u.name)).sum()) for u in c.hospital.wards}
        assert all(told[name] >= census[name] for name in census)
        assert sum(told.values()) >= sum(census.values())


def test_the_longer_ago_the_contact_the_further_along() -> None:
    """Ten minutes after it most are still in it, three hours after it hardly anybody is."""
    situation = situation_at()
    known, c = situation.known, situation.calibration
    everyone = np.full(known.count, DECISION)
    shares = []
    for minutes in (10.0, 180.0):
        since = np.full(known.count, -minutes)
        here = replace(
            known, situation=everyone, since_min=since, arrived_min=since - 60.0, p_here=np.ones(known.count)
        )
        stages = np.concatenate([p.stage for p in presents(here, c)])
        shares.append(float(np.isin(stages, [c.path.index(n) for n in ("contact", "fast_track", "sauv")]).mean()))
    assert shares[0] > 0.5
    assert shares[1] < 0.1


def test_members_do_not_depend_on_their_company() -> None:
    situation = situation_at()
    alone = draw_present(situation.known, situation.calibration, seed=3, member=7)
    assert fingerprint(presents(situation.known, situation.calibration)[7]) == fingerprint(alone)


def test_members_differ() -> None:
    situation = situation_at()
    one, other = presents(situation.known, situation.calibration)[:2]
    assert (one.stage != other.stage).any()


# --- places ---------------------------------------------------------------------------------------------------------


def crowded() -> tuple[Known, Calibration]:
    """Everybody was triaged twenty minutes ago, and there are two nurses."""
    known, c = situation_at().known, believed_of()
    assert known.on_own_path is not None
    few = {**known.on_own_path.capacity, "nurse": 2}
    everyone, since = np.full(known.count, PROVIDER), np.full(known.count, -20.0)
    return replace(
        known, situation=everyone, since_min=since, arrived_min=since - 10.0, unit=np.full(known.count, -1),
        p_here=np.ones(known.count), contact_ahead=np.ones(known.count), triage_ahead=np.ones(known.count),
        on_own_path=replace(known.on_own_path, capacity=few),
    ), c  # fmt: skip


def most_held(known: Known, c: Calibration, pool: str) -> int:
    """The most that any member holds of a pool in a stage that it might queue for instead."""
    wanting = [k for k, s in enumerate(c.path.stages) if pool in s.asks and s.starts is None]
    return max(int((p.here & p.serving & np.isin(p.stage, wanting)).sum()) for p in presents(known, c))


def test_who_came_last_queues_where_places_are_taken() -> None:
    known, c = crowded()
    assert most_held(known, c, "nurse") == 2


def test_too_many_in_a_stage_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_within_capacity", lambda c, own, where, here: where[2])
    known, c = crowded()
    assert most_held(known, c, "nurse") > 2


def test_who_came_first_is_the_one_who_is_served() -> None:
    """Of those who were put into a box nobody is served who came to it after one who has to queue again."""
    known, c = crowded()
    box = c.path.index("box")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(module, "_within_capacity", lambda c, own, where, here: where[2])
        before = presents(known, c)
    for present, free in zip(presents(known, c), before, strict=True):
        put = free.here & free.serving & (free.stage == box)
        served, sent_back = put & present.serving, put & ~present.serving
        assert served.sum() == 2
        assert present.since_min[served].max() <= present.since_min[sent_back].min(initial=0.0)


def test_nobody_queues_for_a_bed_that_is_free() -> None:
    """Three wait, and nobody lies in a ward; for intensive care and the short-stay unit too."""
    situation = situation_at()
    known, c = situation.known, situation.calibration
    boards = np.arange(known.count) < 3
    since = np.where(boards, -45.0, known.since_min)
    decided = replace(
        known, situation=np.where(boards, BED, known.situation), since_min=since, unit=np.where(boards, -1, known.unit),
        p_here=np.where(boards, 1.0, 0.0),
    )  # fmt: skip
    beds = [k for k, s in enumerate(c.path.stages) if _asks_a_bed(s)]
    for present in presents(decided, c):
        assert not (present.here & boards & ~present.serving & np.isin(present.stage, beds)).any()


def _asks_a_bed(stage: Stage) -> bool:
    return bool(stage.takes) and all(p == "wanted bed" or p.startswith("bed:") for p in stage.asks)


# --- both engines ---------------------------------------------------------------------------------------------------


def counter(number: int) -> str:
    """The counter with a doctor or two, beds that run short, and other times."""
    dice = np.random.Generator(np.random.PCG64(number))
    text = COUNTER.replace("always = 9", f"always = {dice.integers(1, 3)}")
    text = text.replace("beds = 9", f"beds = {dice.integers(1, 5)}")
    text = text.replace("value = 24", f"value = {dice.integers(20, 90)}")
    for told, minutes in (("value = 30", 5), ("value = 100", 60), ("value = 20,", 10)):
        law = f'law = "lognormal", median = {minutes + dice.integers(1, 20)}, sigma = 0.{dice.integers(3, 9)}'
        text = text.replace(f'law = "fixed", {told.rstrip(",")}', law)
    return text


@pytest.mark.parametrize("text", ["", COUNTER, *map(counter, range(6))])
@pytest.mark.parametrize("hours", [1, 47])
def test_both_engines_run_such_presents_alike(text: str, hours: int) -> None:
    """To the last bit, under every scenario."""
    situation = situation_at(START + timedelta(hours=hours), text)
    tried = scenarios("as_usual", "one_more_doctor", "ten_beds_closed", "mass_casualty_20")
    for first in range(len(tried)):
        law, engine = law_and_engine(situation, [*tried[first:], *tried[:first]], Run(horizon_min=480.0), first)
        assert same(law, engine)


def same(one: Story, other: Story) -> bool:
    return one.marks == other.marks and one.at_min.size > 0


def test_a_stage_drawn_otherwise_is_another_story() -> None:
    """So the check above looks at something."""
    situation = situation_at(SECOND_DAY)
    how, tried = Run(horizon_min=480.0), scenarios("as_usual")
    law, _ = law_and_engine(situation, tried, how, 0)
    aged = replace(situation, known=replace(situation.known, since_min=situation.known.since_min - 30.0))
    assert not same(law, law_and_engine(aged, tried, how, 0)[1])
