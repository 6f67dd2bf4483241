"""Pseudonyms are HMAC-SHA-256, apart by site and kind; the secret is safe or refused."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import stat
import threading
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.errors import SecretError
from ingest.pseudonyms import PSEUDONYM_CHARACTERS, NumberKind, Pseudonyms, open_secret

SECRET = bytes(range(32))
NUMBERS = st.text(min_size=1, max_size=30).filter(lambda text: text.strip() != "" and text.isprintable())


def by_the_book(secret: bytes, site: str, kind: str, number: str) -> str:
    """The definition, written plainly."""
    key = hmac.digest(secret, f"edtwin/pseudonym/{len(site)}:{site}/{kind}".encode(), "sha256")
    digest = hmac.new(key, number.encode(), hashlib.sha256).digest()
    return base64.b32encode(digest[:10]).decode().lower()


@given(NUMBERS, st.sampled_from(["patient", "visit", "record", "file"]))
@settings(max_examples=100)
def test_a_pseudonym_is_a_truncated_hmac(number: str, kind: NumberKind) -> None:
    assert Pseudonyms(SECRET, "north").one(kind, number.strip()) == by_the_book(SECRET, "north", kind, number.strip())


def test_an_array_keeps_its_order_its_repetitions_and_its_gaps() -> None:
    pseudonyms = Pseudonyms(SECRET, "north")
    a, b = pseudonyms.one("visit", "a"), pseudonyms.one("visit", "b")
    assert pseudonyms.array("visit", pa.array(["a", None, "b", " a ", "", "  "])).to_pylist() == [
        a, None, b, a, None, None,
    ]  # fmt: skip
    assert pseudonyms.array("visit", pa.array([], pa.string())).to_pylist() == []


def test_sites_kinds_and_secrets_do_not_share_pseudonyms() -> None:
    made = [
        Pseudonyms(secret, site).one(kind, "4711")
        for secret in (SECRET, SECRET[::-1])
        for site in ("north", "south")
        for kind in ("patient", "visit", "record")
    ]
    assert len(set(made)) == len(made)
    assert all(len(pseudonym) == PSEUDONYM_CHARACTERS for pseudonym in made)
    assert Pseudonyms(SECRET, "north").of_site("south").one("visit", "1") == Pseudonyms(SECRET, "south").one(
        "visit", "1"
    )


def test_a_hundred_thousand_numbers_collide_nowhere() -> None:
    numbers = pa.array([str(number) for number in range(100_000)])
    assert len(set(Pseudonyms(SECRET, "north").array("visit", numbers).to_pylist())) == 100_000


def test_a_plain_hash_would_be_found_out() -> None:
    """Mutant: without a key, whoever lists the numbers finds the pseudonym's owner; with it, he does not."""

    def unkeyed(number: str) -> str:
        return base64.b32encode(hashlib.sha256(number.encode()).digest()[:10]).decode().lower()

    def owner(pseudonym: str) -> int | None:
        return next((n for n in range(1000) if unkeyed(str(n)) == pseudonym), None)

    assert owner(unkeyed("777")) == 777
    assert owner(Pseudonyms(SECRET, "north").one("patient", "777")) is None


def test_the_fingerprint_tells_secrets_apart_and_no_more() -> None:
    here, there = Pseudonyms(SECRET, "a").fingerprint(), Pseudonyms(SECRET[::-1], "a").fingerprint()
    assert here == Pseudonyms(SECRET, "b").fingerprint() != there
    assert SECRET.hex() not in here


def test_the_secret_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "data" / "secret.key"
    secret = open_secret(path)
    assert len(secret) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert open_secret(path) == secret
    assert [p.name for p in path.parent.iterdir()] == ["secret.key"]


def test_two_who_make_the_secret_at_once_get_the_same(tmp_path: Path) -> None:
    path, found = tmp_path / "secret.key", list[bytes]()
    threads = [threading.Thread(target=lambda: found.append(open_secret(path))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1


@pytest.mark.parametrize(
    ("text", "mode", "rule"),
    [
        ("ab" * 31, 0o600, "must have 64 hexadecimal digits or more, but has 62"),
        ("", 0o600, "must have 64 hexadecimal digits or more, but has 0"),
        ("not a secret" * 6, 0o600, "must be hexadecimal digits"),
        ("ab" * 32, 0o640, "readable by its owner alone (mode 0600), but has mode 0640"),
        ("ab" * 32, 0o604, "readable by its owner alone (mode 0600), but has mode 0604"),
    ],
)
def test_an_unsafe_secret_is_refused_and_not_told(tmp_path: Path, text: str, mode: int, rule: str) -> None:
    path = tmp_path / "secret.key"
    path.write_text(text)
    path.chmod(mode)
    with pytest.raises(SecretError) as caught:
        open_secret(path)
    assert rule in str(caught.value)
    assert str(path) in str(caught.value)
    assert not text or text not in str(caught.value)


def test_a_lost_secret_is_not_replaced_under_an_old_log(tmp_path: Path) -> None:
    with pytest.raises(SecretError, match="cannot be read"):
        open_secret(tmp_path / "secret.key", create=False)
    assert os.listdir(tmp_path) == []


def test_a_folder_is_no_secret(tmp_path: Path) -> None:
    with pytest.raises(SecretError, match="must be a file"):
        open_secret(tmp_path)


def test_a_short_secret_makes_no_pseudonyms() -> None:
    with pytest.raises(SecretError, match="32 bytes or more, but has 31"):
        Pseudonyms(bytes(31), "north")
