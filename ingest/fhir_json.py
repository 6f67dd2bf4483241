"""JSON within bounds: size, depth and number of values are measured before anything is parsed.

The measuring is arithmetic on bytes, without recursion and without objects, so that a message of nothing but brackets
costs no more than any other. What is within the bounds is parsed by the standard library.
"""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

import numpy as np

LARGEST_BYTES = 5_000_000
DEEPEST = 64
MOST_VALUES = 300_000
"""Commas and brackets outside texts; a bundle of 5 MB as servers write it has about half of that."""
LONGEST_NUMBER = 40
_BOM = b"\xef\xbb\xbf"
_SURROGATE = re.compile(r"\\u[dD][89abAB]|\\u[dD][c-fC-F]")


class FhirFault(Exception):
    """Why a message cannot be read: the code of the rule, and a sentence that repeats nothing of the message."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code, self.sentence = code, sentence


def bounded(message: bytes) -> Any:
    """The value that a message holds. Raises FhirFault, whatever the bytes are, and nothing else."""
    measure(message)
    try:
        text = message.removeprefix(_BOM).decode("utf-8")
        value = json.loads(
            text, parse_constant=_no_number, parse_int=_whole, parse_float=_float, object_pairs_hook=_object
        )
    except UnicodeDecodeError:
        raise FhirFault("not_utf8", "the message is not UTF-8 text") from None
    except json.JSONDecodeError as error:
        raise FhirFault("not_json", f"the message is not JSON from character {error.pos} on") from None
    if _SURROGATE.search(text) and not _writable(value):
        raise FhirFault("not_utf8", "the message holds half of a character")
    return value


def measure(message: bytes) -> None:
    """Raises FhirFault where a message is too large, too deep or of too many values."""
    if len(message) > LARGEST_BYTES:
        raise FhirFault("too_large", f"the message must have at most {LARGEST_BYTES} bytes, but has {len(message)}")
    # an escaped quote ends no text; an escaped backslash escapes nothing
    plain = np.frombuffer(message.replace(rb"\\", b"__").replace(rb"\"", b"__"), dtype=np.uint8)
    outside = np.cumsum(plain == ord('"'), dtype=np.int32) % 2 == 0
    opens = ((plain == ord("{")) | (plain == ord("["))) & outside
    closes = ((plain == ord("}")) | (plain == ord("]"))) & outside
    values = int(opens.sum()) + int(((plain == ord(",")) & outside).sum())
    if values > MOST_VALUES:
        raise FhirFault("too_many_values", f"the message must have at most {MOST_VALUES} values, but has {values}")
    depth = int(np.cumsum(opens.astype(np.int8) - closes.astype(np.int8), dtype=np.int32).max(initial=0))
    if depth > DEEPEST:
        raise FhirFault("too_deep", f"the message must be at most {DEEPEST} levels deep, but has {depth}")


def _writable(value: Any) -> bool:
    """False for a text with half a surrogate pair, which nothing can encode."""
    try:
        return bool(json.dumps(value, ensure_ascii=False).encode())
    except UnicodeEncodeError:
        return False


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose names differ: readers disagree on which of two equal ones counts."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise FhirFault("not_json", "an object of the message names a field twice")
    return found


def _no_number(text: str) -> NoReturn:
    raise FhirFault("not_json", "the message holds a number that JSON does not have")


def _whole(text: str) -> int:
    return int(_short(text))


def _float(text: str) -> float:
    return float(_short(text))


def _short(text: str) -> str:
    if len(text) > LONGEST_NUMBER:
        raise FhirFault("not_json", f"a number of the message has more than {LONGEST_NUMBER} digits")
    return text
