"""HL7 messages in a line each, as a hospital would send them, on the day of `tests.worlds`."""

from __future__ import annotations

from datetime import datetime, timedelta

from ingest.events import Event
from ingest.formats import Place, Reading
from ingest.hl7 import Hl7
from ingest.hl7_settings import Hl7Settings, parse_settings
from ingest.pseudonyms import Pseudonyms
from tests.worlds import at

SETTINGS = """
[source]
name = "adt"
format = "hl7"
site = "north"
zone = "Europe/Paris"

[units]
elsewhere = ["CLINIC"]
areas = { ED = "boxes", SAUV = "sauv" }
wards = { "3101" = "medicine", "3205" = "surgery", "HUH AE" = "uhcd" }

[acuity]
fields = ["PV2-40", "ZTR-2"]
values = { "1" = "1", "2" = "2", "3" = "3A", "4" = "4", "5" = "5" }

[destination]
field = "PV1-36"
values = { "8" = "home", "6" = "ward", "7" = "transfer", "9" = "died", "L" = "left_without_being_seen", "M" = "left_during_care" }

[mode]
field = "PV2-38"
values = { "A" = "ambulance", "S" = "smur" }
"""  # noqa: E501 - a table of TOML stands on one line


def settings(text: str = SETTINGS) -> Hl7Settings:
    """The settings of these messages' hospital."""
    return parse_settings(text)


def hl7() -> Hl7:
    """The format, with a secret of its own."""
    return Hl7(settings(), Pseudonyms(b"s" * 32, "north"))


def place(position: int = 1) -> Place:
    """A place in the source."""
    return Place(source="adt", position=position, stored_at=at("00:00"))


def stamp(instant: datetime) -> str:
    """An instant as these messages write it, in UTC."""
    return f"{instant:%Y%m%d%H%M%S}+0000"


def adt(
    trigger: str,
    clock: str,
    *extra: str,
    visit: str = "V1",
    unit: str = "",
    prior: str = "",
    group: str = "",
    pv1: str = "",
    recorded: str | None = None,
    patient: str = "P1",
    evn6: bool = True,
) -> bytes:
    """A message about what happened at `clock`, entered then or at `recorded`; `extra` are more segments."""
    happened, entered = stamp(at(clock)), stamp(at(recorded or clock) + timedelta(seconds=30))
    segments = [
        f"MSH|^~\\&|ADT|NORTH|TWIN|EDTWIN|{entered}||ADT^{trigger}|{trigger}{clock}{visit}|P|2.5",
        f"EVN|{trigger}|{entered}||||{happened if evn6 else ''}",
        f"PID|1||{patient}^^^H^PI||DUPONT^JEANNE||19400102|F",
        f"PV1|1|{group}|{unit}|||{prior}|||||||||||||{visit}|||||||||||||||||{pv1}",
        *extra,
    ]
    return "\r".join(segments).encode() + b"\r"


def order_of_tests(kind: str, control: str, *obr: str) -> bytes:
    """An order or a result, with an ORC of half past eight."""
    orc = f"ORC|{control}|N1|F1||||||{stamp(at('08:30'))}"
    return adt("A01", "08:00", orc, *obr).replace(b"ADT^A01", kind.encode())


def zbe(number: str, clock: str, action: str = "INSERT", trigger: str = "", unit: str = "") -> str:
    """A movement segment."""
    return f"ZBE|{number}^IDENT|{stamp(at(clock))}||{action}|N|{trigger}|{'^' * 9}{unit}"


def read(message: bytes, position: int = 1) -> Reading:
    """What becomes of a message, through the edge."""
    form = hl7()
    return form.read(form.kept(message).payload, place(position))


def events(*messages: bytes) -> list[Event]:
    """The events of messages that are all applied or ignored."""
    found = [read(message, position) for position, message in enumerate(messages, start=1)]
    assert [reading.sentence for reading in found if reading.rejected] == []
    return [event for reading in found for event in reading.events]


def short(found: Reading | list[Event]) -> list[str]:
    """Kind and what it says, a line an event."""
    listed = found.events if isinstance(found, Reading) else found
    return [" ".join([event.kind, *_said(event)]) for event in listed]


def _said(event: Event) -> list[str]:
    names = ("unit", "bed", "to", "acuity", "mode", "age_band", "sex", "test", "status", "planned")
    return [str(value) for name in names if (value := getattr(event, name, None)) is not None]
