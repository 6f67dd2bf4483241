"""What is answered to a message: the decision table, and the text of the acknowledgement."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.pipeline import Answer
from ingest.sources import mllp_answers
from ingest.sources.mllp_answers import VERDICTS, Header, Verdict, answer, code_of, header_of
from tests.logs import AT

Code = Callable[[Verdict, Header], str | None]
MESSAGE = b"MSH|^~\\&|GAM^1|CHU|EDTWIN|ED|20260302||ADT^A04^ADT_A01|id-7|T|2.5.1|||%s|%s||8859/1\rPID|1\r"

# mode: (MSH-15, MSH-16) -> what is answered to what is good, bad, and ours
TABLE = {
    ("", ""): ("AA", "AE", "AR"),
    ("AL", ""): ("CA", "CE", "CR"),
    ("AL", "AL"): ("CA", "CE", "CR"),
    ("AL", "NE"): ("CA", "CE", "CR"),
    ("NE", ""): (None, None, None),
    ("NE", "NE"): (None, None, None),
    ("NE", "AL"): ("AA", "AE", "AR"),
    ("", "AL"): ("AA", "AE", "AR"),
    ("", "ER"): (None, "AE", "AR"),
    ("ER", ""): (None, "CE", "CR"),
    ("ER", "AL"): ("AA", "CE", "CR"),
    ("SU", ""): ("CA", None, None),
    ("SU", "ER"): ("CA", "AE", "AR"),
    ("al", ""): ("CA", "CE", "CR"),
    ("??", ""): ("CA", "CE", "CR"),
}
CONDITIONS = {
    Answer.ACCEPTED: Verdict.GOOD,
    Answer.REPEATED: Verdict.GOOD,
    Answer.FAULTY: Verdict.BAD,
    Answer.UNAVAILABLE: Verdict.OURS,
}


def sent(accept: str = "", application: str = "") -> Header:
    return header_of(MESSAGE % (accept.encode(), application.encode()))


def wrong(code: Code) -> list[tuple[str, str, str]]:
    """The cells of the table that a rule gets wrong."""
    return [
        (accept, application, verdict.name)
        for (accept, application), codes in TABLE.items()
        for verdict, expected in zip(Verdict, codes, strict=True)
        if code(verdict, sent(accept, application)) != expected
    ]


def test_the_decision_table() -> None:
    assert wrong(code_of) == []
    assert VERDICTS == CONDITIONS
    assert set(VERDICTS) == set(Answer)


def _always_original(verdict: Verdict, header: Header) -> str | None:
    return f"A{verdict.value}"


def _good_whatever_came(verdict: Verdict, header: Header) -> str | None:
    return code_of(Verdict.GOOD, header)


def _ours_as_theirs(verdict: Verdict, header: Header) -> str | None:
    return code_of(Verdict.BAD if verdict is Verdict.OURS else verdict, header)


def _never_silent(verdict: Verdict, header: Header) -> str | None:
    return code_of(verdict, header) or f"C{verdict.value}"


@pytest.mark.parametrize("mutant", [_always_original, _good_whatever_came, _ours_as_theirs, _never_silent])
def test_the_table_sees_a_wrong_rule(mutant: Code) -> None:
    assert wrong(mutant) != []


def test_an_answer_is_addressed_to_the_sender_in_its_own_words() -> None:
    told = answer(Verdict.GOOD, sent(), now=AT, number="edtwin5")
    assert told == (
        b"MSH|^~\\&|EDTWIN|ED|GAM^1|CHU|20260302080000+0000||ACK^A04^ACK|edtwin5|T|2.5.1||||||8859/1\rMSA|AA|id-7\r"
    )


def test_a_refusal_says_why() -> None:
    told = answer(Verdict.BAD, sent("AL"), now=AT, number="edtwin5", reason="malformed")
    assert told is not None
    assert told.endswith(b"\rMSA|CE|id-7|malformed\r")


def test_other_separators_are_answered_with_themselves() -> None:
    header = header_of(b"MSH#*~\\&#A#B#C#D#2026##ADT*A01#7#P#2.3\rPID")
    told = answer(Verdict.GOOD, header, now=AT, number="n")
    assert told == b"MSH#*~\\&#C#D#A#B#20260302080000+0000##ACK*A01*ACK#n#P#2.3\rMSA#AA#7\r"


@pytest.mark.parametrize("content", [b"", b"MSH", b"PID|1", b"\x00\xff", b"MSHA^", "MSH".encode("utf-16")])
def test_what_has_no_header_is_answered_all_the_same(content: bytes) -> None:
    told = answer(Verdict.BAD, header_of(content), now=AT, number="n", reason="no_msh")
    assert told == b"MSH|^~\\&|||||20260302080000+0000||ACK|n|P|2.5\rMSA|AE||no_msh\r"


def test_nothing_that_a_sender_writes_makes_a_segment_of_its_own() -> None:
    header = header_of(b"MSH|^~\\&|A\x0bB|C||||||x\x1c" + b"y" * 900 + b"\r")
    told = answer(Verdict.GOOD, header, now=AT, number="n")
    assert told is not None
    assert told.count(b"\r") == 2
    assert b"\x0b" not in told
    assert b"\x1c" not in told
    assert len(told) < 500


@given(st.binary(max_size=300), st.sampled_from(list(Verdict)))
def test_no_bytes_are_too_bad_for_an_answer(content: bytes, verdict: Verdict) -> None:
    told = answer(verdict, header_of(content), now=AT, number="n")
    assert told is None or told.split(b"\r")[1][:3] == b"MSA"


@given(st.binary(max_size=300), st.sampled_from(list(Verdict)))
def test_no_header_is_too_bad_for_an_answer(content: bytes, verdict: Verdict) -> None:
    told = answer(verdict, header_of(b"MSH" + content), now=AT, number="n")
    assert told is None or told.split(b"\r")[1][:3] == b"MSA"


def test_the_sender_is_the_first_component() -> None:
    assert sent().sender == ("GAM", "CHU")
    assert Header().sender == ("", "")
    assert mllp_answers.Header().control_id == b""
