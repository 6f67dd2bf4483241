"""Local accounts and the tokens of walls, in one file that the command writes and the house reads.

    accounts = Accounts(settings.accounts_file)
    made = accounts.add("anna", "manager")      # its password and its code's secret are told once
    accounts.knows("anna", password, code, now) # its account, or None

The file keeps an argon2id hash of each password and a SHA-256 of each token (which is 256 bits of chance). The secret
of the six-digit code cannot be hashed: whoever reads the file has the second factor, so only its owner may. A changed
file is read anew at the next question; a name, a password and a code that do not fit are not told apart.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import stat
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from pydantic import Field, ValidationError

from dashboard.access.addresses import is_within
from dashboard.access.errors import AccountsError
from dashboard.access.roles import SignedIn
from forecast.people import LONGEST_NAME
from ingest.configuration import Checked
from ingest.hosts import is_network

SHORTEST_PASSWORD, LONGEST_PASSWORD = 12, 128
STEP_S = 30
"""Seconds that a code is shown for."""
AccountRole = Literal["viewer", "proposer", "manager", "administrator"]
_GROUPS_OF_A_PASSWORD = 5
T = TypeVar("T")
_TOKEN_PREFIX = "edtwin-wall-"  # noqa: S105 - what every token begins with


class Account(Checked):
    """One person's."""

    role: AccountRole
    password: str
    """Its argon2id hash, with its parameters."""
    code_secret: str | None
    """Of the six-digit code, in base 32; None: this account needs none."""
    since: datetime


class WallToken(Checked):
    """That of one wall's screen, or of a machine that reads."""

    digest: str
    since: datetime
    networks: tuple[str, ...] = ()
    """From where it is good; none: from everywhere."""


class AccountsFile(Checked):
    """The whole of the file."""

    accounts: Annotated[dict[str, Account], Field(default_factory=dict)]
    tokens: Annotated[dict[str, WallToken], Field(default_factory=dict)]


@dataclass(frozen=True)
class Made:
    """What is told once of a new account."""

    password: str | None
    """None: the one that was given."""
    code_uri: str | None
    """What an authenticator is given."""


