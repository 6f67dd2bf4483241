"""A damaged journal is made whole from a copy of it where the chain proves it, and is left where nothing does."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from dashboard import house as houses
from dashboard.backups import Backups
from dashboard.house import JOURNAL, open_house
from dashboard.mended_words import mended_sentence
from dashboard.mending import noted
from dashboard.settings import Settings
from dashboard.words import Reader
from ingest import journal_frames as frames
from ingest.errors import JournalDamagedError
from ingest.journal_frames import HEAD_BYTES
from ingest.log import Position
from ingest.repair import repaired
from tests.journals import line, opened
from tests.logs import departed

Bytes = dict[str, bytes]


def lived(folder: Path, *, more: int = 6) -> tuple[Bytes, Path]:
    """A journal of several files, and a copy of it from before its last records; what the journal holds."""
    ours, copy = folder / "ours", folder / "copy"
    with opened(ours, segment_bytes=700) as journal:
        for n in range(12):
            journal.append([line(n)])
        shutil.copytree(ours, copy)
        for n in range(12, 12 + more):
            journal.append([line(n)])
    return held(ours), copy


def held(folder: Path) -> Bytes:
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.journal"))}


def flipped(path: Path, place: int) -> None:
    bits = bytearray(path.read_bytes())
    bits[place] ^= 1
    path.write_bytes(bits)


def test_wherever_the_copy_reaches_the_journal_is_what_it_was(tmp_path: Path) -> None:
    """Sixty flips; those behind the copy's end are refused, and left just as they are."""
    before, copy = lived(tmp_path)
    rng, mended = np.random.default_rng(1), 0
    for n in range(60):
        name = list(before)[rng.integers(len(before))]
        place = int(rng.integers(len(before[name])))
        flipped(tmp_path / "ours" / name, place)
        damaged = held(tmp_path / "ours")
        if place < len(held(copy).get(name, b"")):
            assert repaired(tmp_path / "ours", [copy], f"{n}") == [name]
            assert held(tmp_path / "ours") == before
            assert (tmp_path / "ours" / f"{name}.corrupt-{n}").read_bytes() == damaged[name]
            mended += 1
        else:
            assert repaired(tmp_path / "ours", [copy], f"{n}") == []
            assert held(tmp_path / "ours") == damaged
            (tmp_path / "ours" / name).write_bytes(before[name])
    assert 30 < mended < 60
    with opened(tmp_path / "ours") as journal:
        assert [record.number for record in journal.records()] == list(range(1, 19))


def test_a_missing_file_is_put_back_and_the_last_copy_that_holds_it_counts(tmp_path: Path) -> None:
    before, copy = lived(tmp_path)
    second = sorted(before)[1]
    (tmp_path / "ours" / second).unlink()
    worse = tmp_path / "worse"
    shutil.copytree(copy, worse)
    flipped(worse / second, 100)
    assert repaired(tmp_path / "ours", [worse, copy], "x") == [second]
    assert held(tmp_path / "ours") == before


def test_a_whole_journal_is_left_also_beside_copies_that_have_more(tmp_path: Path) -> None:
    before, copy = lived(tmp_path)
    shutil.copytree(tmp_path / "ours", tmp_path / "later")
    assert repaired(tmp_path / "ours", [copy, tmp_path / "later", tmp_path / "nothing"], "x") == []
    assert held(tmp_path / "ours") == before


def test_a_copy_of_another_journal_is_never_taken(tmp_path: Path) -> None:
    """The same sizes, the same numbers, other messages: without the chain it would pass."""
    before, copy = lived(tmp_path)
    other = tmp_path / "other"
    with opened(other, segment_bytes=700) as journal:
        for n in range(18):
            journal.append([line(n, visit=f"w{n}")])
    name = sorted(before)[1]
    shutil.copyfile(other / name, copy / name)
    flipped(tmp_path / "ours" / name, 300)
    assert repaired(tmp_path / "ours", [copy], "x") == []


def test_without_the_chain_another_one_would_be_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mutant of the test above: what is whole in itself is believed."""
    monkeypatch.setattr(frames, "_linked", lambda before, facts, payload: bytes(16))
    with pytest.raises(AssertionError):
        test_a_copy_of_another_journal_is_never_taken(tmp_path)


def test_a_house_opens_on_the_journal_of_its_backup_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scenarios = houses.scenario_catalogue(Settings())
    monkeypatch.setattr(houses, "scenario_catalogue", lambda _: scenarios)
    settings = Settings(data=tmp_path / "data", disk_reserve_mb=0, backup_folder=tmp_path / "backups")
    with open_house(settings) as house:
        house.log.append([departed("a")], Position(source="s", offset=1))
        Backups(house).make(tmp_path / "backups")
        house.log.append([departed("b")], Position(source="s", offset=2))
    (segment,) = (tmp_path / "data" / JOURNAL).glob("*.journal")
    before = segment.read_bytes()
    flipped(segment, HEAD_BYTES + 3)
    alone = settings.model_copy(update={"backup_folder": None})
    with pytest.raises(JournalDamagedError), open_house(alone):
        pass
    assert noted(tmp_path / "data") == [], "nothing could be done, and nothing was"
    with open_house(settings) as house:
        assert house.log.length() == 2
        assert segment.read_bytes() == before
    (mended,) = noted(tmp_path / "data")
    assert (mended.part, mended.done) == ("journal", True)
    assert (segment.parent / mended.aside).is_file()
    assert "from a backup" in mended_sentence(mended, Reader("en", "Europe/Paris"))
    # and of a database that is made anew from a journal that is damaged too
    (tmp_path / "data" / "edtwin.duckdb").write_bytes(b"")
    flipped(segment, HEAD_BYTES + 3)
    with open_house(settings) as house:
        assert house.log.length() == 2
    assert {one.part for one in noted(tmp_path / "data")} == {"journal", "database"}
