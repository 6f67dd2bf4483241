"""The archive: what was said is read back as it was said, scored once it is due, and kept as long as stated."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from forecast.archive import KEEP_FORECASTS, KEEP_SCENARIOS, LOOK_BACK, SCHEMA_SQL, Archive, CycleRecord, thinned
from forecast.archive_rows import RAW, RIVAL, forecast_table, issue_table
from forecast.errors import AlreadyIssuedError
from forecast.values import LEVELS, Array, Forecast, Series
from forecast.verify import VERIFIED_LEADS_MIN, Pairs, joined, score, verify
from ingest.database import Database
from ingest.errors import EdtwinError

NAN = float("nan")
ISSUED = datetime(2026, 3, 2, 6, 0, 0, 1, tzinfo=UTC)
LEADS = np.arange(15.0, 1441.0, 15.0)
HOUR = timedelta(hours=1)
EVER = (datetime(2000, 1, 1, tzinfo=UTC), datetime(2101, 1, 1, tzinfo=UTC))


@pytest.fixture
def database() -> Iterator[Database]:
    with Database.open(None, [SCHEMA_SQL]) as opened:
        yield opened


@pytest.fixture
def archive(database: Database) -> Archive:
    return Archive(database)


def flat(value: float, size: int = LEADS.size) -> Series:
    return Series(np.full(size, value), {level: np.full(size, value + level) for level in LEVELS})


def forecast(issued_at: datetime = ISSUED, *, census: float = 40.0) -> Forecast:
    return Forecast(
        issued_at=issued_at,
        as_of=issued_at - timedelta(minutes=1),
        known_at=issued_at - timedelta(seconds=30),
        lead_min=LEADS,
        scenarios={
            "as_usual": {"ed_census": flat(census), "wait_min:3A": flat(NAN)},
            "ten_beds_closed": {"ed_census": flat(census + 5), "wait_min:3A": flat(9.0)},
        },
        differences={"ten_beds_closed": {"ed_census": flat(5.0), "wait_min:3A": flat(NAN)}},
        provenance={"seed": 7, "state": "ab12", "settings": {"members": 200, "zone": "Europe/Paris"}},
    )


def same_series(one: Series, other: Series) -> bool:
    return tuple(one.quantiles) == tuple(other.quantiles) and all(
        a.tobytes() == b.tobytes()
        for a, b in [(one.mean, other.mean), *zip(one.quantiles.values(), other.quantiles.values(), strict=True)]
    )


def same(one: Forecast, other: Forecast) -> bool:
    """Equal to the last bit, and in the same order."""
    plain = ("issued_at", "as_of", "known_at", "provenance")
    nested = [(f.scenarios, f.differences) for f in (one, other)]
    names = [[[(k, list(v)) for k, v in part.items()] for part in parts] for parts in nested]
    return (
        all(getattr(one, name) == getattr(other, name) for name in plain)
        and one.lead_min.tobytes() == other.lead_min.tobytes()
        and names[0] == names[1]
        and all(
            same_series(series, theirs[scenario][measure])
            for ours, theirs in zip(*nested, strict=True)
            for scenario, measures in ours.items()
            for measure, series in measures.items()
        )
    )


def same_pairs(one: Pairs, other: Pairs) -> bool:
    plain = [f.name for f in fields(Pairs) if f.name not in ("inside", "rivals", "levels")]
    rows = [(getattr(one, name), getattr(other, name)) for name in plain]
    rows += [(one.inside[percent], other.inside[percent]) for percent in one.inside]
    rows += [(r.crps, other.rivals[name].crps) for name, r in one.rivals.items()]
    rows += [(r.absolute_error, other.rivals[name].absolute_error) for name, r in one.rivals.items()]
    rows += [(r.quantiles, other.rivals[name].quantiles) for name, r in one.rivals.items()]
    return one.levels == other.levels and all(same_values(a, b) for a, b in rows)


def same_values(a: npt.NDArray[Any], b: npt.NDArray[Any]) -> bool:
    return a.tolist() == b.tolist() or np.array_equal(a, b, equal_nan=True)


def test_a_forecast_is_read_back_equal(archive: Archive) -> None:
    stored = forecast()
    archive.store(stored)
    (found,) = archive.forecasts(*EVER)
    assert same(found, stored)
    assert not same(found, forecast(census=41.0))
    assert found.members == {}


floats = st.floats(width=64)
FIRST, LAST = EVER[0].replace(tzinfo=None), EVER[1].replace(tzinfo=None) - timedelta(microseconds=1)
instants = st.datetimes(FIRST, LAST, timezones=st.just(UTC))


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_forecast_is_read_back_to_the_last_bit(archive: Archive, data: st.DataObject) -> None:
    leads = data.draw(st.integers(1, 5))
    column = arrays(np.float64, leads, elements=floats)

    def series() -> Series:
        return Series(data.draw(column), {level: data.draw(column) for level in (0.1, 0.5, 0.9)})

    scenarios = data.draw(st.lists(st.text(min_size=1, max_size=5), min_size=1, max_size=3, unique=True))
    measures = data.draw(st.lists(st.text(min_size=1, max_size=5), min_size=1, max_size=3, unique=True))
    said = Forecast(
        issued_at=data.draw(instants),
        as_of=data.draw(instants),
        known_at=data.draw(instants),
        lead_min=np.arange(float(leads)),
        scenarios={scenario: {measure: series() for measure in measures} for scenario in scenarios},
        differences={scenario: {measure: series() for measure in measures} for scenario in scenarios[1:]},
        provenance={"note": data.draw(st.text(max_size=5))},
    )
    archive.store(said)
    (found,) = archive.forecasts(*EVER)
    archive.prune(said.issued_at + 2 * KEEP_FORECASTS)
    assert same(found, said)


def test_one_scenario_or_measure_can_be_asked_for(archive: Archive) -> None:
    archive.store(forecast())
    (found,) = archive.forecasts(*EVER, scenario="ten_beds_closed", measure="ed_census")
    assert found.scenarios.keys() == {"ten_beds_closed"}
    assert found.scenarios["ten_beds_closed"].keys() == {"ed_census"}
    assert same_series(found.differences["ten_beds_closed"]["ed_census"], flat(5.0))


def test_what_was_said_is_never_overwritten(archive: Archive) -> None:
    archive.store(forecast())
    with pytest.raises(AlreadyIssuedError, match=r"2026-03-02T06:00:00\.000001"):
        archive.store(forecast(census=1.0))
    assert same(archive.forecasts(*EVER)[0], forecast())
    assert issubclass(AlreadyIssuedError, EdtwinError)


def test_a_forecast_that_does_not_fit_together_leaves_nothing(archive: Archive) -> None:
    whole = forecast()
    short = {"as_usual": {"ed_census": flat(1.0, 3)}}
    other = {"as_usual": {"a": flat(1.0), "b": Series(LEADS, {0.5: LEADS})}}
    for wrong, rule in (
        (replace(whole, scenarios=short, differences={}), "must have 96 leads"),
        (replace(whole, scenarios=other, differences={}), "must have the levels"),
        (replace(whole, differences={"unheard_of": {"ed_census": flat(1.0)}}), "of a scenario and measure"),
    ):
        with pytest.raises(ValueError, match=rule):
            archive.store(wrong)
    assert archive.forecasts(*EVER) == []
    assert archive.latest() is None


class InTwoTransactions(Archive):
    """Known to be wrong: a crash between the two leaves a forecast without rows."""

    def store(self, forecast: Forecast) -> None:
        for table, rows in (("issue", issue_table(forecast, thinned=False)), ("forecast", forecast_table(forecast))):
            with self._database.transaction() as cursor:
                self._insert(cursor, table, rows)


def leaves_nothing_half_done(kind: type[Archive]) -> bool:
    with Database.open(None, [SCHEMA_SQL]) as opened:
        opened.cursor().execute("ALTER TABLE forecast DROP COLUMN mean")
        with pytest.raises(Exception, match="mean"):
            kind(opened).store(forecast())
        return opened.cursor().execute("SELECT count(*) FROM issue").fetchall() == [(0,)]


def test_a_write_that_fails_half_way_leaves_nothing() -> None:
    assert leaves_nothing_half_done(Archive)
    assert not leaves_nothing_half_done(InTwoTransactions)


def test_latest_and_six_hours_ago(archive: Archive) -> None:
    assert archive.issued_near(ISSUED) is None
    for hour in range(8):
        archive.store(forecast(ISSUED + hour * HOUR, census=float(hour)))
    latest = archive.latest(scenario="as_usual")
    assert latest is not None
    assert latest.issued_at == ISSUED + 7 * HOUR
    assert latest.scenarios.keys() == {"as_usual"}
    near = archive.issued_near(ISSUED + timedelta(minutes=70), measure="ed_census")
    assert near is not None
    assert near.issued_at == ISSUED + HOUR
    assert archive.issued_near(ISSUED - HOUR) is None
    assert [f.issued_at for f in archive.forecasts(ISSUED + HOUR, ISSUED + 3 * HOUR)] == [
        ISSUED + HOUR,
        ISSUED + 2 * HOUR,
    ]


def told_beside(size: int) -> dict[str, dict[str, Series]]:
    return {
        "persistence": {"ed_census": flat(NAN, size)},
        "climatology": {"ed_census": flat(50.0, size), "wait_min:3A": flat(3.0, size)},
    }


def met(
    said: Forecast,
    came: float,
    leads: tuple[float, ...] = VERIFIED_LEADS_MIN,
    raw: dict[str, Series] | None = None,
) -> Pairs:
    truth = {"ed_census": np.full(len(leads), came), "wait_min:3A": np.full(len(leads), NAN)}
    return score(said, truth, told_beside(len(leads)), lead_min=leads, raw=raw)


def test_a_forecast_is_pending_lead_by_lead_as_truth_comes(archive: Archive) -> None:
    said = forecast()
    archive.store(said)
    assert archive.pending(said.as_of + timedelta(minutes=59)) == []
    (due,) = archive.pending(said.as_of + 4 * HOUR)
    assert due.lead_min == (60.0, 120.0, 240.0)
    assert due.forecast.scenarios.keys() == {"as_usual"}
    archive.store_scores(met(due.forecast, 41.0, due.lead_min), verified_at=ISSUED + 4 * HOUR)
    assert archive.pending(said.as_of + 4 * HOUR) == []
    (rest,) = archive.pending(said.as_of + 30 * HOUR)
    assert rest.lead_min == (480.0, 720.0, 1440.0)


def test_what_was_not_verified_for_long_is_only_found_when_asked_for(archive: Archive) -> None:
    archive.store(forecast())
    late = ISSUED + LOOK_BACK + HOUR
    assert archive.pending(late) == []
    assert len(archive.pending(late, since=ISSUED)) == 1


def test_pending_is_oldest_first_and_knows_the_leads_of_a_short_forecast(archive: Archive) -> None:
    short = thinned(forecast(ISSUED + HOUR), (60.0,))
    for said in (short, forecast()):
        archive.store(said)
    found = archive.pending(ISSUED + 5 * HOUR)
    assert [(p.forecast.issued_at, p.lead_min) for p in found] == [
        (ISSUED, (60.0, 120.0, 240.0)),
        (ISSUED + HOUR, (60.0,)),
    ]


def simulated(census: float) -> dict[str, Series]:
    return {"ed_census": flat(census)}


def kept_and_met(archive: Archive, hour: int) -> Pairs:
    """A recalibrated forecast with all that is told beside it, as the record keeps it."""
    said, raw = forecast(ISSUED + hour * HOUR), simulated(45.0 + hour)
    beside = {f"{RIVAL}{name}": told for name, told in told_beside(LEADS.size).items()}
    archive.store(replace(said, scenarios={**said.scenarios, RAW: raw, **beside}))
    return met(said, 38.0 + hour, raw=raw)


def scores_come_back(store: Callable[[Archive, Pairs], None], archive: Archive) -> bool:
    pairs = joined([kept_and_met(archive, hour) for hour in range(3)])
    store(archive, pairs)
    return same_pairs(archive.pairs(*EVER), pairs)


def test_quantiles_are_those_of_the_forecasts_and_unknown_where_these_are_not_kept(archive: Archive) -> None:
    whole = kept_and_met(archive, 0)
    archive.store_scores(joined([whole, met(forecast(ISSUED + HOUR), 38.0)]), verified_at=ISSUED)
    found = archive.pairs(*EVER)
    assert (found.quantiles[0] == 40.0 + np.array(LEVELS)).all()
    assert (found.raw_quantiles[0] == 45.0 + np.array(LEVELS)).all()
    assert (found.rivals["climatology"].quantiles[0] == 50.0 + np.array(LEVELS)).all()
    half = len(whole)
    for lost in (found.quantiles, found.raw_quantiles, found.rivals["climatology"].quantiles):
        assert np.isnan(lost[half:]).all()
    archive.prune(ISSUED + KEEP_SCENARIOS + 2 * HOUR)
    assert same_pairs(archive.pairs(*EVER), found)


def test_a_simulation_that_was_not_kept_is_not_taken_for_what_was_published(archive: Archive) -> None:
    said = forecast()
    archive.store(said)  # as one was kept before the simulation's own was
    archive.store_scores(met(said, 38.0, raw=simulated(45.0)), verified_at=ISSUED)
    census = archive.pairs(*EVER, measure="ed_census")
    assert np.isnan(census.raw_quantiles).all()
    assert not np.isnan(census.quantiles).any()
    archive.store_scores(met(said, 38.0), verified_at=ISSUED)
    alike = archive.pairs(*EVER, measure="ed_census")
    assert (alike.raw_quantiles == alike.quantiles).all()


def test_scores_are_read_back_equal_and_a_store_that_drops_the_undefined_is_caught(archive: Archive) -> None:
    def whole(into: Archive, pairs: Pairs) -> None:
        into.store_scores(pairs, verified_at=ISSUED)

    def without_undefined(into: Archive, pairs: Pairs) -> None:
        whole(into, replace(pairs, crps=np.nan_to_num(pairs.crps)))

    assert scores_come_back(whole, archive)
    assert not scores_come_back(without_undefined, Archive(Database.open(None, [SCHEMA_SQL])))
    again = Archive(Database.open(None, [SCHEMA_SQL]))
    assert again.pairs(*EVER).lead_min.size == 0
    assert again.skill(*EVER) == {}


def test_a_later_look_at_the_truth_replaces_the_earlier(archive: Archive) -> None:
    archive.store_scores(met(forecast(), 41.0), verified_at=ISSUED)
    archive.store_scores(met(forecast(), 44.0, (60.0,)), verified_at=ISSUED + HOUR)
    pairs = archive.pairs(*EVER, measure="ed_census")
    assert pairs.observed.tolist() == [44.0, 41.0, 41.0, 41.0, 41.0, 41.0]


def test_skill_is_that_of_the_pairs_in_the_period(archive: Archive) -> None:
    parts = [met(forecast(ISSUED + day * 24 * HOUR), 38.0 + day) for day in range(9)]
    archive.store_scores(joined(parts), verified_at=ISSUED)
    found = archive.skill(ISSUED + 24 * HOUR, ISSUED + 8 * 24 * HOUR, measure="ed_census")
    assert found["ed_census"][240.0].as_json() == verify(joined(parts[1:8]))["ed_census"][240.0].as_json()
    assert found["ed_census"][240.0].n == 7


def test_cycles_are_kept(archive: Archive) -> None:
    done = CycleRecord(ISSUED, ISSUED + HOUR / 60, ISSUED + HOUR / 30, 31.5, "done")
    failed = CycleRecord(ISSUED + HOUR, ISSUED + HOUR, ISSUED + HOUR, 0.2, "failed", "the simulation gave no answer")
    for cycle in (failed, done):
        archive.record_cycle(cycle)
    assert archive.cycles(ISSUED) == [done, failed]
    assert archive.cycles(ISSUED + HOUR) == [failed]


def test_old_forecasts_are_thinned_and_very_old_ones_go(archive: Archive) -> None:
    now = ISSUED + KEEP_FORECASTS + HOUR
    ages = {"gone": ISSUED, "thin": now - KEEP_SCENARIOS - HOUR, "whole": now - KEEP_SCENARIOS + HOUR}
    for issued_at in ages.values():
        archive.store(forecast(issued_at))
        archive.record_cycle(CycleRecord(issued_at, issued_at, issued_at, 1.0, "done"))
        archive.store_scores(met(forecast(issued_at), 40.0), verified_at=now)
    for _ in range(2):
        archive.prune(now)
        thin, whole = archive.forecasts(*EVER)
        assert same(whole, forecast(ages["whole"]))
        assert same(thin, thinned(forecast(ages["thin"]), VERIFIED_LEADS_MIN))
        assert [c.issued_at for c in archive.cycles(EVER[0])] == [ages["thin"], ages["whole"]]
        assert len(archive.pairs(*EVER)) == 2 * 2 * len(VERIFIED_LEADS_MIN)


def test_a_thinned_forecast_scores_as_before() -> None:
    assert same_pairs(met(thinned(forecast(), VERIFIED_LEADS_MIN), 38.0), met(forecast(), 38.0))


def test_the_archive_outlives_the_process(tmp_path: Path) -> None:
    for _ in range(2):
        with Database.open(tmp_path / "edtwin.duckdb", [SCHEMA_SQL]) as opened:
            if not (found := Archive(opened).forecasts(*EVER)):
                Archive(opened).store(forecast())
    assert same(found[0], forecast())


def uncommented(database: Database) -> list[str]:
    rows = database.cursor().execute(
        """SELECT table_name || '.' || column_name FROM duckdb_columns() WHERE comment IS NULL
           AND table_name IN ('issue', 'forecast', 'score', 'cycle')
           UNION ALL SELECT table_name FROM duckdb_tables() WHERE comment IS NULL"""
    )
    return [name for (name,) in rows.fetchall()]


def test_every_table_and_column_says_what_it_holds(database: Database, tmp_path: Path) -> None:
    assert uncommented(database) == []
    silent = tmp_path / "forecast" / "schema.sql"
    silent.parent.mkdir()
    silent.write_text(re.sub(r"COMMENT ON COLUMN score\.crps[^;]*;", "", SCHEMA_SQL.read_text()))
    with Database.open(None, [silent]) as opened:
        assert uncommented(opened) == ["score.crps"]


def test_lead_lists_of_other_lengths_do_not_mix(archive: Archive) -> None:
    archive.store(forecast())
    archive.store(thinned(forecast(ISSUED + HOUR), (60.0, 240.0)))
    sizes: list[Array] = [f.scenarios["as_usual"]["ed_census"].quantiles[0.5] for f in archive.forecasts(*EVER)]
    assert [each.size for each in sizes] == [96, 2]


def test_the_last_one_issued_by_an_instant_and_those_beside_it(archive: Archive) -> None:
    assert archive.issued_by(ISSUED, within=HOUR) is None
    assert archive.issues_beside(ISSUED) == (None, None)
    for hours in (0, 1, 3):
        archive.store(forecast(ISSUED + hours * HOUR, census=40.0 + hours))
    found = archive.issued_by(ISSUED + 1.5 * HOUR, within=HOUR)
    assert found is not None
    assert found.issued_at == ISSUED + HOUR
    own = archive.issued_by(ISSUED + HOUR, within=HOUR)
    assert own is not None
    assert own.issued_at == ISSUED + HOUR, "also the one of the instant itself"
    assert archive.issued_by(ISSUED + 2.5 * HOUR, within=HOUR) is None, "too long ago, and never one of later"
    assert archive.issues_beside(ISSUED + HOUR) == (ISSUED, ISSUED + 3 * HOUR)
