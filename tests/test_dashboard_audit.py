"""The audit: its chain and what touches it, its months, its gaps, what is recorded of a house, and the command.

Each way of touching the files is tried on the same chain, by the same check.
"""

from __future__ import annotations

import errno
import inspect
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, Response, g
from flask.testing import FlaskClient

from dashboard.__main__ import RECORDED, main
from dashboard.access.roles import EVERYBODY, STRANGER, SignedIn
from dashboard.alert_desk import answered
from dashboard.app import WallSettings, build_app
from dashboard.audit import chain as chain_of_files
from dashboard.audit.acts import DOORS, audited, of_sign_ins
from dashboard.audit.chain import ANCHOR, Chain, Head, anchor_in, files_of
from dashboard.audit.consultations import FORMS, NOBODYS, NOT_ALLOWED, PAGES, TICKS, answer_to_audit
from dashboard.audit.records import Deed, Written, line_of
from dashboard.audit.trail import Trail
from dashboard.audit.verify import Verified, records_of, verify
from dashboard.audit.wiring import begin, set_here, shown_head
from dashboard.drill import Exercise
from dashboard.known_wiring import KnownPage
from dashboard.panels import about as about_page
from dashboard.panels import banner
from dashboard.probes import answer_metrics
from dashboard.settings import Settings
from dashboard.words import Language, Reader
from forecast.alerts import Alerts
from forecast.backtest_desk import BacktestDesk
from forecast.desk import Desk
from forecast.errors import AlarmError
from forecast.grid_desk import GridDesk
from forecast.replay_desk import ReplayDesk
from forecast.whatif_ask import Asking
from ingest.clock import SimulatedClock, stopwatch
from tests.alert_worlds import department
from tests.api_worlds import world_of
from tests.boards import ordinary
from tests.term_views import about
from tests.test_dashboard_app import SCREEN, refresh

