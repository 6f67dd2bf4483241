"""Values as bytes and back: equal to the last bit, or refused with the reason."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.histories import NOON, calibration, fingerprint, hospital, state, told
from twin import plain_bytes as module
from twin.calibrate import Calibration
from twin.errors import KeptError
from twin.hospital import Hospital
from twin.plain_bytes import HEAD, about, digest_of_value, from_bytes, to_bytes
from twin.site import Site, load_site


class Pair(NamedTuple):
    name: str
    at_min: float | None


@dataclass(frozen=True, eq=False)
class Thing:
    """One of each kind of part."""

    rates: npt.NDArray[np.float64]
    codes: npt.NDArray[np.int64]
    here: npt.NDArray[np.bool_]
    number: float
    count: int
    is_open: bool
    kind: Literal["a", "b"]
    at: datetime | None
    pairs: tuple[Pair, ...]
    shape: tuple[int, str]
    names: frozenset[str]
    by_code: Mapping[int, npt.NDArray[np.float64]]
    told: Mapping[str, Any]


FLOATS = st.floats(allow_nan=True, allow_infinity=True)
TABLES = st.tuples(st.integers(0, 3), st.integers(0, 3), st.booleans(), st.randoms(use_true_random=False)).map(
    lambda of: np.array([of[3].gauss(0, 1) for _ in range(of[0] * of[1])], dtype=np.float64).reshape(
        of[0], of[1], order="F" if of[2] else "C"
    )
)
INSTANTS = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)).map(
    lambda at: at.replace(fold=0)
)
PAIRS = st.lists(st.builds(Pair, st.text(max_size=3), st.none() | FLOATS), max_size=3).map(tuple)
THINGS = st.builds(
    Thing, rates=TABLES, codes=st.lists(st.integers(-9, 9)).map(lambda some: np.array(some, dtype=np.int64)),
    here=st.lists(st.booleans()).map(lambda some: np.array(some, dtype=bool)), number=FLOATS, count=st.integers(),
    is_open=st.booleans(), kind=st.sampled_from(["a", "b"]), at=st.none() | INSTANTS, pairs=PAIRS,
    shape=st.tuples(st.integers(), st.text(max_size=3)), names=st.frozensets(st.text(max_size=3), max_size=3),
    by_code=st.dictionaries(st.integers(), TABLES, max_size=2),
    told=st.dictionaries(st.text(max_size=3), st.none() | FLOATS | st.lists(st.integers()), max_size=3),
)  # fmt: skip


def check_round(thing: Thing) -> None:
    back = module.from_bytes(module.to_bytes(thing, Thing), Thing)
    assert fingerprint(back) == fingerprint(thing)
    assert [x.flags.c_contiguous for x in (back.rates, *back.by_code.values())] == [
        x.flags.c_contiguous for x in (thing.rates, *thing.by_code.values())
    ]
    assert list(back.by_code) == list(thing.by_code)
    assert all(x.flags.writeable for x in (back.rates, back.codes, back.here)), "as what was just learned"


@given(THINGS)
@settings(max_examples=60)
def test_any_value_comes_back_to_the_last_bit(thing: Thing) -> None:
    check_round(thing)


def forgetful(writer: Any, value: npt.NDArray[Any]) -> int:
    """Takes every column as if it lay row by row."""
    writer.heads.append((value.dtype.str, value.shape, "C"))
    writer.bodies.append(value.tobytes())
    return len(writer.heads) - 1


def rounded(writer: Any, value: npt.NDArray[Any]) -> int:
    """Keeps fewer digits."""
    few = value.astype(np.float32).astype(value.dtype)
    writer.heads.append((few.dtype.str, few.shape, "F" if not few.flags.c_contiguous else "C"))
    writer.bodies.append(few.tobytes(order="A"))
    return len(writer.heads) - 1


@pytest.mark.parametrize("column", [forgetful, rounded])
def test_the_check_sees_columns_that_are_not_what_they_were(column: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    thing = Thing(
        np.asfortranarray(np.linspace(0, 1, 12).reshape(3, 4) / 3), np.arange(3), np.array([True]), 0.1, 1, True, "a",
        NOON, (Pair("x", 1 / 3),), (1, "x"), frozenset({"y"}), {2: np.array([[0.1, 0.7]])}, {"n": 1},
    )  # fmt: skip
    check_round(thing)
    monkeypatch.setattr(module._Writer, "column", column)
    with pytest.raises(AssertionError):
        check_round(thing)


def test_what_was_learned_of_a_hospital_and_what_a_site_says_come_back_to_the_last_bit() -> None:
    learned, site = calibration(), load_site()
    told_of = to_bytes(learned, Calibration)
    assert fingerprint(from_bytes(told_of, Calibration)) == fingerprint(learned)
    assert to_bytes(from_bytes(told_of, Calibration), Calibration) == told_of
    assert fingerprint(from_bytes(to_bytes(site, Site), Site)) == fingerprint(site)


def test_what_was_learned_names_nobody() -> None:
    """In its text stands no visit and no patient; its columns are numbers."""
    whole = zlib.decompress(to_bytes(calibration(), Calibration)[len(HEAD) + 32 :])
    text = whole[8 : 8 + int.from_bytes(whole[:8], "little")].decode()
    known = {str(v.visit) for v in state().visits.values()} | {
        str(patient) for e in told().events if (patient := getattr(e, "patient", None))
    }
    assert len(known) > 500
    words = set(_texts(json.loads(text)))
    assert len(words) > 50
    assert not words & known


def _texts(told_of: object) -> list[str]:
    if isinstance(told_of, str):
        return [told_of]
    if isinstance(told_of, Mapping):
        return [text for pair in told_of.items() for part in pair for text in _texts(part)]
    return [text for part in told_of for text in _texts(part)] if isinstance(told_of, list) else []


SMALL = to_bytes(hospital(), Hospital, {"made": "here"})


@given(st.integers(0, len(SMALL) - 1), st.integers(0, 7))
@settings(max_examples=100)
def test_bytes_of_which_a_bit_is_another_are_refused(place: int, bit: int) -> None:
    bent = bytearray(SMALL)
    bent[place] ^= 1 << bit
    with pytest.raises(KeptError, match=r"it is (of another form|damaged: its sum is another)"):
        from_bytes(bytes(bent), Hospital)


@given(st.integers(0, len(SMALL) - 1))
@settings(max_examples=50)
def test_bytes_that_are_cut_are_refused(length: int) -> None:
    with pytest.raises(KeptError):
        from_bytes(SMALL[:length], Hospital)
    with pytest.raises(KeptError):
        about(SMALL[:length])


def sealed(text: object, body: bytes = b"") -> bytes:
    """Bytes of somebody's making with a sum that is right."""
    told_of = json.dumps(text).encode()
    whole = zlib.compress(len(told_of).to_bytes(8, "little") + told_of + body)
    return HEAD + sha256(whole).digest() + whole


