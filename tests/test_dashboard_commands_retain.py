"""`edtwin retain`: fifteen months of a small hospital on a simulated clock, what is left of them; kills, mutants."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from contextlib import suppress
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from dashboard.__main__ import main
from dashboard.audit.verify import records_of
from dashboard.commands import erase, retain
from dashboard.commands.forgotten import ENDED_MARK
from dashboard.commands.retain import retained
from dashboard.errors import CommandError
from dashboard.house import DATABASE, JOURNAL, House, open_house
from ingest import retention
from ingest.clock import SimulatedClock
from ingest.database import rows as asked
from ingest.days import read_days
from ingest.events import BedsCounted, StaffOnDuty, VisitEvent
from ingest.failpoints import watched
from ingest.log import Position
from ingest.rewriting import is_rewritten
from tests.old_worlds import BEGIN, UNTOLD, WEEK, Row, as_message, drawn, events_of, figures, settings_of, told, told_at
from tests.test_dashboard_commands_erase import raw
from tests.test_ingest_erasure import Killed, decoded, killed_at
from twin.day_figures import midnight
from twin.learned_days import Days
from twin.memory import Memory
from twin.state import State, fold

WEEKS, A_DAY = 66, 4.0
FIRST = date(2025, 3, 1)
"""What is kept in the middle of April 2026, by thirteen whole months."""
UNTIL = midnight(FIRST, "Europe/Paris")
NOW = BEGIN + WEEKS * WEEK


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return drawn(WEEKS, A_DAY)


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory, rows: list[Row]) -> Path:
    data = tmp_path_factory.mktemp("old") / "data"
    with told(data, rows, WEEKS):
        pass
    (data / f"{DATABASE}.before-20260101T000000Z").write_bytes(over(rows)[0].encode())
    return data


@pytest.fixture(scope="module")
def before(lived: Path) -> dict[str, object]:
    return view(lived, year=False)


@pytest.fixture
def data(lived: Path, tmp_path: Path) -> Path:
    shutil.copytree(lived, tmp_path / "data")
    return tmp_path / "data"


def kept(data: Path, **options: Any) -> retain.Retained:
    return retained(settings_of(data), clock=SimulatedClock(NOW), **options)


def seen(house: House, *, year: bool) -> dict[str, object]:
    """All that can be asked of the time that is kept; what is learned of a year takes long."""
    out: dict[str, object] = {}
    for after in (timedelta(hours=1), timedelta(days=9), NOW - UNTIL):
        at = UNTIL + after
        out[f"events {after}"] = house.log.read_table(since=UNTIL, known_at=at).to_pylist()
        state = fold(State(), house.log.read_versions(None, at))
        counted = [state.counted(kind, at) for kind in (BedsCounted, StaffOnDuty)]
        stock = [e for e in state.supplies if e.occurred_at >= UNTIL - WEEK]
        out[f"present {after}"] = state.present(at, at - timedelta(days=30)), state.inpatients(at), counted, stock
        if after > timedelta(days=150):
            memory = Memory(house.log).at(at)
            out[f"memory {after}"] = memory.visits, memory.supplies
    if year:
        before = Days(house.log).before(NOW)
        out["year"] = before.until, [v for v in before.visits if v.arrived_at and v.arrived_at >= UNTIL]
    return out


def view(data: Path, *, year: bool = True) -> dict[str, object]:
    with open_house(settings_of(data), SimulatedClock(NOW)) as house:
        return seen(house, year=year)


def day_table(data: Path) -> dict[tuple[object, ...], float]:
    with open_house(settings_of(data), SimulatedClock(NOW)) as house:
        table = read_days(house.database.cursor(), date.min, date.max).to_pylist()
    return {(r["day"], r["measure"], r["hour"], r["by"], r["part"]): r["value"] for r in table}


def over(rows: list[Row]) -> list[str]:
    """Visits that are over for good: they left before the limit, or nothing was heard of them for long before it."""
    ends = [(r.visit, told_at(r.ward_until_at or r.left_at or r.seen_at + timedelta(days=150))) for r in rows]
    return [visit for visit, end in ends if end < UNTIL]


def check_gone(data: Path, rows: list[Row]) -> None:
    """Nothing of before the limit is in any file, packed or not, but of visits that went on and counts that stand."""
    gone, everything = over(rows), raw(data)
    assert len(gone) > 150
    assert [visit for visit in gone if visit.encode() in everything] == []
    with open_house(settings_of(data), SimulatedClock(NOW)) as house:
        unpacked = decoded(house.journal)
        assert [visit for visit in gone if visit in unpacked] == []
        old = house.log.read(until=UNTIL)
    visits = {e.visit for e in old if isinstance(e, VisitEvent)}
    assert visits == {r.visit for r in rows if r.arrived_at < UNTIL} - set(gone)
    standing = [e.kind for e in old if not isinstance(e, VisitEvent)]
    assert Counter(standing) == {"BedsCounted": 3, "StaffOnDuty": 2, "StockCounted": 2, "SupplyDelivered": 1}


def check_figures(data: Path, rows: list[Row]) -> None:
    """They are what the visits amount to, counted another way."""
    found, expected = day_table(data), figures(rows, WEEKS, date(2025, 1, 1), FIRST)
    assert {key: value for key, value in found.items() if key[1] not in UNTOLD} == expected
    assert {key[1] for key in found} - {key[1] for key in expected} == set(UNTOLD)
    parts = [value for (_, measure, _, by, part), value in found.items()
             if by and part != "pooled" and measure not in ("beds", "observed:ed_census")]  # fmt: skip
    assert min(parts) >= 5


def test_fifteen_months_become_thirteen_and_figures_of_days(
    data: Path, rows: list[Row], before: dict[str, object], capsys: pytest.CaptureFixture[str]
) -> None:
    backups = data.with_name("backups")
    (backups / "edtwin-20260401T081200Z").mkdir(parents=True)
    look = kept(data, look=True)
    done = kept(data, backups=backups)
    assert (look.events, look.visits, look.until) == (done.events, done.visits, UNTIL.isoformat())
    assert (done.visits, done.days, done.left, done.mixed) == (len(over(rows)), 59, (), 0)
    assert done.records > 150 < done.rows
    assert done.backups == ("edtwin-20260401T081200Z",)
    assert "ended_at" in json.loads((backups / "edtwin-20260401T081200Z" / ENDED_MARK).read_text())
    check_gone(data, rows)
    check_figures(data, rows)
    assert view(data, year=False) == before
    table = day_table(data)
    assert main(["rebuild", "--data", str(data)]) == 0  # a database made anew is the same
    (aside,) = data.glob(f"{DATABASE}.before-*")
    aside.unlink()
    assert (view(data, year=False), day_table(data)) == (before, table)
    check_gone(data, rows)
    told = next(one.deed for one in records_of(data / "audit") if one.deed.what == "retain")
    assert (told.told["until"], told.told["visits"], told.told["files_left"]) == (UNTIL.isoformat(), done.visits, 0)
    assert kept(data) == retain.Retained()  # nothing is due any more
    capsys.readouterr()
    assert main(["export", "days", "--out", str(data.with_name("days.csv")), "--data", str(data), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rows"] == len(table)


@pytest.mark.soak
def test_what_is_learned_of_a_year_is_the_same(data: Path) -> None:
    before = view(data)
    kept(data)
    assert view(data) == before


def test_what_comes_again_is_refused_and_counted(data: Path, rows: list[Row], caplog: pytest.LogCaptureFixture) -> None:
    kept(data)
    old = next(r for r in rows if r.visit == over(rows)[0])
    going_on = next(r for r in rows if r.arrived_at < UNTIL < (r.ward_until_at or UNTIL))
    with open_house(settings_of(data), SimulatedClock(NOW)) as house:
        before, accounts = house.log.length(), house.log.accounts()
        again = [*events_of(old), *events_of(going_on)]
        appended = house.log.append(again, Position(source="er", offset=WEEKS + 1))
        assert (appended.stored, appended.duplicate) == (0, len(list(events_of(going_on))))
        house.journal.append([as_message(event) for event in again])
        house.indexer.catch_up()
        assert house.log.length() == before
        assert house.log.remarks()[("adt", "ignored", "too_old")] == len(list(events_of(old)))
        adt = house.log.accounts()["adt"]
        assert adt.ignored - accounts["adt"].ignored == len(list(events_of(old)))
        assert adt.duplicate - accounts["adt"].duplicate == len(list(events_of(going_on)))
    assert "are left out: they happened before 2025-02-28 23:00 UTC" in caplog.text
    length = before
    assert main(["rebuild", "--data", str(data)]) == 0
    with open_house(settings_of(data), SimulatedClock(NOW)) as house:
        assert house.log.length() == length
        assert house.log.positions()["er"].offset == WEEKS + 1
    with pytest.raises(AssertionError):  # the payloads that came again are in the journal until the next time
        check_gone(data, rows)
    later = SimulatedClock(NOW + timedelta(days=30))
    assert retained(settings_of(data), clock=later).days == 31
    with open_house(settings_of(data), SimulatedClock(NOW)) as house:
        assert old.visit not in decoded(house.journal)
    table = day_table(data)
    assert {key[0] for key in table} == {date(2025, 1, 1) + timedelta(days=k) for k in range(90)}


MUTANTS: dict[str, tuple[Any, str, Any]] = {
    "rows of batches stay": (retention.Ender, "_batch", lambda self, record: record),
    "messages stay": (retention.Ender, "_message", lambda self, record: record),
    "visits that go on go": (retention, "LATE", timedelta(days=-400)),
    "counts that stand go": (retention, "_COUNTS", "SELECT event_id FROM event WHERE false AND occurred_at < $until"),
    "figures cross the limit": (retain, "local", lambda at, zone: at - timedelta(days=1)),
    "the database before is left": (erase, "_aside", lambda settings: None),
}  # fmt: skip


QUICK = ("rows of batches stay",)


@pytest.mark.parametrize("mutant", [m if m in QUICK else pytest.param(m, marks=pytest.mark.soak) for m in MUTANTS])
def test_the_checks_see_what_is_wrong(
    data: Path, rows: list[Row], before: dict[str, object], monkeypatch: pytest.MonkeyPatch, mutant: str
) -> None:
    monkeypatch.setattr(*MUTANTS[mutant])

    def check() -> None:
        assert kept(data).left == ()
        check_gone(data, rows)
        check_figures(data, rows)
        assert view(data, year=False) == before

    with pytest.raises(AssertionError):
        check()


# --------------------------------------------------------------------------------------------------------------- kills

FEW = 60


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Few visits, over as many months."""
    data = tmp_path_factory.mktemp("few") / "data"
    with told(data, drawn(WEEKS, A_DAY)[::FEW], WEEKS):
        pass
    return data