AT = datetime(2026, 11, 5, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ROOT = Path(__file__).parents[1]


def deed(number: int, at: datetime = AT) -> Deed:
    return Deed(at=at + number * MINUTE, kind="page", what=f"page {number}", who="Anna Nõmm", role="viewer")


def chain_in(folder: Path, months: int = 12) -> Chain:
    return Chain(folder / "audit", folder / ANCHOR, months)


def checked(folder: Path, noted: str | None = None) -> Verified:
    return verify(folder / "audit", folder / ANCHOR, noted)


def written(folder: Path) -> list[Written]:
    return list(records_of(folder / "audit"))


@pytest.fixture
def three_months(tmp_path: Path) -> Path:
    """Thirty records of three months, written in groups."""
    chain = chain_in(tmp_path)
    for month in (9, 10, 11):
        start = AT.replace(month=month)
        for first in (0, 4):
            chain.append([deed(n, start) for n in range(first, first + 4)], "live")
    return tmp_path


# ----------------------------------------------------------------------------------------------------------- the chain


def test_a_chain_is_whole_over_months_and_anybody_can_check_it_with_a_hash(three_months: Path) -> None:
    found = checked(three_months)
    assert (found.faults, found.records) == ((), 3 * 8 + 3)
    lines = [line for path in files_of(three_months / "audit") for line in path.read_bytes().splitlines()]
    befores = [json.loads(line)["before"] for line in lines]
    assert befores == ["0" * 64, *(sha256(line).hexdigest() for line in lines[:-1])]
    assert anchor_in(three_months / ANCHOR) == found.head == Head(27, sha256(lines[-1]).hexdigest())
    opened = [one.deed.told for one in written(three_months) if one.deed.what == "month opened"]
    assert opened == [
        {"month": "2026-09", "month_before": None},
        {"month": "2026-10", "month_before": "2026-09"},
        {"month": "2026-11", "month_before": "2026-10"},
    ]


Touch = Callable[[list[Path]], object]


def removed(files: list[Path]) -> None:
    for path in files:
        path.unlink()


def lines_in(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True)


def edited(path: Path, change: Callable[[list[bytes]], list[bytes]]) -> None:
    path.write_bytes(b"".join(change(lines_in(path))))


def forged(lines: list[bytes]) -> list[bytes]:
    """One put in behind the third, holding its hash, as whoever knows the form would."""
    before = sha256(lines[2].rstrip(b"\n")).hexdigest()
    number = json.loads(lines[2])["n"] + 1
    return [*lines[:3], line_of(deed(3, AT), number, before, "live") + b"\n", *lines[3:]]


def chained_anew(files: list[Path]) -> None:
    """The whole of a file's tail made anew behind a record that is changed: the chain holds again."""
    lines = lines_in(files[-1])
    made, before = [lines[0]], sha256(lines[0].rstrip(b"\n")).hexdigest()
    for line in lines[1:]:
        told = json.loads(line) | {"before": before, "who": "somebody else"}
        made.append(json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")
        before = sha256(made[-1].rstrip(b"\n")).hexdigest()
    files[-1].write_bytes(b"".join(made))


TOUCHES: dict[str, Touch] = {
    "a record changed": lambda f: edited(f[1], lambda x: [*x[:3], x[3].replace(b"Anna", b"Otto"), *x[4:]]),
    "the last record of all changed": lambda f: edited(f[2], lambda x: [*x[:-1], x[-1].replace(b"Anna", b"Otto")]),
    "a record removed": lambda f: edited(f[1], lambda x: [*x[:3], *x[4:]]),
    "the first record of all removed": lambda f: edited(f[0], lambda x: x[1:]),
    "a record put in": lambda f: edited(f[1], forged),
    "two records changed about": lambda f: edited(f[1], lambda x: [*x[:3], x[4], x[3], *x[5:]]),
    "a record put in twice": lambda f: edited(f[1], lambda x: [*x[:3], x[3], x[3], *x[4:]]),
    "cut off at the end": lambda f: edited(f[2], lambda x: x[:-1]),
    "cut off within a line": lambda f: f[2].write_bytes(f[2].read_bytes()[:-9]),
    "the last month removed": lambda f: f[2].unlink(),
    "a month in the middle removed": lambda f: f[1].unlink(),
    "the first month removed": lambda f: f[0].unlink(),
    "a month under another name": lambda f: f[2].rename(f[2].with_name("audit-2026-10b.jsonl")),
    "a month put before its time": lambda f: f[2].replace(f[1]),
    "the end chained anew": chained_anew,
    "a line that is none": lambda f: edited(f[1], lambda x: [*x[:3], b"{}\n", *x[3:]]),
    "all removed": removed,
    "the anchor removed": lambda f: (f[0].parents[1] / ANCHOR).unlink(),
}  # fmt: skip


@pytest.mark.parametrize("name", TOUCHES)
def test_whatever_is_touched_is_found(three_months: Path, name: str) -> None:
    assert checked(three_months).is_whole
    TOUCHES[name](files_of(three_months / "audit"))
    assert checked(three_months).faults


def test_what_is_made_anew_with_its_anchor_is_found_by_a_hash_that_was_noted(three_months: Path) -> None:
    noted = checked(three_months).head.hash
    assert checked(three_months, noted).is_whole
    assert checked(three_months, noted[:16].upper()).is_whole
    chained_anew(files_of(three_months / "audit"))
    last = sha256(lines_in(files_of(three_months / "audit")[-1])[-1].rstrip(b"\n")).hexdigest()
    (three_months / ANCHOR).write_text(json.dumps({"number": 27, "hash": last}))
    assert checked(three_months).is_whole  # as far as can be told from the files alone
    assert checked(three_months, noted).faults == (f"the record whose hash was noted, {noted}, is not there",)


def test_a_chain_without_hashes_would_hide_a_change(three_months: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mutant: a chain that links by number alone."""
    monkeypatch.setattr("dashboard.audit.records.hash_of", lambda line: "0" * 64)
    folder = three_months / "weak"
    monkeypatch.setattr(chain_of_files, "hash_of", lambda line: "0" * 64)
    monkeypatch.setattr("dashboard.audit.verify.hash_of", lambda line: "0" * 64)
    chain_in(folder).append([deed(n) for n in range(5)], "live")
    assert checked(folder).is_whole
    TOUCHES["a record changed"]([Path(), *files_of(folder / "audit")])
    assert checked(folder).is_whole  # and so the test above would be red


def test_months_that_are_too_old_are_removed_and_the_chain_says_so(tmp_path: Path) -> None:
    chain = chain_in(tmp_path, months=2)
    for month in range(1, 7):
        chain.append([deed(n, AT.replace(month=month)) for n in range(3)], "live")
    assert [path.name for path in chain.files()] == [f"audit-2026-0{month}.jsonl" for month in (4, 5, 6)]
    assert checked(tmp_path).is_whole
    told = [one.deed.told["month"] for one in written(tmp_path) if one.deed.what == "month expired"]
    assert told == ["2026-01", "2026-02", "2026-03"]
    chain.files()[0].unlink()
    assert "no record says that they expired" in checked(tmp_path).faults[0]


def test_twelve_months_are_kept(tmp_path: Path) -> None:
    chain = chain_in(tmp_path, Settings().audit_months)
    for ahead in range(15):
        chain.append([deed(0, AT.replace(year=2026 + (10 + ahead) // 12, month=(10 + ahead) % 12 + 1))], "live")
    assert len(chain.files()) == 13
    assert checked(tmp_path).is_whole


def test_what_a_process_that_died_left_unfinished_is_cut_off(three_months: Path) -> None:
    last = files_of(three_months / "audit")[-1]
    last.write_bytes(last.read_bytes() + b'{"n":28,"at":"2026-11-0')
    assert not checked(three_months).is_whole
    chain_in(three_months).append([deed(99)], "live")
    assert checked(three_months).is_whole
    assert written(three_months)[-1].deed == deed(99)


def test_several_processes_write_one_chain(tmp_path: Path) -> None:
    """Two that interleave, one of which knows nothing of the other."""
    one, other = chain_in(tmp_path), chain_in(tmp_path)
    for n in range(6):
        (one, other)[n % 2].append([deed(n)], "live" if n % 2 else "exercise")
    assert checked(tmp_path).is_whole
    assert [w.house for w in written(tmp_path)[1:]] == ["exercise", "live"] * 3


def test_a_process_is_killed_at_any_moment_and_the_chain_goes_on(tmp_path: Path) -> None:
    """What it said was on the disk is there after each kill, and nothing is found touched."""
    child = (
        "import sys; from datetime import *; from pathlib import Path\n"
        "from dashboard.audit.chain import ANCHOR, Chain; from dashboard.audit.records import Deed\n"
        "folder = Path(sys.argv[1]); chain = Chain(folder / 'audit', folder / ANCHOR, 12)\n"
        "deed = Deed(at=datetime.fromisoformat(sys.argv[2]), kind='page', what='wall')\n"
        "while True: print(chain.append([deed] * 3, 'live')[0].hash, flush=True)\n"
    )
    known: list[str] = []
    for kept in (3, 10):
        line = [sys.executable, "-c", child, str(tmp_path), AT.isoformat()]
        with subprocess.Popen(line, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
            assert process.stdout is not None
            known += [process.stdout.readline().strip() for _ in range(kept)]
            process.kill()
            known += process.stdout.read().split()
        chain_in(tmp_path).append([deed(0)], "live")
        assert all(checked(tmp_path, hash).is_whole for hash in (known[0], known[-1]))


def test_no_word_breaks_a_line_and_none_is_endless(tmp_path: Path) -> None:
    chain_in(tmp_path).append([Deed(at=AT, kind="act", what='a\nb"},{', who="x" * 999, about="é\u2028\x85")], "live")
    (_, one) = written(tmp_path)
    assert (one.deed.what, len(one.deed.who or ""), one.deed.about) == ('a b"},{', 200, "é")
    assert checked(tmp_path).is_whole


# --------------------------------------------------------------------------------------------------------------- gaps


class Full:
    """A disk that is full as long as it is said to be; half of what is written is left behind."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.is_full, self._write = False, os.write
        monkeypatch.setattr(os, "write", self.write)

    def write(self, handle: int, block: Any) -> int:
        if not self.is_full:
            return self._write(handle, block)
        self._write(handle, block[: len(block) // 2])
        raise OSError(errno.ENOSPC, "No space left on device")


@contextmanager
def trail_in(folder: Path, **more: Any) -> Iterator[Trail]:
    trail = Trail(chain_in(folder), "live", SimulatedClock(AT), pause_s=0.01, **more)
    trail.start()
    try:
        yield trail
    finally:
        trail.stop()


def until(come: Callable[[], bool]) -> None:
    began = stopwatch()
    while not come():
        assert stopwatch() - began < 30.0


def test_a_full_disk_stops_nobody_is_told_and_is_a_record_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Full(monkeypatch)
    with trail_in(tmp_path) as trail:
        trail.keep(deed(1), wait=True)
        disk.is_full = True
        trail.keep(deed(2), wait=True)  # returns
        assert trail.gap is not None
        assert trail.gap.since == AT
        trail.keep(deed(3))
        disk.is_full = False
        until(lambda: trail.gap is None)
    found = [one.deed for one in written(tmp_path)]
    assert [one.what for one in found] == ["month opened", "page 1", "page 2", "page 3", "gap"] or [
        one.what for one in found
    ] == ["month opened", "page 1", "page 2", "gap", "page 3"]
    told = next(one.told for one in found if one.what == "gap")
    assert told == {"since": AT.isoformat(), "until": AT.isoformat(), "lost": 0}
    assert (checked(tmp_path).faults, len(checked(tmp_path).remarks)) == ((), 1)


def test_what_does_not_fit_in_memory_is_lost_and_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = Full(monkeypatch)
    disk.is_full = True
    with trail_in(tmp_path, held=3) as trail:
        for n in range(10):
            trail.keep(deed(n))
        assert trail.gap is not None
        assert trail.gap.lost == 7
        disk.is_full = False
        until(lambda: trail.gap is None)
    assert [one.deed.told["lost"] for one in written(tmp_path) if one.deed.what == "gap"] == [7]
    assert checked(tmp_path).is_whole


def test_the_mutant_that_writes_on_behind_a_torn_line_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without cutting back what a failed write left, the file is no chain any more."""
    disk = Full(monkeypatch)
    monkeypatch.setattr(os, "ftruncate", lambda *_: None)
    monkeypatch.setattr(Chain, "_cut", lambda *_: None)
    with trail_in(tmp_path) as trail:
        trail.keep(deed(1), wait=True)
        disk.is_full = True
        trail.keep(deed(2), wait=True)
        disk.is_full = False
        until(lambda: trail.gap is None)
    assert not checked(tmp_path).is_whole


# ------------------------------------------------------------------------------------------------------ consultations


@dataclass
class Kept:
    """A trail that writes nothing."""

    clock: SimulatedClock
    deeds: list[Deed]

    def now(self) -> datetime:
        return self.clock.now()

    def keep(self, deed: Deed, *, wait: bool = False) -> None:
        self.deeds.append(deed)

    def told(self) -> list[str]:
        """Each in a line, and forgotten."""
        found = [" ".join(filter(None, (d.kind, d.what, d.about, d.outcome, d.who, d.role))) for d in self.deeds]
        self.deeds.clear()
        return found


def kept() -> Any:
    return Kept(SimulatedClock(AT), [])


def asked_of(trail: Any, signed: Callable[[], SignedIn | None] = lambda: None) -> FlaskClient:
    app = build_app(ordinary, WallSettings())
    server: Flask = app.server

    @server.before_request
    def gate() -> None:
        if (one := signed()) is not None:
            g.signed_in = one

    answer_to_audit(server, trail)
    return server.test_client()


def test_a_page_is_one_consultation_however_often_it_ticks() -> None:
    trail = kept()
    client = asked_of(trail)
    client.get("/alerts")
    for _ in range(50):
        refresh(client, {**SCREEN, "path": "/alerts"})
    client.get("/_dash-layout")
    client.get("/assets/wall.css").close()
    client.get("/healthz")
    assert trail.told() == ["page alerts done open"]
    client.get("/alerts")
    assert trail.told() == ["page alerts done open"]


def test_who_asks_without_opening_the_page_is_recorded_and_once_a_day() -> None:
    trail = kept()
    client = asked_of(trail)
    for _ in range(3):
        refresh(client, {**SCREEN, "path": "/feeds"})
        client.get("/phone/board")
    assert trail.told() == ["page feeds done open", "page phone done open"]
    trail.clock.advance_to(AT + timedelta(days=1))
    refresh(client, {**SCREEN, "path": "/feeds"})
    assert trail.told() == ["page feeds done open"]


def test_the_mutant_that_records_every_tick_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dashboard.audit.consultations._is_tick", lambda response: False)
    trail = kept()
    client = asked_of(trail)
    client.get("/alerts")
    refresh(client, {**SCREEN, "path": "/alerts"})
    assert trail.told() != ["page alerts done open"]


def test_it_says_who_and_where_and_nothing_that_was_typed() -> None:
    trail = kept()
    signed: list[SignedIn | None] = [SignedIn("anna", "manager"), None, SignedIn(None, None)]
    client = asked_of(trail, lambda: signed[0])
    client.get("/replay?at=2026-11-05&patient=DUPONT")
    client.get("/DUPONT-JEAN")
    client.get("/data/DUPONT/DUPONT.csv?of=DUPONT")
    del signed[0]
    client.get("/phone?lang=en", environ_overrides={"REMOTE_ADDR": "10.1.2.3"})
    del signed[0]
    client.get("/known")
    places = [one.place for one in trail.deeds]
    assert "DUPONT" not in str(trail.deeds)
    assert "10.1.2.3" not in str(trail.deeds)
    assert places == ["loopback"] * 3 + ["elsewhere", "loopback"]
    assert trail.told() == [
        "page replay done anna manager", "page wall done anna manager", "file chart-data absent anna manager",
        "page phone done open", "page wall done nobody",
    ]  # fmt: skip


def test_a_chart_that_is_taken_is_named() -> None:
    trail = kept()
    asked_of(trail).get("/data/wall/census.csv")
    assert trail.told() == ["file chart-data wall census.csv done open"]


def test_the_api_is_recorded_by_its_names_what_is_known_already_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with world_of() as world:
        trail = kept()
        answer_to_audit(world.server, trail)
        client = world.client
        client.get("/api/v1/openapi.json")
        etag = client.get("/api/v1/scenarios").headers["ETag"]
        for _ in range(3):
            assert client.get("/api/v1/scenarios", headers={"If-None-Match": etag}).status_code == 304
        client.get("/api/v1/proposals/DUPONT")
        client.get("/api/v1/proposals/" + world.proposed())
        client.get("/api/v1/board")
        found = trail.told()
    assert found[0].startswith("api ")
    assert "DUPONT" not in str(found)
    assert [line.partition(" ")[2] for line in found[1:]] == [
        "list_scenarios done open", "show_proposal absent open", "propose done open",
        "show_proposal proposal-1 done open", "show_board done open",
    ]  # fmt: skip


def test_every_address_is_a_consultation_or_stands_among_those_that_are_none() -> None:
    """An address that is added and shows something is recorded without anybody thinking of it."""
    trail = kept()
    app = build_app(ordinary, WallSettings())
    server: Flask = app.server
    server.add_url_rule("/new/thing", "new-thing", lambda: "of the hospital")
    answer_to_audit(server, trail)
    server.test_client().get("/new/thing")
    assert trail.told() == ["file new-thing done open"]
    there = {rule.endpoint for rule in server.url_map.iter_rules()}
    elsewhere = {"readyz", "metrics", "fhir", "report", "floor-day", "known", "known-say", "known-undo"}
    elsewhere |= {"sign-in", "sign-in-tried", "sign-in-elsewhere", "sign-in-done", "sign-out"}
    assert {*NOBODYS, *FORMS, *PAGES, *TICKS} - there <= elsewhere


# --------------------------------------------------------------------------------------------------------------- acts

CHANGES: dict[str, tuple[type, set[str]]] = {
    "alarms": (Alerts, {"judge", "tick", "sends", "state", "log", "alarms", "told"}),
    "desk": (Desk, {"proposals", "changed_at", "carried", "promised", "measured", "exported"}),
    "known": (KnownPage, {"view"}),
    "grids": (GridDesk, {"join", "view"}),
    "backtests": (BacktestDesk, {"run", "end"}),
    "replays": (ReplayDesk, {"view", "asked", "stop"}),
    "exercise": (Exercise, {"join", "feed", "units", "pools", "names", "view", "save", "record"}),
    "whatif": (Asking, {"zone", "catalogue", "offer", "ask", "scenario", "propose"}),
}
"""Of each door, what changes nothing, or is done by the house, or goes on to another door."""


@pytest.mark.parametrize("door", CHANGES)
def test_whatever_can_be_done_at_a_door_is_recorded(door: str) -> None:
    thing, others = CHANGES[door]
    public = {name for name, _ in inspect.getmembers(thing) if not name.startswith("_") and name in vars(thing)}
    fields = set(getattr(thing, "__dataclass_fields__", ()))
    assert public - fields - others == set(DOORS[door])


def test_an_alarm_that_is_taken_on_is_recorded_with_who_and_on_the_disk_first(tmp_path: Path) -> None:
    reader = Reader("en", "UTC")
    with department() as there, trail_in(tmp_path) as trail, Flask("test").test_request_context():
        g.signed_in = EVERYBODY
        there.after(0, 0.9)
        (alarm,) = there.alerts.alarms
        alerts = audited(there.alerts, "alarms", trail)
        what = {"alarm": alarm.name, "act": "acknowledge", "language": "en"}
        assert answered(alerts, what, "nurse Anna", "M. DUPONT is worse", reader).startswith("\N{CHECK MARK}")
        (_, one) = written(tmp_path)
        assert (one.deed.what, one.deed.about, one.deed.who) == ("alarm acknowledged", alarm.name, "nurse Anna")
        with pytest.raises(AlarmError):
            alerts.snooze("DUPONT", "DUPONT", 30.0, "DUPONT")
        g.signed_in = SignedIn("anna", "manager")
        alerts.snooze(alarm.name, "somebody", 30.0)
        found = [one.deed for one in written(tmp_path)][2:]
        assert [(d.what, d.outcome, d.who, d.role) for d in found] == [
            ("alarm snoozed", "refused", None, "open"), ("alarm snoozed", "done", "anna", "manager"),
        ]  # fmt: skip
        assert alerts.log is not None  # all else is the thing's own
    assert "DUPONT" not in "".join(path.read_text() for path in files_of(tmp_path / "audit"))


def test_who_signs_in_and_out_is_recorded_and_a_try_that_does_not_fit_without_what_was_typed(tmp_path: Path) -> None:
    with trail_in(tmp_path) as trail, Flask("test").test_request_context():
        g.signed_in = STRANGER
        told, anna = of_sign_ins(trail), SignedIn("anna", "manager")
        told("signed in", anna)
        told("signed out", anna)
        told("sign-in refused", None)
        found = [one.deed for one in written(tmp_path)][1:]
    assert [(d.what, d.outcome, d.who, d.role) for d in found] == [
        ("signed in", "done", "anna", "manager"), ("signed out", "done", "anna", "manager"),
        ("sign-in refused", "refused", None, "nobody"),
    ]  # fmt: skip


def test_an_act_that_the_gate_refuses_is_recorded_without_what_it_was() -> None:
    trail = kept()
    client = asked_of(trail)

    def gate() -> Response:
        g.signed_in = SignedIn("wall", "wall")
        return Response("no", 403)

    client.application.before_request_funcs[None].insert(0, gate)
    client.post("/_dash-update-component", json={"output": "talk-said.children", "inputs": []})
    (one,) = trail.deeds
    assert (one.kind, one.what, one.outcome, one.who) == ("act", NOT_ALLOWED, "refused", "wall")


def test_the_mutant_that_records_before_it_is_done_tells_of_what_was_refused() -> None:
    """What the test above would see, were the record made first: `outcome` could not say that it was refused."""
    trail = kept()
    with department() as there, Flask("test").test_request_context():
        alerts = audited(there.alerts, "alarms", trail)
        with pytest.raises(AlarmError):
            alerts.snooze("nothing", "anna", 30.0)
    assert trail.told() == ["act alarm snoozed refused open"]


def test_what_the_house_does_itself_is_no_act_of_a_person() -> None:
    trail = kept()
    with department() as there:
        there.after(0, 0.9)
        (alarm,) = there.alerts.alarms
        audited(there.alerts, "alarms", trail).acknowledge(alarm.name, "script")
    assert trail.told() == []


# ------------------------------------------------------------------------------------------- the house, the command


@pytest.mark.parametrize("language", ["fr", "en"])
def test_a_gap_stands_on_the_board_and_in_the_figures_and_only_then(language: Language) -> None:
    board = ordinary()
    gap = replace(board, cycle=replace(board.cycle, audit_gap_since=AT))
    said = {"fr": "On ne peut pas enregistrer qui regarde", "en": "cannot be recorded since"}[language]
    reader = Reader(language, board.zone)
    assert [said in str(banner.panel(one, reader)) for one in (board, gap)] == [False, True]
    for is_there in (False, True):
        server = Flask("test")
        answer_metrics(server, {False: lambda: board, True: lambda: gap}[is_there])
        told = server.test_client().get("/metrics").text
        assert ("edtwin_audit_gap_since_timestamp_seconds" in told) is is_there


def test_the_about_page_has_the_last_hash_for_who_notes_it(tmp_path: Path) -> None:
    with trail_in(tmp_path) as trail:
        trail.keep(deed(1), wait=True)
        view = replace(about(), audited=shown_head(trail))
    hash = checked(tmp_path).head.hash
    assert f"2 · {hash}" in str(about_page.panel(view, Reader("en", "UTC")))
    assert hash not in str(about_page.panel(about(), Reader("en", "UTC")))


def test_the_start_says_how_the_house_is_set_and_opens_no_door(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, members=300, kafka_user="secret-user", quarantine_key="ab" * 32)
    with trail_in(tmp_path) as trail:
        trail.stop()
    trail = Trail(chain_in(tmp_path), "live", SimulatedClock(AT))
    begin(trail, settings, mode="live", code="c0de")
    trail.stop()
    one = next(one.deed for one in written(tmp_path) if one.deed.what == "started")
    assert one.told["settings"] == set_here(settings, AT)
    assert one.told["settings"]["members"] == "300"
    assert one.told["settings"]["kafka_user"] == one.told["settings"]["quarantine_key"] == "(set)"
    assert "secret-user" not in json.dumps(dict(one.told))


def test_the_command_prints_by_day_person_and_kind(three_months: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chain_in(three_months).append([Deed(at=AT + timedelta(days=1), kind="act", what="proposed", who="otto")], "live")
    data = ("--data", str(three_months), "--json")

    def numbers(*options: str) -> list[int]:
        assert main(["audit", *options, *data]) == 0
        return [one["number"] for one in json.loads(capsys.readouterr().out)["records"]]

    assert len(numbers()) == 28
    assert numbers("--person", "otto") == numbers("--day", "2026-11-06") == numbers("--kind", "act") == [28]
    assert numbers("--person", "viewer", "--last", "2") == [26, 27]
    assert main(["audit", "--data", str(three_months), "--last", "1"]) == 0
    said = capsys.readouterr().out.strip("\n")
    assert re.match(r" +28 2026-11-06 09:00:00 act +otto \(open\), live: proposed$", said)


def test_the_command_verifies(three_months: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["audit", "verify", "--data", str(three_months)]
    assert main(command) == 0
    assert capsys.readouterr().out.startswith("whole: 27 records, the last is 27, ")
    TOUCHES["a record changed"](files_of(three_months / "audit"))
    assert main(command) == 2
    said = capsys.readouterr().out
    assert said.startswith("TOUCHED")
    assert "audit-2026-10.jsonl:5: record 13, before it, is not what was written" in said


def test_where_there_is_no_audit_it_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "--data", str(tmp_path)]) == 2
    assert "holds no audit" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_commands_that_read_the_data_are_recorded_with_what_became_of_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["proposals", "--data", str(tmp_path)]) == 2  # there are no data: nothing was read
    assert list(tmp_path.iterdir()) == []
    file = tmp_path / "e.parquet"
    made = ["--days", "1", "--size", "small", "--as", "events", "--out", str(file)]
    assert main(["fabricate", *made]) == 0
    data = ("--data", str(tmp_path / "data"))
    assert main(["ingest", str(file), "--format", "events", *data]) == 0
    assert main(["export", "census", "--out", str(tmp_path / "c.csv"), *data]) == 0
    assert main(["export", "DUPONT", "--out", str(tmp_path / "d.csv"), *data]) == 2
    assert main(["doctor", *data]) == 0
    assert "none touched" in capsys.readouterr().out
    found = [one.deed for one in written(tmp_path / "data")][1:]
    assert [(d.what, d.about, d.outcome, d.role) for d in found] == [
        ("ingest", "", "done", "machine"), ("export", "census", "done", "machine"),
        ("export", "", "refused", "machine"), ("doctor", "", "done", "machine"),
    ]  # fmt: skip
    assert {"export", "ingest", "quarantine", "rebuild"} <= RECORDED
