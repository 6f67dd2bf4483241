"""What passes the edge: the fields of the list in their shapes, and nothing that could name anyone."""

from __future__ import annotations

import pytest

from ingest.formats import Kept
from ingest.hl7 import Hl7
from ingest.hl7_edge import UNREADABLE, Hl7Edge, age_band, looks_like_a_code
from ingest.hl7_text import FAULTS
from tests.hl7_canaries import CANARIES, everywhere
from tests.hl7_messages import adt, hl7, place, stamp, zbe
from tests.worlds import at


def leaks(form: Hl7, canaries: list[str]) -> set[str]:
    """Canaries that are in what would touch the disk: the payload, the control id, and what is read of it."""
    found = set()
    for nth, canary in enumerate(canaries):
        signs = {canary.encode(), canary.encode("iso-8859-15", "replace"), canary.upper().encode()}
        for frame in everywhere(canary, nth):
            kept = form.kept(frame)
            written = kept.payload + kept.control_id.encode() + repr(form.read(kept.payload, place())).encode()
            if any(sign in written for sign in signs):
                found.add(canary)
    return found


def test_no_canary_passes_the_edge_wherever_it_is_planted() -> None:
    assert len(CANARIES) == 200
    assert leaks(hl7(), CANARIES) == set()


def test_an_edge_that_keeps_what_it_does_not_know_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Hl7Edge, "code", lambda self, text, known: text)
    assert leaks(hl7(), CANARIES[:3]) == set(CANARIES[:3])


def test_an_edge_that_keeps_an_unreadable_frame_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Hl7Edge, "_unreadable", lambda self, frame, fault: Kept(payload=frame, fault=fault.code))
    assert leaks(hl7(), CANARIES[:3]) == set(CANARIES[:3])


def test_what_is_kept_of_a_message() -> None:
    level = f"OBX|1|CE|TRIAGE^T||3|||||F|F|||{stamp(at('08:05'))}"
    notes = ["NK1|1|DUPONT^JEAN", "NTE|1||asleep", "OBX|2|TX|NOTE||DUPONT is asleep"]
    kept = hl7().kept(adt("A04", "08:00", level, *notes, zbe("M1", "08:00"), unit="ED^^12", group="E"))
    lines = kept.payload.decode().split("\r")
    number = hl7()._edge.number  # type: ignore[union-attr]
    assert lines == [
        f"MSH|^~\\&|||||20260302080030+0000||ADT^A04|{number('record', 'A0408:00V1')}|P|2.5||||||UNICODE UTF-8",
        "EVN|A04|20260302080030+0000||||20260302080000+0000",
        f"PID|||{number('patient', 'P1')}||||75+|F",
        f"PV1||E|ED^^12||||||||||||||||{number('visit', 'V1')}",
        "OBX|||TRIAGE||3||||||F|||20260302080500+0000",
        f"ZBE|{number('record', 'M1')}|20260302080000+0000||INSERT|N",
        "",
    ]  # fmt: skip
    sender = adt("A04", "08:00").split(b"|")[2:4]
    named = "^".join([*(part.decode() for part in sender), "A0408:00V1"])
    assert (kept.control_id, kept.fault) == (number("record", named), None)


def test_the_number_of_the_type_that_the_settings_prefer_is_the_patients() -> None:
    one, two = (hl7().kept(adt("A04", "08:00", patient=p)).payload for p in ("X^^^H^INS~P1^^^H^PI~Y", "P1"))
    assert one == two


def test_a_frame_that_cannot_be_split_is_its_length_its_digest_and_its_reason() -> None:
    kept = hl7().kept(b"PID|1||DUPONT")
    name, code, length, digest = kept.payload.decode().strip().split("|")
    assert (name, code, length, kept.fault) == (UNREADABLE, "no_msh", "13", "no_msh")
    assert digest == hl7().kept(b"PID|1||DUPONT").payload.decode().strip()[-16:]
    assert digest != hl7().kept(b"PID|1||DURAND").payload.decode().strip()[-16:]
    assert [hl7().read(f"{UNREADABLE}|{code}|1|x\r".encode(), place()).rejected for code in FAULTS] == list(FAULTS)


@pytest.mark.parametrize(
    ("born", "band"),
    [("19510302", "75+"), ("19510303", "18-74"), ("20080302", "18-74"), ("20080303", "0-17"), ("2027", "?"),
     ("20270101", "?"), ("18500101", "?"), ("19511332", "?"), ("75+", "75+"), ("", "")],
)  # fmt: skip
def test_a_birth_date_becomes_a_band_of_the_age_on_the_day_of_the_message(born: str, band: str) -> None:
    assert age_band(born, "20260302080000+0100") == band


@pytest.mark.parametrize("text", ["ED", "UHCD", "3101", "UF3101", "B204", "us-0003", "Bed 12", "MED-2", "1554-5"])
def test_these_look_like_codes(text: str) -> None:
    assert looks_like_a_code(text)


@pytest.mark.parametrize(
    "text", ["MARTIN", "Lee", "0612345678", "123456", "Bed MARTIN", "MARTIN12", "12 rue", "é1", ""]
)
def test_these_do_not(text: str) -> None:
    assert not looks_like_a_code(text)


def test_only_the_format_of_the_edge_needs_the_secret() -> None:
    payload = hl7().kept(adt("A04", "08:00", unit="ED")).payload
    assert Hl7(hl7().settings).read(payload, place()) == hl7().read(payload, place())
