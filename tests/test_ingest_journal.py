"""The journal: what it took is there after a crash; what is torn is cut off; what is damaged is found, with place."""

from __future__ import annotations

import errno
import os
import re
import resource
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

import ingest.journal_frames as frames
from ingest.clock import SimulatedClock
from ingest.disk import Disk as HouseDisk
from ingest.errors import DatabaseHeldError, JournalDamagedError, JournalWriteError, PositionError, UnreadableInputError
from ingest.journal import SUFFIX, Again, Entry, Journal, Record
from ingest.log import Position
from tests.journals import entry, opened
from tests.logs import AT, HOUR, TICK

SMALL = 1_000
"""Bytes of a segment, so that a few records fill several."""


def filled(folder: Path, count: int = 40, *, segment_bytes: int = SMALL) -> list[Record]:
    """A closed journal of two sources over several segments, and what was put in it."""
    with opened(folder, segment_bytes=segment_bytes) as journal:
        return [
            r
            for n in range(count // 2)
            for r in journal.append([entry(b"a%d" % n + bytes(n)), entry(b"b%d" % n, "other", offset=10 * n)])
        ]


def read(folder: Path) -> list[Record]:
    with opened(folder) as journal:
        return list(journal.records())


def files(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"*{SUFFIX}"))


# ------------------------------------------------------------------------------------------------------- what is kept


def test_what_was_appended_is_read_again_in_order(tmp_path: Path) -> None:
    written = filled(tmp_path)
    assert len(files(tmp_path)) > 3
    assert read(tmp_path) == written
    assert [r.number for r in written] == list(range(1, 41))
    assert [r.stored_at for r in written] == [AT + n * TICK for n in range(40)]


def test_a_record_keeps_all_that_is_said_of_it(tmp_path: Path) -> None:
    said = Entry(
        format="f", source="s", payload=b"\x00\xff|", offset=7, detail="d é", control_id="c", fault="malformed",
        again=Again(number=3, reason="unknown_value", text="é"),
    )  # fmt: skip
    with opened(tmp_path) as journal:
        (record,) = journal.append([said])
    position = Position(source="s", offset=7, detail="d é")
    assert read(tmp_path) == [record]
    assert record == Record(
        number=1, stored_at=AT, format="f", position=position, payload=b"\x00\xff|", control_id="c", fault="malformed",
        again=said.again,
    )  # fmt: skip


def test_each_source_goes_on_where_its_last_record_says(tmp_path: Path) -> None:
    filled(tmp_path)
    with opened(tmp_path) as journal:
        assert journal.positions() == {
            "adt": Position(source="adt", offset=20),
            "other": Position(source="other", offset=190),
        }
        journal.append([entry(source="other", offset=200)] * 1)
        assert journal.position("other") == Position(source="other", offset=200)
        assert journal.position("third") is None


def test_a_source_silent_for_segments_keeps_its_position(tmp_path: Path) -> None:
    with opened(tmp_path, segment_bytes=200) as journal:
        journal.append([entry(source="quiet", offset=5)])
        for _ in range(10):
            journal.append([entry(source="loud")])
    with opened(tmp_path) as journal:
        assert journal.position("quiet") == Position(source="quiet", offset=5)


@pytest.mark.parametrize("offsets", [(5, 5), (5, 4), (0, 0)])
def test_a_position_must_move_forward(tmp_path: Path, offsets: Sequence[int]) -> None:
    with opened(tmp_path) as journal:
        journal.append([entry(offset=offsets[0])])
        with pytest.raises(PositionError, match=f"offset of adt must be beyond {offsets[0]}"):
            journal.append([entry(source="x"), entry(offset=offsets[1])])
        assert journal.last == 1
        assert journal.position("x") is None


def test_what_is_read_again_says_nothing_of_its_source(tmp_path: Path) -> None:
    again = Entry(format="f", source="adt", payload=b"", offset=1, again=Again(number=1, reason="r"))
    with opened(tmp_path) as journal:
        journal.append([entry(), entry(), again])
        assert journal.position("adt") == Position(source="adt", offset=2)


def test_instants_increase_though_the_clock_goes_back(tmp_path: Path) -> None:
    with opened(tmp_path, SimulatedClock(AT + HOUR)) as journal:
        journal.append([entry()])
    with opened(tmp_path, SimulatedClock(AT)) as journal:
        (record,) = journal.append([entry()])
    assert record.stored_at == AT + HOUR + TICK


