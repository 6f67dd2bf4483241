"""Keyed pseudonyms of patient and visit numbers, made before anything touches the disk.

A pseudonym is HMAC-SHA-256 under a secret that is kept in a file of its own, outside the database. A plain hash
would not do: hospital numbers can be enumerated. Each site and each kind of number ("patient", "visit" ..) has a key
of its own, derived from the secret, so that the same number elsewhere, or as another kind, looks unrelated.

It is cut to 80 bits, written as 16 letters and digits (base32, lower case). Among 10^7 visits the chance that any two
share a pseudonym is n^2 / 2^81, about 4e-11.
"""

from __future__ import annotations

import base64
import hmac
import os
import secrets
import stat
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingest.errors import SecretError

NumberKind = Literal["patient", "visit", "record", "file"]
"""What is hashed: a patient's number, a visit's, a source record's, or the digest of a whole file."""

SECRET_BYTES = 32
PSEUDONYM_BYTES = 10
PSEUDONYM_CHARACTERS = PSEUDONYM_BYTES * 8 // 5
_BASE32 = np.frombuffer(b"abcdefghijklmnopqrstuvwxyz234567", dtype=np.uint8)
_PLACE_VALUES = np.array([16, 8, 4, 2, 1], dtype=np.uint8)


class Pseudonyms:
    """The pseudonyms of one site.

    Two sites, or two kinds of number, never share a key. Numbers are compared without blanks around them.
    """

    def __init__(self, secret: bytes, site: str) -> None:
        """Raises SecretError if the secret has fewer than 32 bytes."""
        if len(secret) < SECRET_BYTES:
            raise SecretError(f"the secret must have {SECRET_BYTES} bytes or more, but has {len(secret)}")
        self.site = site
        self._secret = secret

    def of_site(self, site: str) -> Pseudonyms:
        """The pseudonyms of another site under the same secret."""
        return Pseudonyms(self._secret, site)

    def one(self, kind: NumberKind, number: str) -> str:
        """The pseudonym of one number, which must not be blank; in 10 us where `array` takes 300."""
        (digest,) = _hmac_sha256(self._key(kind), [number.strip()])
        return base64.b32encode(digest[:PSEUDONYM_BYTES]).decode().lower()

    def array(self, kind: NumberKind, numbers: pa.StringArray) -> pa.StringArray:
        """The pseudonyms of many numbers, shape (n,); null where the number is null or blank.

        Each distinct number is hashed once.
        """
        trimmed = pc.utf8_trim_whitespace(numbers)
        present = pc.if_else(pc.equal(trimmed, ""), pa.scalar(None, pa.string()), trimmed)
        coded = pc.dictionary_encode(present)
        return self._hashed(kind, coded.dictionary).take(coded.indices)

    def fingerprint(self) -> str:
        """Tells whether two runs had the same secret, without telling the secret."""
        return _base32([hmac.digest(self._secret, b"edtwin/fingerprint", "sha256")])[0].as_py()  # type: ignore[no-any-return]

    def _hashed(self, kind: NumberKind, numbers: pa.StringArray) -> pa.StringArray:
        return _base32(_hmac_sha256(self._key(kind), numbers.to_pylist()))

    def _key(self, kind: NumberKind) -> bytes:
        """The site's length stands before it, so that no site and kind together read as another pair."""
        domain = f"edtwin/pseudonym/{len(self.site)}:{self.site}/{kind}"
        return hmac.digest(self._secret, domain.encode(), "sha256")


_INNER, _OUTER = bytes(byte ^ 0x36 for byte in range(256)), bytes(byte ^ 0x5C for byte in range(256))


def _hmac_sha256(key: bytes, messages: Iterable[str]) -> Iterator[bytes]:
    """`hmac.digest(key, message, "sha256")` of each message, four times as fast: both padded keys are hashed once.

    The definition is RFC 2104's; the key is one of `_key`, shorter than SHA-256's block of 64 bytes.
    """
    padded = key.ljust(64, b"\0")
    inner, outer = sha256(padded.translate(_INNER)), sha256(padded.translate(_OUTER))
    for message in messages:
        first, second = inner.copy(), outer.copy()
        first.update(message.encode())
        second.update(first.digest())
        yield second.digest()


def _base32(digests: Iterable[bytes]) -> pa.StringArray:
    """The first bytes of each digest as base32 text, all at once."""
    joined = b"".join(digest[:PSEUDONYM_BYTES] for digest in digests)
    rows = len(joined) // PSEUDONYM_BYTES
    bits = np.unpackbits(np.frombuffer(joined, dtype=np.uint8)).reshape(rows * PSEUDONYM_CHARACTERS, 5)
    letters = _BASE32[bits @ _PLACE_VALUES]
    offsets = np.arange(0, (rows + 1) * PSEUDONYM_CHARACTERS, PSEUDONYM_CHARACTERS, dtype=np.int32)
    return pa.StringArray.from_buffers(rows, pa.py_buffer(offsets), pa.py_buffer(letters))


def open_secret(path: Path, *, create: bool = True) -> bytes:
    """The secret in a file; made on first use, readable by its owner alone.

    With `create` False a missing file is a fault: a new secret under an old log would give every visit a second name.
    Raises SecretError when the file is missing, not a file, open to group or others, not hexadecimal, or too short.
    """
    if create and not path.exists():
        _create(path)
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="ascii").strip() if stat.S_ISREG(mode) else ""
    except (OSError, UnicodeDecodeError) as error:
        raise SecretError(f"the secret {path} cannot be read: {type(error).__name__}") from error
    return _checked(text, mode, path)


def _checked(text: str, mode: int, path: Path) -> bytes:
    if not stat.S_ISREG(mode):
        raise SecretError(f"the secret {path} must be a file")
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise SecretError(
            f"the secret {path} must be readable by its owner alone (mode 0600), but has mode {mode & 0o777:04o}"
        )
    try:
        secret = bytes.fromhex(text)
    except ValueError:
        raise SecretError(f"the secret {path} must be hexadecimal digits, but is not") from None
    if len(secret) < SECRET_BYTES:
        raise SecretError(
            f"the secret {path} must have {2 * SECRET_BYTES} hexadecimal digits or more, but has {len(text)}"
        )
    return secret


def _create(path: Path) -> None:
    """Written whole under another name, then linked: who comes first wins, and nobody reads half a secret."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(SECRET_BYTES) + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            return
        except OSError as error:
            raise SecretError(f"the secret {path} cannot be made: {error.strerror}") from error
    finally:
        draft.unlink()