@pytest.fixture(scope="module")
def whole(small: Path) -> tuple[dict[str, object], dict[tuple[object, ...], float]]:
    """What can be asked before, and the figures that there are when nothing hinders."""
    place = shutil.copytree(small, small.with_name("whole"))
    assert over(drawn(WEEKS, A_DAY)[::FEW])[0].encode() in raw(place)
    kept(place)
    return view(small, year=False), day_table(place)


STEPS = ("days", "segment", "sync", "mark", "marked", "rebuild", "replace", "change", "backups")


@pytest.mark.parametrize(
    "step", [s if s in ("days", "marked") else pytest.param(s, marks=pytest.mark.soak) for s in STEPS]
)
def test_killed_between_any_two_steps_it_is_finished_or_was_never_begun(
    small: Path, whole: tuple[dict[str, object], dict[tuple[object, ...], float]], tmp_path: Path, step: str
) -> None:
    before, table = whole
    gone, place = over(drawn(WEEKS, A_DAY)[::FEW])[0].encode(), shutil.copytree(small, tmp_path / "data")
    die, steps = killed_at(1 + STEPS.index(step))
    with pytest.raises(Killed), watched(die):
        kept(place)
    assert steps == list(STEPS[: 1 + STEPS.index(step)])
    if is_rewritten(place / JOURNAL):
        with pytest.raises(CommandError, match="was not finished: edtwin retain --finish"):
            view(place, year=False)
        assert main(["retain", "--finish", "--data", str(place)]) == 0
    else:
        assert gone in raw(place)
        assert view(place, year=False) == before
        kept(place)
    assert gone not in raw(place)
    assert (view(place, year=False), day_table(place)) == (before, table)


@pytest.mark.soak
def test_the_check_sees_figures_that_are_told_twice(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mutant does not see that the days were kept before it was killed, and a figure is there twice."""
    place = shutil.copytree(small, tmp_path / "data")
    step, _ = killed_at(1)
    with suppress(Killed), watched(step):
        kept(place)
    monkeypatch.setattr("ingest.log.EventLog.ended", lambda self: None)
    kept(place)
    with open_house(settings_of(place), SimulatedClock(NOW)) as house:
        (twice,) = asked(
            house.database.cursor(), 'SELECT count(*) - count(DISTINCT (day, measure, hour, "by", part)) FROM day'
        )
    assert twice[0] > 0


def test_bad_requests_are_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for options in ([], ["--finish"], ["--look"]):
        assert main(["retain", *options, "--data", str(tmp_path / "nothing")]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 3