@pytest.mark.parametrize(
    "told_of",
    [
        b"", HEAD, b"PK\x03\x04", sealed([]), sealed({}), sealed({"value": {}, "columns": []}),
        sealed({"value": {}, "columns": [["<f8", [2**40], "C"]]}),
        sealed({"value": {}, "columns": [["|O8", [1], "C"]]}, b"12345678"),
        sealed({"value": {}, "columns": []}, b"more"), None,
    ],
)  # fmt: skip
def test_what_is_of_something_else_is_refused(told_of: bytes | None) -> None:
    """None stands for what was learned of a hospital, whole: not made by every process that only collects."""
    with pytest.raises(KeptError):
        from_bytes(to_bytes(calibration(), Calibration) if told_of is None else told_of, Hospital)


def test_what_is_said_of_a_value_is_read_without_it() -> None:
    assert about(SMALL) == {"made": "here"}
    for told_of in (sealed([]), sealed({"about": [1]}), sealed({"about": {"n": 1}})):
        with pytest.raises(KeptError, match="does not say what it is of"):
            about(told_of)


def test_what_is_not_what_its_field_says_is_not_kept() -> None:
    class Larger(Hospital):
        pass

    larger = Larger(**vars(hospital()))
    with pytest.raises(KeptError, match="must be Hospital, but is Larger"):
        to_bytes(larger, Hospital)
    with pytest.raises(KeptError, match=r"Hospital\.name must be str, but is int"):
        to_bytes(replace(hospital(), name=3), Hospital)  # type: ignore[arg-type]
    with pytest.raises(KeptError, match="object cannot be kept"):
        to_bytes(object(), object)


@given(st.text(max_size=4), st.integers(0, 5), st.integers(0, 40))
@settings(max_examples=30)
def test_the_name_of_a_value_is_another_where_any_part_of_it_is(name: str, unit: int, places: int) -> None:
    one = hospital()
    units = tuple(replace(u, places=places) if n == unit else u for n, u in enumerate(one.units))
    other = replace(one, name=name, units=units)
    assert (digest_of_value(other, Hospital) == digest_of_value(one, Hospital)) == (other == one)
    assert fingerprint(from_bytes(to_bytes(other, Hospital), Hospital)) == fingerprint(other)
