"""Splitting: separators, escapes, line ends, character sets, and the bounds that come before."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.hl7_text import FAULTS, Fault, Message, Segment, escaped, split, unescaped

HEAD = b"MSH|^~\\&|A|B|||20260302080000||ADT^A04|1|P|2.5"


def whole(frame: bytes) -> Message:
    message = split(frame)
    assert isinstance(message, Message)
    return message


def test_the_signs_of_the_header_are_those_of_the_message() -> None:
    message = whole(b"MSH#*@!%#A#B###20260302##ADT*A04\rPID#1##P1*x*y@P2##D!F!E*J%K")
    assert (message.first("MSH").text(9, 2), message.first("MSH").raw(1)) == ("A04", "#")
    pid = message.first("PID")
    assert (pid.text(3), pid.text(3, 3), pid.repetitions(3)) == ("P1", "y", ["P1*x*y", "P2"])
    assert (pid.text(5), pid.text(5, 2)) == ("D#E", "J")


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n", b"\r\n\r\n"])
def test_lines_may_end_as_they_like(end: bytes) -> None:
    message = whole(b"\xef\xbb\xbf" + end.join([HEAD, b"EVN|A04", b"PID|1", b""]))
    assert [s.name for s in message.segments] == ["MSH", "EVN", "PID"]


def test_a_header_with_fewer_signs_has_the_usual_ones() -> None:
    assert whole(b"MSH|^|A|B|||||ADT^A04~x").first("MSH").text(9, 2) == "A04"


def test_the_null_of_hl7_is_nothing() -> None:
    pid = whole(HEAD + b'\rPID|""|""^x').first("PID")
    assert (pid.text(1), pid.text(2), pid.text(2, 2), pid.text(99), pid.text(2, 99)) == ("", "", "x", "", "")


@pytest.mark.parametrize(
    ("declared", "encoding", "flags"),
    [
        ("UNICODE UTF-8", "utf-8", ()),
        ("8859/1", "iso-8859-1", ()),
        ("8859/15", "iso-8859-15", ()),
        ("", "utf-8", ()),
        ("", "iso-8859-15", ("charset_fallback",)),
        ("UNICODE UTF-8", "iso-8859-15", ("charset_fallback",)),
        ("ISO IR87", "utf-8", ("unknown_charset",)),
    ],
)
def test_the_character_set_is_the_stated_one_else_utf_8_else_8859_15(
    declared: str, encoding: str, flags: tuple[str, ...]
) -> None:
    frame = f"MSH|^~\\&|||||2026||ADT^A04|1|P|2.5||||||{declared}\rPV1||E|Médecine".encode(encoding)
    message = whole(frame)
    assert (message.first("PV1").text(3), message.flags) == ("Médecine", flags)


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (b"", "empty_frame"),
        (b" \r\n", "empty_frame"),
        (b"PID|1", "no_msh"),
        (b"MSH", "no_msh"),
        (b"M\x00S\x00H\x00|\x00", "no_msh"),
        (b"MSH|^^^^|A", "bad_separators"),
        (b"MSHAPID", "bad_separators"),
        (b"MSH\r^~\\&", "bad_separators"),
        (HEAD + b"\r\x0bPID|1", "framing_inside"),
        (HEAD + b"\x1c\r" + HEAD, "framing_inside"),
        (HEAD + b"\r" + HEAD, "two_messages"),
        (HEAD + b"\rNTE" * 1_000, "too_many_segments"),
        (HEAD + b"\rPID" + b"|" * 500, "too_many_fields"),
        (HEAD + b"\rPID|" + b"~" * 200, "too_many_repetitions"),
        (HEAD + b"\rPID|x~" + b"^" * 100, "too_many_components"),
        (HEAD + b"\rNTE|" + b"x" * (1 << 20), "frame_too_long"),
    ],
)
def test_what_cannot_be_split_is_refused_with_its_reason(frame: bytes, code: str) -> None:
    assert split(frame) == Fault(code)
    assert code in FAULTS


def test_just_inside_the_bounds_is_a_message() -> None:
    lines = [HEAD, *[b"NTE"] * 996, b"A" + b"|" * 499, b"B|" + b"~" * 199, b"C|" + b"~".join([b"^" * 99] * 200)]
    assert len(whole(b"\r".join(lines)).segments) == 1_000


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=40))
def test_what_is_escaped_comes_back_and_has_no_sign_left(text: str) -> None:
    field = escaped(text)
    assert unescaped(field) == text
    assert not set(field) & set("|^~&\r\n\x0b\x1c")
    assert Segment(("PV1", field)).text(1) == text.strip(" ")


def test_other_escapes_are_blanks_or_nothing() -> None:
    assert unescaped("a\\.br\\b\\H\\c\\N\\\\XE9\\\\X0Z\\\\Z") == "a bcé\\Z"


def test_a_message_of_two_patients_is_one_for_each() -> None:
    parts = [*whole(HEAD + b"\rEVN|A17\rPID|1\rPV1|1\rPID|2\rPV1|2").by_patient()]
    assert [[s.text(1) for s in p.segments[1:]] for p in parts] == [["A17", "1", "1"], ["A17", "2", "2"]]
    assert [*whole(HEAD).by_patient()] == []
