"""The access of a running house, made of its settings."""

from __future__ import annotations

from dataclasses import dataclass

from dashboard.access.accounts import Accounts
from dashboard.access.addresses import Way
from dashboard.access.cookies import Cookies
from dashboard.access.gate import OPEN, Door, Gate
from dashboard.access.oidc import ByOidc, Provider
from dashboard.access.proxy import ByProxy
from dashboard.access.roles import ROLES, Role
from dashboard.access.sessions import Sessions
from dashboard.access.sign_in import SignIn, Told
from dashboard.access.table import SIGN_IN_ELSEWHERE
from dashboard.errors import CommandError
from dashboard.fhir_endpoint import read_token
from dashboard.settings import Settings
from ingest.clock import WallClock


@dataclass(frozen=True)
class Access:
    """The gate of a house, and where people sign in: here, or by the hospital's own accounts; None: nowhere."""

    gate: Gate = OPEN
    sign_in: SignIn | None = None
    oidc: ByOidc | None = None


def access_of(settings: Settings, told: Told = lambda what, who: None) -> Access:
    """What the settings ask for; `told` hears of who signs in and out. Raises CommandError where nobody could sign in,
    AccountsError for an unreadable file."""
    way = Way(settings.access_url, settings.access_proxies)
    if settings.access == "open":
        return Access(Gate(way))
    accounts = Accounts(settings.accounts_file)
    if settings.access == "accounts" and not accounts.file.accounts:
        raise CommandError("access is accounts, but there is none yet: edtwin accounts add NAME --role administrator")
    sessions = Sessions(60.0 * settings.access_idle_min, 3600.0 * settings.access_longest_h)
    elsewhere = SIGN_IN_ELSEWHERE if settings.access == "oidc" else None
    sign_in = SignIn(
        accounts,
        sessions,
        Cookies(way.is_encrypted),
        way,
        WallClock(),
        settings.language,
        elsewhere=elsewhere,
        told=told,
    )
    proxy = _by_proxy(settings, way) if settings.access == "proxy" else None
    doors: list[Door] = [*([proxy] if proxy else []), sign_in.by_session, sign_in.by_token]
    oidc = ByOidc(_provider(settings), sign_in) if settings.access == "oidc" else None
    return Access(Gate(way, doors, settings.language, proxy.headers if proxy else ()), sign_in, oidc)


def _provider(settings: Settings) -> Provider:
    secret = read_token(settings.oidc_secret_file).decode() if settings.oidc_secret_file else None
    return Provider(
        settings.oidc_issuer or "", settings.oidc_client, secret, roles_of(settings), settings.oidc_roles_claim,
        settings.oidc_name_claim, settings.oidc_scopes, settings.oidc_acr, settings.oidc_amr,
        str(settings.oidc_ca) if settings.oidc_ca else None,
    )  # fmt: skip


def _by_proxy(settings: Settings, way: Way) -> ByProxy:
    return ByProxy(way, settings.access_user_header, settings.access_groups_header, roles_of(settings))


def roles_of(settings: Settings) -> dict[str, Role]:
    """The role of each group of the hospital's own sign-in."""
    told = settings.roles_of_groups
    return {group: role for group, name in told.items() for role in ROLES if role == name}
