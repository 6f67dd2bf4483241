"""What cannot be split may name anyone: it is sealed to a public key, or only its length and hash are kept.

The private key is kept elsewhere, on no machine that edtwin runs on: `edtwin quarantine new-key` makes the pair, and
`edtwin quarantine open` is run where the private one is.
"""

from __future__ import annotations

import hmac
import json
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from nacl.encoding import HexEncoder
from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, PublicKey, SealedBox

from ingest.errors import SecretError, UnreadableInputError

SEALED = b"sealed:"
"""What a sealed payload begins with."""
TOLD = b"told:"
"""What a payload begins with that is only told of: its length and a keyed hash."""


@dataclass(frozen=True)
class Seal:
    """How a message that cannot be split is kept. Without a public key only its length and hash are."""

    public: PublicKey | None = None
    hash_key: bytes = b""
    """A short message could be guessed from a plain hash."""

    @classmethod
    def of(cls, public_key: str | None, hash_key: bytes) -> Seal:
        """With a key of 64 hexadecimal digits, or None. Raises SecretError for what is not one."""
        return cls(None if public_key is None else _public(public_key), hash_key)

    def kept(self, message: bytes) -> bytes:
        """The form in which it may touch the disk."""
        return self.told(message) if self.public is None else SEALED + SealedBox(self.public).encrypt(message)

    def told(self, message: bytes) -> bytes:
        """Only its length and its hash."""
        told = {"bytes": len(message), "hmac_sha256": hmac.new(self.hash_key, message, sha256).hexdigest()}
        return TOLD + json.dumps(told).encode()


def new_pair() -> tuple[str, str]:
    """A private and a public key, as hexadecimal digits."""
    private = PrivateKey.generate()
    return private.encode(HexEncoder).decode(), private.public_key.encode(HexEncoder).decode()


def opened(payload: bytes, private_key: str) -> bytes:
    """The message in a sealed payload. Raises SecretError, UnreadableInputError."""
    try:
        private = PrivateKey(private_key.strip().encode(), HexEncoder)
    except (ValueError, TypeError, CryptoError) as error:
        raise SecretError("the private key must be 64 hexadecimal digits, but is not") from error
    if not payload.startswith(SEALED):
        raise UnreadableInputError("the payload is not sealed")
    try:
        return SealedBox(private).decrypt(payload[len(SEALED) :])
    except CryptoError as error:
        raise UnreadableInputError("the payload was sealed to another key, or is damaged") from error


def private_key_in(path: Path) -> str:
    """The private key in a file. Raises SecretError."""
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SecretError(f"the private key {path} cannot be read: {type(error).__name__}") from error


def _public(text: str) -> PublicKey:
    try:
        return PublicKey(text.strip().encode(), HexEncoder)
    except (ValueError, TypeError, CryptoError) as error:
        raise SecretError("the public key must be 64 hexadecimal digits, but is not") from error