class Accounts:
    """The accounts and tokens of one file."""

    def __init__(self, path: Path, hasher: PasswordHasher | None = None) -> None:
        self._path, self._hasher = path, hasher or PasswordHasher()
        self._lock = threading.Lock()
        self._hashing = threading.Lock()  # a hash takes 64 MB: one at a time, however many ask
        self._read: tuple[tuple[int, int, int], AccountsFile] | None = None
        self._last_step: dict[str, int] = {}
        self._of_nobody: str | None = None

    # --- read -----------------------------------------------------------------------------------------------------

    @property
    def file(self) -> AccountsFile:
        """What stands in it now; nothing where there is none. Raises AccountsError where it cannot be read."""
        try:
            status = self._path.stat()
        except FileNotFoundError:
            return AccountsFile(accounts={}, tokens={})
        mark = status.st_mtime_ns, status.st_ino, status.st_size
        with self._lock:
            if self._read is None or self._read[0] != mark:
                self._read = mark, _read(self._path, status.st_mode)
            return self._read[1]

    def knows(self, name: str, password: str, code: str, now: datetime) -> Account | None:
        """The account whose password and code these are. A code is good once."""
        account = self.file.accounts.get(name)
        with self._hashing:
            fits = _fits(self._hasher, account.password if account else self._nobodys(), password)
        if account is None or not fits:
            return None
        return account if account.code_secret is None or self._is_code(name, account.code_secret, code, now) else None

    def wall(self, token: str, address: str) -> SignedIn | None:
        """The screen whose token this is, where it is good at this address."""
        digest = _digest(token)
        for name, one in self.file.tokens.items():
            if hmac.compare_digest(one.digest, digest) and _is_within(address, one.networks):
                return SignedIn(name, "wall")
        return None

    def _nobodys(self) -> str:
        """A hash for names that nobody has, so that they take as long."""
        if self._of_nobody is None:
            self._of_nobody = self._hasher.hash(secrets.token_urlsafe())
        return self._of_nobody

    def _is_code(self, name: str, secret: str, code: str, now: datetime) -> bool:
        totp, step = pyotp.TOTP(secret, interval=STEP_S), int(now.timestamp()) // STEP_S
        with self._lock:
            for one in (step - 1, step, step + 1):
                fits = hmac.compare_digest(totp.generate_otp(one).encode(), code.strip().encode())
                if fits and one > self._last_step.get(name, -1):
                    self._last_step[name] = one
                    return True
        return False

    # --- write ----------------------------------------------------------------------------------------------------

    def add(
        self, name: str, role: AccountRole, now: datetime, *, password: str | None = None, with_code: bool = True
    ) -> Made:
        """A new account. Raises AccountsError where it cannot be."""
        self._require_free(name)
        if not with_code and role != "viewer":
            raise AccountsError(f"only a viewer may do without a code, but {name} is to be {role}")
        if password is not None and not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
            raise AccountsError(
                f"a password must have {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters, but has {len(password)}"
            )
        chosen = password or _new_password()
        secret = pyotp.random_base32() if with_code else None
        account = Account(role=role, password=self._hasher.hash(chosen), code_secret=secret, since=now)
        self._write(lambda told: told.model_copy(update={"accounts": {**told.accounts, name: account}}))
        uri = pyotp.TOTP(secret, interval=STEP_S).provisioning_uri(name=name, issuer_name="edtwin") if secret else None
        return Made(chosen if password is None else None, uri)

    def add_token(self, name: str, now: datetime, networks: tuple[str, ...] = ()) -> str:
        """A new token of a wall's screen, told this once. Raises AccountsError."""
        self._require_free(name)
        for network in networks:
            if not is_network(network):
                raise AccountsError(f"a network must be like 10.1.2.3 or 10.1.2.0/24, but is {network}")
        token = f"{_TOKEN_PREFIX}{secrets.token_urlsafe(32)}"
        one = WallToken(digest=_digest(token), since=now, networks=networks)
        self._write(lambda told: told.model_copy(update={"tokens": {**told.tokens, name: one}}))
        return token

    def remove(self, name: str) -> None:
        """No account and no token of this name any more. Raises AccountsError where there is none."""
        if name not in _names(self.file):
            raise AccountsError(f"there is no account and no token {name}")

        def without(told: AccountsFile) -> AccountsFile:
            return AccountsFile(accounts=_but(told.accounts, name), tokens=_but(told.tokens, name))

        self._write(without)

    def _require_free(self, name: str) -> None:
        if not name or name != " ".join(name.split()) or len(name) > LONGEST_NAME or not name.isprintable():
            raise AccountsError(f"a name must be words, {LONGEST_NAME} characters at most, but is {name[:100]!r}")
        if name in _names(self.file):
            raise AccountsError(f"there is an account or a token {name} already: remove it first")

    def _write(self, change: Callable[[AccountsFile], AccountsFile]) -> None:
        """The file as a whole or not at all, readable by its owner alone."""
        told = change(self.file)
        beside = self._path.with_suffix(".new")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            beside.unlink(missing_ok=True)
            handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with open(handle, "w", encoding="utf-8") as file:
                file.write(told.model_dump_json(indent=1))
                file.flush()
                os.fsync(file.fileno())
            os.replace(beside, self._path)
        except OSError as error:
            raise AccountsError(f"{self._path} cannot be written: {error.strerror or error}") from error


def _read(path: Path, mode: int) -> AccountsFile:
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise AccountsError(
            f"the accounts {path} must be readable by their owner alone (mode 0600), but have mode {mode & 0o777:04o}"
        )
    try:
        return AccountsFile.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise AccountsError(f"the accounts {path} cannot be read: {type(error).__name__}") from None


def _fits(hasher: PasswordHasher, hashed: str, password: str) -> bool:
    try:
        return hasher.verify(hashed, password[: LONGEST_PASSWORD + 1])
    except (VerificationError, InvalidHashError):
        return False


def _digest(token: str) -> str:
    return hashlib.sha256(token.strip().encode()).hexdigest()


def _is_within(address: str, networks: tuple[str, ...]) -> bool:
    return not networks or is_within(address, networks)


def _names(told: AccountsFile) -> set[str]:
    return {*told.accounts, *told.tokens}


def _but(found: Mapping[str, T], name: str) -> dict[str, T]:
    return {other: one for other, one in found.items() if other != name}


def _new_password() -> str:
    """100 bits of chance in groups that can be read out: "k3xq-7mza-.."."""
    letters = "abcdefghijkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(letters) for _ in range(4)) for _ in range(_GROUPS_OF_A_PASSWORD))
