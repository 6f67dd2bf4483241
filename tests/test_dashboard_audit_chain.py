"""The chain of the audit: what touches it, its months, its gaps.

Each way of touching the files is tried on the same chain, by the same check.
"""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from dashboard.audit import chain as chain_of_files
from dashboard.audit.chain import ANCHOR, Chain, Head, anchor_in, files_of
from dashboard.audit.records import Deed
from dashboard.settings import Settings
from ingest.clock import stopwatch
from tests.audits import (
    AT,
    ROOT,
    TOUCHES,
    chain_in,
    chained_anew,
    checked,
    deed,
    lines_in,
    three_months,
    trail_in,
    written,
)

__all__ = ["three_months"]

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