def test_a_tail_follows_and_begins_anywhere(tmp_path: Path) -> None:
    written = filled(tmp_path)
    with opened(tmp_path, segment_bytes=SMALL) as journal:
        for after in (0, 1, 7, 20, 39, 40):
            assert list(journal.records(after)) == written[after:]
        tail = journal.tail(38)
        assert [r.number for r in tail.read(limit=1)] == [39]
        assert [r.number for r in tail.read()] == [40]
        assert tail.read() == []
        more = [journal.append([entry(bytes(900))])[0] for _ in range(5)]
        assert tail.read(limit_bytes=1000) == more[:2]
        assert tail.read() == more[2:]
        tail.close()


def test_waiting_ends_when_a_record_comes(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        assert not journal.wait(0, 0.01)
        journal.append([entry()])
        assert journal.wait(0, 0.01)


def test_one_process_at_a_time(tmp_path: Path) -> None:
    with opened(tmp_path), pytest.raises(DatabaseHeldError, match="held by another process"):
        opened(tmp_path)
    opened(tmp_path).close()


def test_a_folder_that_cannot_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UnreadableInputError, match="cannot be opened"):
        opened(tmp_path / "file")


# ------------------------------------------------------------------------------------------------- a crash: torn tails


def test_a_torn_tail_is_cut_off_wherever_it_is_torn(tmp_path: Path) -> None:
    """Truncated at every byte of the last two records: what was whole stays, and the journal goes on."""
    written = filled(tmp_path, 6, segment_bytes=10**6)
    (file,) = files(tmp_path)
    whole = file.read_bytes()
    ends = _ends(file)
    for cut in range(ends[3] + 1, len(whole)):
        file.write_bytes(whole[:cut])
        with opened(tmp_path) as journal:
            kept = sum(end <= cut for end in ends) - 1
            assert journal.last == kept
            assert journal.cut_bytes == cut - ends[kept]
            assert list(journal.records()) == written[:kept]
            (more,) = journal.append([entry(b"more")])
            assert list(journal.records(kept)) == [more]
            assert more.number == kept + 1


def test_zeros_that_a_crash_left_are_cut_off(tmp_path: Path) -> None:
    written = filled(tmp_path, 4)
    with files(tmp_path)[-1].open("ab") as file:
        file.write(bytes(3000))
    assert read(tmp_path) == written


def test_a_segment_that_was_only_begun_is_begun_again(tmp_path: Path) -> None:
    written = filled(tmp_path)
    (tmp_path / f"{40:020d}{SUFFIX}").write_bytes(b"EDJS\0\0")
    with opened(tmp_path) as journal:
        assert journal.last == 40
        journal.append([entry()])
        assert list(journal.records())[:-1] == written


# -------------------------------------------------------------------------------------------- damage: found, with place


def flips(folder: Path, written: Sequence[Record], seed: int, count: int) -> list[str]:
    """Flip one bit a time, anywhere; what was not found out: flips after which records differ and nobody says so."""
    rng = np.random.default_rng(seed)
    originals = {path: path.read_bytes() for path in files(folder)}
    unseen = []
    for _ in range(count):
        path = list(originals)[int(rng.integers(len(originals)))]
        bit = int(rng.integers(8 * len(originals[path])))
        damaged = bytearray(originals[path])
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(damaged)
        try:
            found = read(folder)
        except JournalDamagedError as error:
            if not re.search(rf"{path.name} is damaged at byte \d+", str(error)):
                unseen.append(f"bit {bit} of {path.name}: {error}")
        except Exception as error:  # found, and not told where
            unseen.append(f"bit {bit} of {path.name}: {error!r}")
        else:
            unseen.append(f"bit {bit} of {path.name}: {len(found)} of {len(written)} records")
        path.write_bytes(originals[path])
    return unseen


def test_every_flipped_bit_is_found_and_told_with_its_file(tmp_path: Path) -> None:
    written = filled(tmp_path)
    assert flips(tmp_path, written, seed=1, count=300) == []


def test_the_campaign_sees_a_journal_without_checks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = filled(tmp_path)
    monkeypatch.setattr(frames, "crc32c", lambda data, before=0: 0)
    monkeypatch.setattr(frames, "_linked", lambda before, facts, payload: bytes(16))
    refilled = tmp_path / "unchecked"
    written = filled(refilled)
    assert len(flips(refilled, written, seed=1, count=60)) > 10


