"""What cannot be split: sealed to an offline key, or only its length and a keyed hash."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ingest.errors import SecretError, UnreadableInputError
from ingest.seal import SEALED, TOLD, Seal, new_pair, opened, private_key_in


def test_only_the_private_key_opens_what_was_sealed() -> None:
    private, public = new_pair()
    payload = Seal.of(public, b"k").kept(b"a name")
    assert payload.startswith(SEALED)
    assert b"a name" not in payload
    assert opened(payload, private) == b"a name"
    with pytest.raises(UnreadableInputError, match="sealed to another key, or is damaged"):
        opened(payload, new_pair()[0])
    with pytest.raises(UnreadableInputError, match="sealed to another key, or is damaged"):
        opened(payload[:-1] + bytes([payload[-1] ^ 1]), private)


def test_without_a_key_only_length_and_a_keyed_hash_are_kept() -> None:
    told = [Seal.of(None, key).kept(b"a name") for key in (b"k", b"k", b"other")]
    assert told[0] == told[1] != told[2]
    facts = json.loads(told[0].removeprefix(TOLD))
    assert (facts["bytes"], len(facts["hmac_sha256"])) == (6, 64)


@pytest.mark.parametrize("key", ["", "xyz", "ab" * 31])
def test_a_key_that_is_none_is_told(key: str) -> None:
    with pytest.raises(SecretError, match="the public key must be 64 hexadecimal digits"):
        Seal.of(key, b"k")
    with pytest.raises(SecretError, match="the private key must be 64 hexadecimal digits"):
        opened(SEALED, key)


def test_a_private_key_is_read_from_its_file(tmp_path: Path) -> None:
    private, public = new_pair()
    (tmp_path / "key").write_text(private + "\n")
    assert opened(Seal.of(public, b"").kept(b"x"), private_key_in(tmp_path / "key")) == b"x"
    with pytest.raises(SecretError, match="cannot be read"):
        private_key_in(tmp_path / "none")


def test_what_is_not_sealed_is_told() -> None:
    with pytest.raises(UnreadableInputError, match="not sealed"):
        opened(b"MSH|", new_pair()[0])
