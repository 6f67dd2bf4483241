"""Frames made to cost much, and frames that chance has bent."""

from __future__ import annotations

import resource
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from ingest.hl7 import Hl7
from tests.hl7_messages import adt, order_of_tests, place, stamp, zbe
from tests.worlds import at

HEAD = b"\r".join(
    [
        b"MSH|^~\\&|||||20260302080000||ADT^A08|1|P|2.5",
        b"EVN|A08|20260302080000",
        b"PID|1||P1",
        b"PV1||E|ED||||||||||||||||VISIT",
        b"",
    ]
)


def cpu_s() -> float:
    """Seconds of processor time that this process has used."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def cost_s(form: Hl7, frame: bytes) -> float:
    """Processor time to keep and read a frame, the best of three."""
    best = 1e9
    for _ in range(3):
        start = cpu_s()
        form.read(form.kept(frame).payload, place())
        best = min(best, cpu_s() - start)
    return best


def filled(unit: bytes, size: int) -> bytes:
    """A message of nearly `size` bytes, filled up with copies."""
    return HEAD + unit * ((size - len(HEAD)) // len(unit))


def lines(line: bytes, size: int, head: bytes = HEAD) -> bytes:
    """A message of nearly `size` bytes with as many lines as the bound allows, each padded with what is dropped."""
    count = 990
    pad = max(0, (size - len(head)) // count - len(line) - 3)
    return head + (line + b"|" + b"x" * pad + b"\r") * count


SHAPES: dict[str, Callable[[int], bytes]] = {
    "one long field": lambda size: filled(b"x", size),
    "fields": lambda size: filled(b"|", size),
    "components": lambda size: filled(b"^", size),
    "repetitions": lambda size: filled(b"~", size),
    "escapes": lambda size: filled(b"\\", size),
    "escapes in pairs": lambda size: HEAD.replace(b"VISIT", b"\\F\\" * ((size - 200) // 3)),
    "open escapes": lambda size: HEAD.replace(b"VISIT", b"\\X" + b"0" * (size - 200)),
    "empty lines": lambda size: filled(b"\r", size),
    "lines": lambda size: filled(b"a\r", size),
    "bytes that are no text": lambda size: filled(b"\xff", size),
    "many patients": lambda size: lines(b"PID|||" + b"1^^^^X~" * 100, size),
    "many visits": lambda size: lines(b"PV1||E|ED^1^2|||ED||||||||||||||||1", size),
    "many levels": lambda size: lines(b"OBX|||TRIAGE||3||||||||20260302080000", size),
    "many times": lambda size: lines(b"OBX|||SEEN|||||||||||2026030208" + b"0" * 20, size),
    "many beds": lambda size: lines(b"NPU|3101^^1|C", size, HEAD.replace(b"A08", b"A20")),
    "many results": lambda size: lines(
        b"OBR|1|N|F|URE|||||||||||||||||||||F", size, HEAD.replace(b"ADT^A08", b"ORU^R01")
    ),
    "many orders": lambda size: lines(b"ORC|NW|N|F", size, HEAD.replace(b"ADT^A08", b"ORM^O01")),
    "many patients in a swap": lambda size: lines(b"PID|||1", size, HEAD.replace(b"A08", b"A17")),
    "a long number": lambda size: HEAD.replace(b"VISIT", b"9" * (size - 200)),
    "components within bounds": lambda size: lines(b"PID|||" + (b"^" * 99 + b"~") * 9, size),
    "all at once": lambda size: lines(b"PV1|" + b"|".join([b"^" * 99] * 10), size),
}
"""Frames of a stated size, each the worst of its kind that we could think of."""


def seeds() -> list[bytes]:
    """Messages to bend."""
    level = f"OBX|1|CE|TRIAGE||3||||||F|||{stamp(at('08:05'))}"
    return [
        adt("A04", "08:00", level, zbe("M1", "08:00"), unit="ED^^12", group="E"),
        adt("A12", "09:00", zbe("M2", "08:30", "CANCEL", "A02"), unit="SAUV", prior="ED"),
        adt("A17", "08:00", "PID|2||P2^^^H^PI", "PV1|2|I|3205^^1||||||||||||||||V2", unit="3101"),
        adt("A20", "08:00", "NPU|3101^^12|H"),
        adt("A42", "08:00", "MRG|P0||||V0"),
        order_of_tests("ORU^R01", "RE", "OBR|1|N1|F1|URE||||||||||||||||||20260302083000||LAB|F"),
    ]


SIGNS = b'|^~\\&\r\n\x0b\x1c\x00\xff\xc3"0129AZMSHPIDE+-.?*/'
"""Bytes that mean something in a message, or nothing in any text."""


def bent(
    chance: np.random.Generator, count: int, given: Sequence[bytes] | None = None, given_signs: bytes = SIGNS
) -> Iterator[bytes]:
    """Messages with bytes changed, cut out, doubled, and with pieces of others put in."""
    originals = list(given) if given is not None else seeds()
    signs = np.frombuffer(given_signs, dtype=np.uint8)
    for _ in range(count):
        frame = bytearray(originals[chance.integers(len(originals))])
        for _ in range(chance.integers(1, 6)):
            _bend(frame, chance, signs, originals)
        yield bytes(frame)


def _bend(frame: bytearray, chance: np.random.Generator, signs: np.ndarray, originals: list[bytes]) -> None:
    start = int(chance.integers(len(frame) + 1))
    end = min(len(frame), start + int(chance.integers(1, 30)))
    match chance.integers(5):
        case 0:
            frame[start:end] = chance.choice(signs, end - start).tobytes()
        case 1:
            del frame[start:end]
        case 2:
            frame[start:start] = frame[start:end] * int(chance.integers(1, 4))
        case 3:
            other = originals[chance.integers(len(originals))]
            frame[start:end] = other[start : start + int(chance.integers(1, 60))]
        case _:
            frame[start:start] = bytes([int(chance.choice(signs))]) * int(chance.integers(1, 8))