def test_the_place_of_damage_is_where_the_record_begins(tmp_path: Path) -> None:
    filled(tmp_path, 6, segment_bytes=10**6)
    (file,) = files(tmp_path)
    ends, damaged = _ends(file), bytearray(file.read_bytes())
    damaged[ends[2] + frames.HEAD_BYTES + 3] ^= 1
    file.write_bytes(damaged)
    with pytest.raises(JournalDamagedError, match=f"damaged at byte {ends[2]}, in what follows record 2: the checksum"):
        opened(tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda frames: frames[:2] + frames[3:], id="taken out"),
        pytest.param(lambda frames: [*frames[:2], frames[3], frames[2], *frames[4:]], id="exchanged"),
        pytest.param(lambda frames: [*frames[:3], frames[2], *frames[3:]], id="repeated"),
    ],
)
def test_records_taken_out_exchanged_or_repeated_are_found(
    tmp_path: Path, change: Callable[[list[bytes]], list[bytes]]
) -> None:
    filled(tmp_path, 6, segment_bytes=10**6)
    (file,) = files(tmp_path)
    ends, whole = _ends(file), file.read_bytes()
    pieces = [whole[start:end] for start, end in zip([0, *ends], ends, strict=False)]
    file.write_bytes(b"".join(change(pieces)))
    with pytest.raises(JournalDamagedError, match="does not follow from the record before"):
        read(tmp_path)


def test_a_missing_segment_is_found(tmp_path: Path) -> None:
    filled(tmp_path)
    files(tmp_path)[1].unlink()
    with pytest.raises(JournalDamagedError, match="must hold record"):
        read(tmp_path)


def test_a_segment_cut_short_in_the_middle_of_the_journal_is_found(tmp_path: Path) -> None:
    filled(tmp_path)
    middle = files(tmp_path)[1]
    middle.write_bytes(middle.read_bytes()[:-5])
    with pytest.raises(JournalDamagedError, match=rf"{middle.name} is damaged at byte \d+.*ends within"):
        read(tmp_path)


def _ends(file: Path) -> list[int]:
    """Where the first frame and each record of a segment end."""
    ends = []
    with file.open("rb") as stream:
        _, link = frames.start_of(stream)
        ends.append(stream.tell())
        while (frame := frames.read_frame(stream, link)) is not None:
            link = frame.link
            ends.append(stream.tell())
    return ends


# ----------------------------------------------------------------------------------------------------- the disk fails


class Disk:
    """A sync that fails while `error` is set."""

    def __init__(self) -> None:
        self.error: int | None = None
        self.synced = 0

    def sync(self, handle: int) -> None:
        if self.error is not None:
            raise OSError(self.error, os.strerror(self.error))
        self.synced += 1


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO])
def test_what_cannot_be_synced_is_not_kept_and_the_journal_goes_on(tmp_path: Path, error: int) -> None:
    disk = Disk()
    with opened(tmp_path, disk=HouseDisk(disk.sync)) as journal:
        before = journal.append([entry(b"before")])
        disk.error = error
        for _ in range(2):
            with pytest.raises(JournalWriteError, match=f"cannot be written: {os.strerror(error)}"):
                journal.append([entry(b"lost")])
        assert (journal.last, journal.position("adt")) == (1, before[0].position)
        disk.error = None
        after = journal.append([entry(b"after")])
        assert list(journal.records()) == before + after
    assert read(tmp_path) == before + after
    assert [r.payload for r in read(tmp_path)] == [b"before", b"after"]


def test_a_full_disk_is_told_before_anything_is_written(tmp_path: Path) -> None:
    with opened(tmp_path, reserve_bytes=1 << 60) as journal:
        with pytest.raises(JournalWriteError, match=r"must have \d+ MB free, but has \d+ MB"):
            journal.append([entry()])
        assert journal.last == 0
    assert read(tmp_path) == []


def test_a_file_that_the_system_lets_grow_no_further(tmp_path: Path) -> None:
    """The kernel's own refusal, in the middle of a block."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with opened(tmp_path) as journal:
        before = journal.append([entry(b"before")])
        resource.setrlimit(resource.RLIMIT_FSIZE, (files(tmp_path)[0].stat().st_size + 50, hard))
        try:
            with pytest.raises(JournalWriteError, match="File too large"):
                journal.append([entry(bytes(500))])
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        after = journal.append([entry(b"after")])
    assert read(tmp_path) == before + after


def test_a_write_that_ends_half_way_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def half(_: object, file: object, block: bytes) -> None:
        file.write(block[: len(block) // 2])  # type: ignore[attr-defined]
        raise OSError(errno.ENOSPC, "No space left on device")

    with opened(tmp_path) as journal:
        before = journal.append([entry(b"before")])
        with monkeypatch.context() as patched:
            patched.setattr(HouseDisk, "write", half)
            with pytest.raises(JournalWriteError, match="No space left"):
                journal.append([entry(b"half")])
        after = journal.append([entry(b"after")])
    assert read(tmp_path) == before + after


def test_a_group_waits_for_one_sync(tmp_path: Path) -> None:
    disk = Disk()
    with opened(tmp_path, disk=HouseDisk(disk.sync)) as journal:
        journal.append([entry()])  # begins a segment
        before = disk.synced
        journal.append([entry()] * 50)
    assert disk.synced == before + 1


def test_nothing_is_written_for_nothing(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        assert journal.append([]) == []
    assert isinstance(journal, Journal)
