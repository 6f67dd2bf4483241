"""Values as bytes and back, to the last bit: how what was learned is kept on the disk.

The bytes are data: text (JSON), and columns of numbers as they lie in memory. What they become is said by the class
that is asked for and never by the bytes themselves, so bytes of anybody's making can only give a value of that class or
be refused. A sum over all of them stands first: what is torn, cut or changed by a bit is refused as well.
"""

from __future__ import annotations

import json
import types
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import datetime
from functools import cache
from hashlib import sha256
from typing import Annotated, Any, Literal, NewType, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ValidationError

from twin.errors import KeptError

Value = TypeVar("Value")
Column = npt.NDArray[Any]

HEAD = b"edtwin value 1\n"
"""What such bytes begin with: their form and its number."""
_SUM = sha256().digest_size
_LENGTH = 8
_LEVEL = 1
"""Of zlib: columns of numbers hardly shrink any further."""
_DTYPES = {np.dtype(name).str: np.dtype(name) for name in ("f8", "i8", "i4", "b1")}
_PLAIN = (bool, int, float, str)
_UNREADABLE = (ValueError, TypeError, KeyError, IndexError, AttributeError)


def to_bytes(value: object, cls: Any, about: Mapping[str, str] | None = None) -> bytes:
    """A value of a class (a dataclass, or whatever stands in one) as bytes; `from_bytes` gives an equal one.

    `about` is what is to be known of it before it is made again: `about` gives it back.

    NaN and infinity stay what they are; columns keep their type and their order in memory, so that a sum over one is
    the same to the last bit. Raises KeptError where some part of it is not of the class that its field names.
    """
    writer = _Writer()
    told = writer.told(value, cls, _named(cls))
    text = json.dumps({"about": dict(about or {}), "value": told, "columns": writer.heads}).encode()
    whole = zlib.compress(b"".join([len(text).to_bytes(_LENGTH, "little"), text, *writer.bodies]), _LEVEL)
    return HEAD + sha256(whole).digest() + whole


def from_bytes(told: bytes, cls: type[Value]) -> Value:
    """The value. Raises KeptError, with the reason, for bytes that `to_bytes` did not make of such a one."""
    found, body = _opened(told)
    try:
        value: Value = _Reader(_columns(found["columns"], body)).made(found["value"], cls)
    except (*_UNREADABLE, ValidationError) as error:
        raise KeptError(f"it cannot be read as {_named(cls)} ({type(error).__name__})") from error
    return value


def about(told: bytes) -> dict[str, str]:
    """What was said of a value when it was made bytes; raises KeptError as `from_bytes` does."""
    found, _ = _opened(told)
    said = found.get("about") if isinstance(found, dict) else None
    if not isinstance(said, dict) or not all(isinstance(text, str) for text in said.values()):
        raise KeptError("it does not say what it is of")
    return said


def _opened(told: bytes) -> tuple[Any, bytes]:
    """The text and the columns of whole bytes."""
    if not told.startswith(HEAD):
        raise KeptError("it is of another form")
    kept_sum, whole = told[len(HEAD) : len(HEAD) + _SUM], told[len(HEAD) + _SUM :]
    if sha256(whole).digest() != kept_sum:
        raise KeptError("it is damaged: its sum is another")
    try:
        text, body = _parted(zlib.decompress(whole))
        return json.loads(text), body
    except (*_UNREADABLE, zlib.error) as error:
        raise KeptError(f"it cannot be read ({type(error).__name__})") from error


def digest_of_value(value: object, cls: Any) -> str:
    """A name of 16 letters for a value: another where any part of it is."""
    return sha256(to_bytes(value, cls)).hexdigest()[:16]


# --- columns ----------------------------------------------------------------------------------------------------------


def _parted(whole: bytes) -> tuple[bytes, bytes]:
    length = int.from_bytes(whole[:_LENGTH], "little")
    return whole[_LENGTH : _LENGTH + length], whole[_LENGTH + length :]


