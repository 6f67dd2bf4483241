"""An audit that is damaged: the house starts, says so, keeps what there was to the last byte, and begins a new one.

Every way of touching the files that `test_dashboard_audit.py` knows is tried, and a bit of every byte of a small audit
is flipped; the mutants are menders that look away, that delete, and that begin anew without a word.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import pytest

from dashboard.__main__ import main
from dashboard.audit import mending
from dashboard.audit.chain import ANCHOR, BEGUN_ANEW, Chain, files_of
from dashboard.audit.mending import REASON, UNTOLD, begin_anew_if_damaged, set_aside_in
from dashboard.audit.verify import NO_ANCHOR, records_of, verify
from dashboard.household import mended_of
from dashboard.settings import Settings
from ingest.disk import bring_to_disk
from tests.audits import AT, MINUTE, TOUCHES, chain_in, checked, deed, three_months, written
from tests.test_dashboard_serve import ends, get, quick, running, wait_for, wall

__all__ = ["quick", "three_months"]

NOW = AT + 60 * 24 * MINUTE
NO_DAMAGE = {"the anchor removed"}
"""The chain is whole as far as it goes: it goes on, and says that it had lost its anchor."""


class DiedError(BaseException):
    """The process is gone."""


def contents(folder: Path) -> dict[str, bytes]:
    """The months and the anchor, by name."""
    found = [*files_of(folder / "audit"), folder / ANCHOR]
    return {path.name: path.read_bytes() for path in found if path.exists()}


def kept_aside(folder: Path) -> dict[str, bytes]:
    """What stands aside, without the reasons."""
    paths = [path for one in set_aside_in(folder / "audit") for path in one.folder.iterdir()]
    return {path.name: path.read_bytes() for path in paths if path.name != REASON}


def starts(folder: Path) -> None:
    """What a house does first, and its own first record."""
    chain = chain_in(folder)
    begin_anew_if_damaged(chain, "live", NOW)
    chain.append([deed(1, NOW)], "live")


def faults_of(folder: Path, before: dict[str, bytes]) -> Iterator[str]:
    """What is wrong with how a house came through damage."""
    if not checked(folder).is_whole:
        yield "the new one is not whole"
    if kept_aside(folder) != before:
        yield "what there was is lost"
    first, *_, last = written(folder)
    if first.deed.what != BEGUN_ANEW or first.number != 1:
        yield "its first record does not tell of the break"
    if last.deed != deed(1, NOW):
        yield "what the house did is not in it"


@pytest.mark.parametrize("name", [name for name in TOUCHES if name not in NO_DAMAGE])
def test_whatever_is_touched_the_house_starts_says_so_and_loses_nothing(three_months: Path, name: str) -> None:
    TOUCHES[name](files_of(three_months / "audit"))
    before = contents(three_months)
    found = verify(three_months / "audit", three_months / ANCHOR, torn_end_is_well=True).faults
    starts(three_months)
    assert list(faults_of(three_months, before)) == []
    (aside,) = set_aside_in(three_months / "audit")
    first, reason = written(three_months)[0].deed, (aside.folder / REASON).read_bytes()
    assert (first.about, first.outcome, aside.found_at) == (aside.folder.name, "failed", NOW)
    assert first.told["reason"] == sha256(reason).hexdigest(), "nobody can write another reason unseen"
    assert first.told["faults"][1] == found[0]
    assert all(sha256(block).hexdigest() in reason.decode() for name, block in before.items() if name != ANCHOR)


MUTANTS: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "looks away": lambda patch: patch.setattr(mending, "_put_aside", lambda *_: None),
    "deletes": lambda patch: patch.setattr(mending, "_put_aside", lambda chain, *_: deleted(chain)),
    "is silent": lambda patch: patch.setattr(mending, "_tell", lambda *_: None),
}


def deleted(chain: Chain) -> None:
    for path in [*files_of(chain.folder), chain.anchor]:
        path.unlink(missing_ok=True)


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_house_that_does_less_is_seen(three_months: Path, monkeypatch: pytest.MonkeyPatch, mutant: str) -> None:
    MUTANTS[mutant](monkeypatch)
    TOUCHES["a record removed"](files_of(three_months / "audit"))
    before = contents(three_months)
    starts(three_months)
    assert list(faults_of(three_months, before))


def test_a_flipped_bit_in_any_byte_is_found_and_none_keeps_it_from_being_looked_through(tmp_path: Path) -> None:
    chain = chain_in(tmp_path, months=1)
    for month in (8, 9, 10):
        chain.append([deed(1, AT.replace(month=month))], "live")
    assert any(one.deed.what == "month expired" for one in written(tmp_path))
    for path in [*files_of(tmp_path / "audit"), tmp_path / ANCHOR]:
        whole = path.read_bytes()
        for place in range(len(whole)):
            bit = 8 * place + place * 3 % 8
            path.write_bytes(flipped(whole, bit))
            assert not checked(tmp_path).is_whole, (path.name, bit)
        path.write_bytes(whole)
    assert checked(tmp_path).is_whole


def flipped(whole: bytes, bit: int) -> bytes:
    return whole[: bit // 8] + bytes([whole[bit // 8] ^ 1 << bit % 8]) + whole[bit // 8 + 1 :]


def test_a_month_that_ends_in_damage_does_not_keep_the_next_record_from_being_written(tmp_path: Path) -> None:
    """What used to end the thread that writes: the damaged month was too old, and its last record was asked for."""
    chain = chain_in(tmp_path, months=1)
    chain.append([deed(1, AT.replace(month=8))], "live")
    (old,) = chain.files()
    old.write_bytes(old.read_bytes()[:-5] + b"????\n")
    chain.append([deed(1, AT)], "live")
    assert written(tmp_path)[-1].deed == deed(1, AT)
    assert old.exists(), "it is not removed as one of which a record tells"


def test_an_audit_that_is_whole_is_left_alone(three_months: Path) -> None:
    before = contents(three_months)
    begin_anew_if_damaged(chain_in(three_months), "live", NOW)
    assert (contents(three_months), set_aside_in(three_months / "audit")) == (before, [])


def torn(folder: Path) -> None:
    """What a process leaves that dies within a write."""
    last = files_of(folder / "audit")[-1]
    last.write_bytes(last.read_bytes() + b'{"n":28,"at":"2026-11-0')


def test_what_a_process_that_died_left_unfinished_is_no_damage(three_months: Path) -> None:
    torn(three_months)
    starts(three_months)
    assert set_aside_in(three_months / "audit") == []
    assert checked(three_months).is_whole


def test_a_house_that_takes_it_for_damage_is_seen(three_months: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mending, "verify", lambda folder, anchor, **_: verify(folder, anchor))
    torn(three_months)
    starts(three_months)
    assert set_aside_in(three_months / "audit"), "and so the test above would be red"


def test_a_lost_anchor_alone_is_a_record_of_the_same_chain(three_months: Path) -> None:
    (three_months / ANCHOR).unlink()
    assert checked(three_months).faults == (NO_ANCHOR,)
    starts(three_months)
    assert [one.deed.what for one in written(three_months)][-2:] == ["anchor missing", "page 1"]
    assert (checked(three_months).is_whole, set_aside_in(three_months / "audit")) == (True, [])


@contextmanager
def dying(monkeypatch: pytest.MonkeyPatch, at: int) -> Iterator[list[str]]:
    """The process dies at its so manyth touch of the disk, in what sets aside."""
    done: list[str] = []

    def touched(name: str, act: Callable[..., object]) -> Callable[..., object]:
        def once(*given: object) -> object:
            if len(done) == at:
                raise DiedError
            done.append(name)
            return act(*given)

        return once

    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", touched("rename", os.rename))
        patch.setattr(shutil, "copyfile", touched("copy", shutil.copyfile))
        patch.setattr(mending, "bring_to_disk", touched("sync", bring_to_disk))
        yield done


def test_it_may_die_at_any_touch_of_the_disk_and_the_next_start_goes_on(
    three_months: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    TOUCHES["a record changed"](files_of(three_months / "audit"))
    before, died = contents(three_months), 0
    while True:
        folder = tmp_path_factory.mktemp("dies") / "house"
        shutil.copytree(three_months, folder)
        try:
            with dying(monkeypatch, died):
                begin_anew_if_damaged(chain_in(folder), "live", NOW)
        except DiedError:
            died += 1
        else:
            break
        begin_anew_if_damaged(chain_in(folder), "live", NOW + MINUTE)
        chain_in(folder).append([deed(1, NOW)], "live")
        assert {name: block for name, block in kept_aside(folder).items() if name in before} == before
        told = [one.deed.about for one in written(folder) if one.deed.what == BEGUN_ANEW]
        assert set(told) == {one.folder.name for one in set_aside_in(folder / "audit")}, "none is left untold"
        assert not any(one.folder.name.endswith(UNTOLD) for one in set_aside_in(folder / "audit"))
        assert (written(folder)[0].deed.what, checked(folder).is_whole) == (BEGUN_ANEW, True)
    assert died >= 10


def test_an_audit_that_cannot_be_read_keeps_no_house_from_starting(
    three_months: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def unreadable(*_: object, **__: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(mending, "verify", unreadable)
    begin_anew_if_damaged(chain_in(three_months), "live", NOW)
    assert "cannot be looked through: Input/output error" in caplog.text


def test_the_page_about_this_house_and_the_doctor_tell_of_it_until_it_is_moved_away(
    three_months: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    TOUCHES["a record removed"](files_of(three_months / "audit"))
    doctor = ["doctor", "--data", str(three_months), "--json"]

    def said() -> tuple[bool, str]:
        main(doctor)
        findings = {one["thing"]: one for one in json.loads(capsys.readouterr().out)["findings"]}
        return findings["audit"]["well"], findings["audit"]["said"]

    assert "was touched" in said()[1], "it looks, and sets nothing aside"
    starts(three_months)
    (one,) = mended_of(Settings(data=three_months))
    assert (one.part, one.found_at) == ("audit", NOW)
    is_well, words = said()
    assert not is_well
    assert one.aside in words
    (aside,) = set_aside_in(three_months / "audit")
    shutil.move(aside.folder, three_months / "elsewhere")
    assert said()[0]
    assert mended_of(Settings(data=three_months)) == []


def test_a_house_starts_on_a_damaged_audit_and_its_wall_says_so(tmp_path: Path, quick: Path) -> None:
    data = tmp_path / "d"
    for month in (10, 11):
        chain_in(data).append([deed(n, AT.replace(month=month)) for n in range(4)], "live")
    first = files_of(data / "audit")[0]
    first.write_bytes(flipped(first.read_bytes(), 2000))
    before = contents(data)
    with running(tmp_path, "--size", "small", "--config", quick, "--data", data) as (process, place):
        wait_for(lambda: get(f"{place}/readyz")[0] == 200, process, 60)
        assert "edtwin_data_damaged_timestamp_seconds" in get(f"{place}/metrics")[1]
        # a board stands for two seconds, and one may have been asked for just before the forecast came
        wait_for(lambda: "The audit was found damaged" in json.dumps(wall(place)), process, 30)
        ends(process, signal.SIGINT)
    assert kept_aside(data) == before
    deeds = [one.deed.what for one in records_of(data / "audit")]
    assert deeds[:2] == [BEGUN_ANEW, "started"]
    assert verify(data / "audit", data / ANCHOR).is_whole
