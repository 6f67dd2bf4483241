"""The access of a running house, made of its settings."""

from __future__ import annotations

from dataclasses import dataclass

from dashboard.access.accounts import Accounts
from dashboard.access.addresses import Way
from dashboard.access.cookies import Cookies
from dashboard.access.gate import OPEN, Gate
from dashboard.access.sessions import Sessions
from dashboard.access.sign_in import SignIn
from dashboard.errors import CommandError
from dashboard.settings import Settings
from ingest.clock import WallClock


@dataclass(frozen=True)
class Access:
    """The gate of a house, and where people sign in; None: nowhere."""

    gate: Gate = OPEN
    sign_in: SignIn | None = None


def access_of(settings: Settings) -> Access:
    """What the settings ask for. Raises CommandError where nobody could sign in, AccountsError for an unreadable
    file."""
    way = Way(settings.access_url, settings.access_proxies)
    if settings.access == "open":
        return Access(Gate(way))
    accounts = Accounts(settings.accounts_file)
    if not accounts.file.accounts:
        raise CommandError("access is accounts, but there is none yet: edtwin accounts add NAME --role administrator")
    sessions = Sessions(60.0 * settings.access_idle_min, 3600.0 * settings.access_longest_h)
    sign_in = SignIn(accounts, sessions, Cookies(way.is_encrypted), way, WallClock(), settings.language)
    return Access(Gate(way, [sign_in.by_session, sign_in.by_token], settings.language), sign_in)