def _columns(heads: Sequence[Sequence[Any]], body: bytes) -> list[Column]:
    """Each column as it lay in memory, from its head: type, shape, order."""
    out, place = list[Column](), 0
    for name, shape, order in heads:
        dtype, count = _DTYPES[name], int(np.prod(shape, dtype=np.int64))
        flat = np.frombuffer(body, dtype, count, place)
        out.append(flat.reshape(tuple(shape), order=order).copy(order="K"))
        place += count * dtype.itemsize
    if place != len(body):
        raise KeptError("it is damaged: its columns do not fill it")
    return out


@dataclass
class _Writer:
    """What has been written: the columns, each with its head."""

    heads: list[tuple[str, tuple[int, ...], str]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    def told(self, value: Any, hint: Any, place: str) -> Any:
        """A part of the value, as its field says that it is, ready for JSON."""
        kind = _kind(hint)
        if not kind.holds(value):
            raise KeptError(f"{place} must be {_named(hint)}, but is {type(value).__name__}")
        return kind.told(self, value, place)

    def column(self, value: Column) -> int:
        """The number of a column that is kept."""
        order = "F" if value.flags.f_contiguous and not value.flags.c_contiguous else "C"
        self.heads.append((value.dtype.str, value.shape, order))
        self.bodies.append(value.tobytes(order=order))  # type: ignore[arg-type]
        return len(self.heads) - 1


@dataclass(frozen=True)
class _Reader:
    """The columns that parts of a value name by their number."""

    columns: Sequence[Column]

    def made(self, told: Any, hint: Any) -> Any:
        """The part that was told."""
        value = _kind(hint).made(self, told)
        if not _kind(hint).holds(value):
            raise KeptError(f"it holds {type(value).__name__} for {_named(hint)}")
        return value


# --- kinds of parts ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Kind:
    """How values of a kind are known, told and made."""

    holds: Callable[[Any], bool]
    told: Callable[[_Writer, Any, str], Any] = lambda _writer, value, _place: value
    made: Callable[[_Reader, Any], Any] = lambda _reader, told: told


@cache
def _kind(hint: Any) -> _Kind:
    """How what a field names is kept; raises KeptError for what cannot be."""
    origin, args = get_origin(hint), get_args(hint)
    if isinstance(hint, NewType):
        return _kind(hint.__supertype__)
    if origin is Annotated:
        return _kind(args[0])
    if hint is Any:
        return _Kind(lambda value: True)
    if hint in (None, type(None)):
        return _Kind(lambda value: value is None)
    if origin is Literal:
        return _Kind(lambda value: value in args)
    if origin in (Union, types.UnionType):
        return _one_of(args)
    if origin is np.ndarray:
        return _COLUMN
    if origin in _SEVERAL:
        return _SEVERAL[origin](args)
    return _of_class(hint)


def _of_class(hint: Any) -> _Kind:
    if hint in _PLAIN:
        return _plain(hint)
    if hint is datetime:
        return _Kind(
            lambda v: isinstance(v, datetime), lambda _, v, __: v.isoformat(), lambda _, t: datetime.fromisoformat(t)
        )
    if isinstance(hint, type) and issubclass(hint, BaseModel):
        return _Kind(
            lambda v: type(v) is hint, lambda _, v, __: v.model_dump(mode="json"), lambda _, t: hint.model_validate(t)
        )
    if is_dataclass(hint) or hasattr(hint, "_fields"):
        return _of_fields(hint)
    raise KeptError(f"{_named(hint)} cannot be kept")


def _plain(cls: type[Any]) -> _Kind:
    """A number, a flag or a text; numpy's numbers are Python's, a whole number stands for one with a fraction."""
    if cls is float:
        return _Kind(lambda v: isinstance(v, float | int | np.floating | np.integer), lambda _, v, __: _number(v))
    if cls is int:
        return _Kind(lambda v: isinstance(v, int | np.integer), lambda _, v, __: int(v))
    if cls is bool:
        return _Kind(lambda v: isinstance(v, bool | np.bool_), lambda _, v, __: bool(v))
    return _Kind(lambda v: isinstance(v, cls), lambda _, v, __: str(v))


def _number(value: Any) -> float | int:
    return int(value) if isinstance(value, int | np.integer) else float(value)


_COLUMN = _Kind(
    lambda value: isinstance(value, np.ndarray) and value.dtype.str in _DTYPES,
    lambda writer, value, _: writer.column(value),
    lambda reader, told: reader.columns[told],
)


def _one_of(args: tuple[Any, ...]) -> _Kind:
    """None or one kind of thing, or any of some plain things."""
    some = [arg for arg in args if arg is not type(None)]
    may_lack = len(some) < len(args)
    if len(some) > 1:
        if not set(some) <= set(_PLAIN):
            raise KeptError(f"one of {', '.join(map(_named, some))} cannot be kept")
        return _Kind(lambda value: (value is None and may_lack) or isinstance(value, tuple(some)))
    [hint] = some
    return _Kind(
        lambda value: value is None or _kind(hint).holds(value),
        lambda writer, value, place: None if value is None else writer.told(value, hint, place),
        lambda reader, told: None if told is None else reader.made(told, hint),
    )


def _tuple(args: tuple[Any, ...]) -> _Kind:
    if len(args) == 2 and args[1] is Ellipsis:
        return _sequence(args)

    def told(writer: _Writer, value: Any, place: str) -> list[Any]:
        return [writer.told(one, hint, place) for one, hint in zip(value, args, strict=True)]

    def made(reader: _Reader, found: Any) -> tuple[Any, ...]:
        return tuple(reader.made(one, hint) for one, hint in zip(found, args, strict=True))

    return _Kind(lambda value: isinstance(value, tuple) and len(value) == len(args), told, made)


def _sequence(args: tuple[Any, ...]) -> _Kind:
    return _Kind(
        lambda value: isinstance(value, tuple),
        lambda writer, value, place: [writer.told(one, args[0], place) for one in value],
        lambda reader, told: tuple(reader.made(one, args[0]) for one in told),
    )


def _set(args: tuple[Any, ...]) -> _Kind:
    return _Kind(
        lambda value: isinstance(value, frozenset),
        lambda writer, value, place: [writer.told(one, args[0], place) for one in sorted(value)],
        lambda reader, told: frozenset(reader.made(one, args[0]) for one in told),
    )


def _mapping(args: tuple[Any, ...]) -> _Kind:
    """In its order; keys may be anything that can be kept."""
    key, value = args

    def told(writer: _Writer, whole: Mapping[Any, Any], place: str) -> list[Any]:
        return [[writer.told(k, key, place), writer.told(v, value, f"{place}[{k!r}]")] for k, v in whole.items()]

    def made(reader: _Reader, pairs: Any) -> dict[Any, Any]:
        return {reader.made(k, key): reader.made(v, value) for k, v in pairs}

    return _Kind(lambda whole: isinstance(whole, Mapping), told, made)


def _of_fields(cls: type[Any]) -> _Kind:
    """A dataclass or a named tuple, field by field; never more than it says that it is."""
    hints = _hints(cls)

    def told(writer: _Writer, value: Any, place: str) -> dict[str, Any]:
        return {name: writer.told(getattr(value, name), hint, f"{place}.{name}") for name, hint in hints.items()}

    def made(reader: _Reader, found: Any) -> Any:
        if set(found) != set(hints):
            raise KeptError(f"it holds other fields of {cls.__name__}")
        return cls(**{name: reader.made(found[name], hint) for name, hint in hints.items()})

    return _Kind(lambda value: type(value) is cls, told, made)


def _hints(cls: type[Any]) -> dict[str, Any]:
    hints = get_type_hints(cls, include_extras=True)
    names = [one.name for one in fields(cls) if one.init] if is_dataclass(cls) else cls._fields
    return {name: hints[name] for name in names}


def _named(hint: Any) -> str:
    return getattr(hint, "__name__", str(hint))


_SEVERAL: dict[Any, Callable[[tuple[Any, ...]], _Kind]] = {
    tuple: _tuple, frozenset: _set, dict: _mapping, Mapping: _mapping,
}  # fmt: skip
