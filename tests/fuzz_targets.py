"""What a fuzzer throws bytes at: six doors of the house, each with what must hold whatever comes in.

A target is a function of bytes that raises where a guarantee is broken. It has inputs to begin with, and a planted bug:
a known-bad variant of the code behind the door that the same check must find. `fuzz.py` drives them by coverage,
`test_fuzz.py` by chance with a seed.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any
from unittest.mock import patch

from dash import Dash
from flask.testing import FlaskClient

from dashboard import headers
from dashboard.app import WallSettings, build_app
from dashboard.headers import CALLBACK_PATH
from dashboard.proposal_window import DeskDoor
from dashboard.settings import Settings
from forecast.archive import SCHEMA_SQL
from forecast.desk import Desk
from forecast.own_scenarios import OwnScenarios
from forecast.people import LocalPeople
from forecast.whatif_ask import Asking
from forecast.whatif_moments import Moments
from forecast.whatif_queue import WhatIf
from ingest import configuration, fhir, hl7_text, mapping
from ingest.clock import SimulatedClock
from ingest.database import Database
from ingest.errors import ConfigurationError, UnreadableInputError
from ingest.fhir import FhirFormat
from ingest.hl7_reasons import IGNORED, REASONS
from ingest.mapping import SHIPPED, parse_mapping
from ingest.sources.mllp_frames import CR, FS, Framer, Overlong, framed
from tests import fhirs, hl7_hostile
from tests.boards import ordinary
from tests.exercise_views import Offered
from tests.histories import hospital
from tests.hl7_messages import hl7, place
from tests.test_forecast_desk import ANNA, BEN, NAMES, NOW
from tests.test_forecast_whatif import ground
from twin.scenarios import catalogue
from twin.supply_file import load_supplies


@dataclass(frozen=True)
class Target:
    """A door: what must hold, what to begin with, the bytes that mean something there, and a bug to plant."""

    check: Callable[[bytes], None]
    seeds: Callable[[], Sequence[bytes]]
    signs: bytes
    plant: Callable[[], AbstractContextManager[Any]]


# --- the MLLP framer: the result does not depend on how the bytes were cut

LIMIT_BYTES = 64


def check_framer(data: bytes) -> None:
    """The first byte says how many of the next are cuts; the rest is the stream."""
    count = min(data[0] % 16, len(data) - 1) if data else 0
    cuts, stream = data[1 : 1 + count], data[1 + count :]
    edges = sorted({0, len(stream), *(cut % (len(stream) + 1) for cut in cuts)})
    chunks = [stream[start:end] for start, end in pairwise(edges)]
    whole = _framed_out([stream])
    assert _framed_out(chunks) == whole
    assert _framed_out([stream[at : at + 1] for at in range(len(stream))]) == whole


def _framed_out(chunks: Sequence[bytes]) -> tuple[list[bytes | Overlong], int, bytes | None]:
    framer = Framer(LIMIT_BYTES)
    found = [message for chunk in chunks for message in framer.feed(chunk)]
    return found, framer.skipped_bytes, framer.rest()


def _framer_seeds() -> list[bytes]:
    streams = [framed(b"MSH|1"), b"xy" + framed(b"a") + framed(b"b\x1cc"), b"\x0bab\x1c", framed(b"m" * 70)]
    return [bytes([2, 1, 3]) + stream for stream in streams]


def _forgets_at_the_edge(self: Framer, content: bytearray) -> int:
    return content.find(FS + CR, self._seen + 1)


# --- HL7: events, a rule by which it is ignored, or a reason


def check_hl7(data: bytes) -> None:
    """As it comes in, and as it would be read again from the journal."""
    form = hl7()
    for payload in (form.kept(data).payload, data):
        reading = form.read(payload, place())
        assert bool(reading.events) + (reading.ignored is not None) + (reading.rejected is not None) == 1
        assert reading.ignored in {None, *IGNORED}
        assert reading.rejected in {None, *REASONS}


def _hl7_seeds() -> list[bytes]:
    escaped = (
        rb"MSH|^~\&|||||20260302080000||ADT^A08|1|P|2.5" + b"\r" + rb"PV1||E|ED\X41\^\F\12||||||||||||||||V\X4142\ "
    )
    return [*hl7_hostile.seeds(), escaped]


def _hexadecimal_of_anything(code: str, signs: Mapping[str, str]) -> str:
    return bytes.fromhex(code[1:]).decode("utf-8", "replace") if code[:1] == "X" else signs.get(code, "")


# --- FHIR: the same, for each part of a message


def check_fhir(data: bytes) -> None:
    """Every part is kept and read to exactly one outcome."""
    form = FhirFormat(fhirs.MAPPING, fhirs.PSEUDONYMS)
    for part in form.parts(data):
        reading = form.read(form.kept(part).payload, fhirs.AT)
        assert bool(reading.events) + (reading.ignored is not None) + (reading.rejected is not None) == 1


def _fhir_seeds() -> list[bytes]:
    person = {"resourceType": "Patient", "id": "p", "birthDate": "1940-01-01"}
    visit = fhirs.encounter(
        "in-progress",
        statusHistory=fhirs.SEEN,
        period={"start": fhirs.at("10:00")},
        location=[fhirs.stay("ED", "10:00")],
        subject={"reference": "Patient/p"},
    )
    loose, whole = fhirs.bundle("searchset", person, visit), fhirs.bundle("transaction", visit)
    return [json.dumps(message).encode() for message in (visit, loose, whole)]


def _type_of_anything(entry: Any) -> Any:
    return entry["resource"]["resourceType"]


# --- mappings and settings: a checked value, or every fault in a sentence


def check_mapping(data: bytes) -> None:
    """A file of a mapping, whatever is in it."""
    _taken_or_told(parse_mapping, data)


def check_configuration(data: bytes) -> None:
    """A file of settings, whatever is in it."""
    _taken_or_told(lambda text: configuration.parse(text, Settings, place="edtwin.toml"), data)


def _taken_or_told(parse: Callable[[str], object], data: bytes) -> None:
    try:
        parse(data.decode("utf-8", "replace"))
    except (ConfigurationError, UnreadableInputError) as told:
        said = str(told)
    else:
        said = "taken"
    assert said.strip()


def _mapping_seeds() -> list[bytes]:
    """The shipped ones, and small ones: coverage grows faster from these."""
    small = b'[source]\nformat = "wide"\nvisit = "v"\ntime_zone = "Europe/Paris"\n[times]\narrival = "a"\n'
    return [small, small.replace(b"wide", b"long"), *((SHIPPED / f"{n}.toml").read_bytes() for n in ("sepsis", "rpu"))]


def _format_of_anything(text: str) -> str:
    return str(tomllib.loads(text)["source"]["format"])


def _configuration_seeds() -> list[bytes]:
    return [
        b'host = "127.0.0.1"\nport = 8050\nscenarios = "s.toml"\nmembers = 200\n',
        b'wall_charts = ["census"]\nwall_rotation = ["wall", "floor"]\nevery_min = 10\n',
        b'kafka = "127.0.0.1:9092/ed"\nmllp_port = 2575\nmllp_senders = ["10.0.0.0/8"]\noutside = ["a.csv"]\n',
    ]


def _line_of_exactly_that(key: tuple[str, ...], lines: dict[tuple[str, ...], int]) -> int:
    return lines[key]


# --- callbacks: what is no call of a page is refused, and no call is answered with a fault of ours


@cache
def wall() -> tuple[Dash, FlaskClient]:
    """A wall with a desk, something to ask and an exercise; what is asked waits, for nobody answers."""
    people = LocalPeople((ANNA, BEN))
    clock = SimulatedClock(NOW)
    kept = ExitStack()  # for as long as the process lives
    database = kept.enter_context(Database.open(None, [SCHEMA_SQL], threads=1))
    desk = Desk(database, clock, NAMES, horizon_min=1440.0, zone="Europe/Paris")
    now = ground()
    whatif = WhatIf(ThreadPoolExecutor(1), lambda: now, Moments(lambda _: now))
    asking = Asking(whatif, lambda: now, catalogue, own=OwnScenarios(database, clock), first_at=lambda: NOW)
    app = build_app(
        ordinary,
        WallSettings(is_exercise=True),
        asking=asking,
        exercise=Offered(),
        door=DeskDoor(desk, people, hospital(), load_supplies(), clock),
    )
    return app, app.server.test_client()


def check_callback(data: bytes) -> None:
    """The first byte names a callback, whose values are the JSON list that follows; any other body is sent as it is."""
    body = _call(data)
    sent = body if body is not None else data[1:]
    answer = wall()[1].post(CALLBACK_PATH, data=sent, content_type="application/json")
    assert answer.status_code < 500, answer.text[:500]
    assert "Traceback" not in answer.text


def _call(data: bytes) -> bytes | None:
    """The body of a sound call with the values that the data give; None where they give none."""
    calls = _calls()
    if not data or data[0] >= len(calls):
        return None
    try:
        values = json.loads(data[1:])
    except (ValueError, RecursionError):
        return None
    if not isinstance(values, list):
        return None
    return json.dumps(_filled(calls[data[0]], [*values, *[None] * 99])).encode()


@cache
def _calls() -> list[dict[str, Any]]:
    """A call of each callback, its values to be filled in, in one order."""
    return [
        {
            "output": output,
            "outputs": [_place(name) for name in output.strip(".").split("...")],
            "inputs": [{"id": item["id"], "property": item["property"]} for item in callback["inputs"]],
            "state": [{"id": item["id"], "property": item["property"]} for item in callback["state"]],
        }
        for output, callback in sorted(wall()[0].callback_map.items())
        if "callback" in callback
    ]


def _place(name: str) -> dict[str, str]:
    part, _, what = name.rpartition(".")
    return {"id": part, "property": what}


def _filled(call: dict[str, Any], values: list[Any]) -> dict[str, Any]:
    given = iter(values)
    told = {key: [{**item, "value": next(given)} for item in call[key]] for key in ("inputs", "state")}
    changed = [f"{item['id']}.{item['property']}" for item in call["inputs"][:1]]
    outputs = call["outputs"] if call["output"].startswith("..") else call["outputs"][0]
    return {**call, **told, "outputs": outputs, "changedPropIds": changed}


SCREEN = {"tick": 3, "language": "fr", "rem_px": 20, "narrow": False, "path": "/", "query": "", "number": 1}
TALK = {"proposal": "p", "act": "support", "language": "fr"}
ASKED: dict[str, Any] = {
    "viewer": "a1b2c3d4", "preset": "as_usual", "values": {}, "numbers": {}, "at": None, "n": 1, "measure": "census",
    "language": "fr", "rem_px": 20, "narrow": False,
}  # fmt: skip


def _callback_seeds() -> list[bytes]:
    """Each callback with screens, questions and words in turn; one raw body."""
    values = [[SCREEN, "v"], [ASKED, SCREEN, 1], [1, TALK, "Anna", "words", None, None], [[1, 0, 2], {"pressed": 1}]]
    calls = [bytes([n]) + json.dumps(some).encode() for n in range(len(_calls())) for some in values]
    return [*calls, b"\xff" + json.dumps(_filled(_calls()[0], [SCREEN, "v"])).encode()]


def _lets_everything_in(body: Any, callbacks: Mapping[str, Any]) -> None:
    """No body is refused."""


TEXT_SIGNS = b"\"'[]{}=,.:#\n \\-_0129aefnrtuz\x00\xc3\xa9\xff"

TARGETS: Mapping[str, Target] = {
    "framer": Target(
        check_framer, _framer_seeds, b"\x0b\x1c\r\nab", lambda: patch.object(Framer, "_find_end", _forgets_at_the_edge)
    ),
    "hl7": Target(
        check_hl7, _hl7_seeds, hl7_hostile.SIGNS, lambda: patch.object(hl7_text, "_sign", _hexadecimal_of_anything)
    ),
    "fhir": Target(check_fhir, _fhir_seeds, TEXT_SIGNS, lambda: patch.object(fhir, "_type", _type_of_anything)),
    "mapping": Target(
        check_mapping, _mapping_seeds, TEXT_SIGNS, lambda: patch.object(mapping, "_stated_format", _format_of_anything)
    ),
    "configuration": Target(
        check_configuration,
        _configuration_seeds,
        TEXT_SIGNS,
        lambda: patch.object(configuration, "_line_of", _line_of_exactly_that),
    ),
    "callback": Target(
        check_callback,
        _callback_seeds,
        TEXT_SIGNS,
        lambda: patch.object(headers, "check_callback", _lets_everything_in),
    ),
}
"""The doors, by name."""
