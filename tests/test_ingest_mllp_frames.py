"""MLLP framing: what comes out does not depend on how the bytes were cut."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.sources.mllp_frames import CR, FS, VT, Framer, Overlong, framed

LIMIT = 12
PIECES = st.lists(
    st.sampled_from([VT, FS, CR, b"a", b"bcd", b"MSH|", bytes(LIMIT), b"\x0b\x0b", b"\x1c\r"]), max_size=25
)


def fed(*chunks: bytes, limit: int = LIMIT) -> tuple[list[bytes | Overlong], int, bytes | None]:
    """What comes out, how many bytes were skipped, and what is left when nothing more comes."""
    framer = Framer(limit)
    found = [message for chunk in chunks for message in framer.feed(chunk)]
    return found, framer.skipped_bytes, framer.rest()


@given(PIECES, st.lists(st.integers(0, 200), max_size=20))
def test_the_result_does_not_depend_on_the_chunks(pieces: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(pieces)
    edges = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    chunks = [stream[start:end] for start, end in pairwise(edges)]
    assert fed(*chunks) == fed(stream) == fed(*(stream[i : i + 1] for i in range(len(stream))))


@given(st.lists(st.binary(max_size=40).map(lambda b: b.translate(None, VT + FS)), max_size=5))
def test_what_was_framed_comes_out(messages: list[bytes]) -> None:
    stream = b"junk".join(map(framed, messages))
    skipped = 4 * max(len(messages) - 1, 0)
    assert fed(stream, limit=100) == (messages, skipped, None)


@pytest.mark.parametrize(
    ("stream", "expected", "skipped", "rest"),
    [
        pytest.param(b"\x0bab\x1c\r", [b"ab"], 0, None, id="a frame"),
        pytest.param(b"xy\x0bab\x1c\r\r\n\x0bc\x1c\r", [b"ab", b"c"], 4, None, id="bytes between frames"),
        pytest.param(b"\x0bab\x1c\x0bc\x1c\r", [b"ab", b"c"], 0, None, id="no CR, and a frame follows"),
        pytest.param(b"\x0bab\x1c", [], 0, b"ab", id="no CR, and nothing follows"),
        pytest.param(b"\x0bab\x1ccd\x1c\r", [b"ab\x1ccd"], 0, None, id="FS within"),
        pytest.param(b"\x0bab\x0bcd\x1c\r", [b"ab\x0bcd"], 0, None, id="VT within"),
        pytest.param(b"\x0bab", [], 0, None, id="no end"),
        pytest.param(b"ab\x1c\rcd", [], 6, None, id="no beginning"),
        pytest.param(b"\x0b\x1c\r", [b""], 0, None, id="empty"),
        pytest.param(b"\x0b" + b"a" * 12 + b"\x1c\r", [b"a" * 12], 0, None, id="as long as may be"),
        pytest.param(b"\x0b" + b"a" * 13 + b"\x1c\r\x0bb\x1c\r", [Overlong(b"a" * 12)], 0, None, id="too long"),
        pytest.param(b"\x0b" + b"a" * 99, [Overlong(b"a" * 12)], 0, None, id="too long without an end"),
    ],
)
def test_frames(stream: bytes, expected: list[bytes | Overlong], skipped: int, rest: bytes | None) -> None:
    assert fed(stream) == (expected, skipped, rest)


def test_the_property_sees_a_framer_that_forgets_at_the_edge(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mutant looks for the end only in what came last."""

    def from_here(self: Framer, content: bytearray) -> int:
        return content.find(FS + CR, self._seen + 1)

    monkeypatch.setattr(Framer, "_find_end", from_here)
    assert fed(b"\x0bab\x1c", b"\r") != fed(b"\x0bab\x1c\r")


def test_a_frame_without_end_costs_no_more_than_its_bound() -> None:
    framer = Framer(1000)
    for _ in range(100):
        framer.feed(VT + bytes(500))
    assert not framer.is_inside
