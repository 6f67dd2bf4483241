"""Names, phones, numbers and addresses, planted in any field of HL7 messages, good and broken."""

from __future__ import annotations

import numpy as np

from ingest.hl7_edge import KEPT
from tests.hl7_messages import adt, order_of_tests, zbe

CANARIES = [
    *(f"{name}-LEFEBVRE{i}" for i, name in enumerate(["Kévin", "ODETTE", "Björn", "Zoé", "MARTIN"] * 14)),
    *(f"06{chance:08d}" for chance in np.random.default_rng(1).integers(10**7, 10**8, 50)),
    *(f"2{chance:014d}" for chance in np.random.default_rng(2).integers(10**13, 10**14, 40)),
    *(f"{i} rue des Canaris" for i in range(40)),
]
"""Names, phones, numbers of patients and of insured persons, addresses."""


def message(canary: str, segment: str, field: int) -> bytes:
    """A message with one canary in one field; the separators in it are those of real senders."""
    fields = [""] * 60
    fields[field] = canary
    planted = "|".join([segment, *fields[1:]])
    return adt("A04", "08:00", planted, zbe("M1", "08:00"), unit="ED", group="E", patient=canary, visit=canary)


def everywhere(canary: str, nth: int) -> list[bytes]:
    """Frames with the canary in fields of segments that are kept (each canary in a fifth of them), and in others."""
    fields = [(name, field) for name, shapes in KEPT.items() for field in shapes]
    whole = [message(canary, name, field) for name, field in fields[nth % 5 :: 5]]
    other = [message(canary, name, 5) for name in ("NK1", "NTE", "IN1", "GT1", "ZZZ", "OBX", canary[:3])]
    header = [adt("A04", "08:00").replace(part, canary.encode()) for part in (b"ADT^A04", b"P|2.5", b"|TWIN", b"A0408")]
    deep = [adt("A04", "08:00", f"PV1||{canary}^{canary}&{canary}~{canary}|{canary}^{canary}^{canary}^^{canary}")]
    places = [
        adt("A02", "08:00", unit=f"{canary}^{canary}^{canary}", prior=canary, group="E"),
        adt("A20", "08:00", f"NPU|{canary}^{canary}^{canary}|C"),
        order_of_tests("ORU^R01", "RE", f"OBR|1|{canary}|{canary}|{canary}|||||||||||||||||||||F"),
    ]
    return [*whole, *other, *header, *deep, *places, *broken(message(canary, "PID", 5), canary)]


def broken(frame: bytes, canary: str) -> list[bytes]:
    """The frame as bad senders and bad wires make it."""
    return [
        frame[4:],
        frame + frame,
        frame + b"\x0b" + frame,
        frame.replace(b"|", b"#"),
        frame.replace(b"\r", b""),
        frame.replace(b"MSH|^~\\&", b"MSH||||"),
        frame.replace(b"^", canary.encode()),
        frame.replace(b"PV1|", b"PV1|" + canary.encode() + b"|"),
        frame.decode().encode("utf-16"),
        b"MSH" + canary.encode() + frame,
        canary.encode("iso-8859-15"),
    ]
