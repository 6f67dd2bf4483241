"""Sign-in by the hospital's own accounts: OpenID Connect, by Authlib.

    oidc = ByOidc(provider, sign_in)
    oidc.answer(server)

1. `/sign-in/oidc` leads to the provider, with a state, a nonce and the challenge of a proof key (PKCE, S256); what
   belongs to them is kept here for ten minutes, bound to the browser by a signed cookie.
2. The provider leads back to `/sign-in/oidc/done`. The state must be one that this browser was given, and is good once.
3. The code is changed for tokens with the proof key. The identity token's signature, issuer, audience, nonce and times
   are checked, then how somebody signed in (`acr`, `amr`) where the settings say what it must be.
4. The groups of a claim give the role; who has none is told so. A session begins under a new number.

Whatever fails lets nobody in, and is said in a sentence that tells nothing of the provider's answer.
"""

from __future__ import annotations

import logging
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from authlib.common.errors import AuthlibBaseError
from authlib.integrations.flask_client import OAuth
from flask import Flask, request, session
from joserfc.errors import JoseError
from requests.exceptions import RequestException
from werkzeug.wrappers import Response as AnyResponse

from dashboard.access.proxy import role_of
from dashboard.access.refusals import link, said_page
from dashboard.access.roles import Role, SignedIn
from dashboard.access.sign_in import SignIn, inside
from dashboard.access.table import SIGN_IN, SIGN_IN_DONE, SIGN_IN_ELSEWHERE
from dashboard.phone_door import language_asked
from dashboard.words import Reader
from forecast.people import LONGEST_NAME
from ingest.clock import stopwatch
from ingest.hosts import is_safe

logger = logging.getLogger(__name__)

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")
"""Signatures by a key that the provider alone has."""
PENDING_S, MOST_PENDING = 600.0, 1000
TIMEOUT_S = 10.0
_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")


@dataclass(frozen=True)
class Provider:
    """The hospital's own sign-in, and what of it counts here."""

    issuer: str
    client: str
    secret: str | None
    """None: a client without one, which the proof key alone protects."""
    roles: Mapping[str, Role]
    roles_claim: str = "groups"
    name_claim: str = "preferred_username"
    scopes: tuple[str, ...] = ("openid", "profile")
    acr: tuple[str, ...] = ()
    """Of these one must be; none: any."""
    amr: tuple[str, ...] = ()
    """All of these must be."""
    ca: str | None = None
    """The file of the authority of its certificate; None: the system's."""


class NoEntryError(Exception):
    """Why somebody is not let in, for the log; nothing of it is shown."""


class ByOidc:
    """The way to the provider and back."""

    def __init__(self, provider: Provider, sign_in: SignIn, clock: Callable[[], float] = stopwatch) -> None:
        self._provider, self._sign_in = provider, sign_in
        self._pending = _Pending(clock)
        self._client: Any = None

    def answer(self, server: Flask) -> None:
        """Add the two addresses, and the cookie that binds them to a browser."""
        server.secret_key = secrets.token_bytes(32)
        server.config.update(
            SESSION_COOKIE_NAME=self._sign_in.cookies.name("way"), SESSION_COOKIE_SECURE=self._sign_in.way.is_encrypted,
            SESSION_COOKIE_HTTPONLY=True, SESSION_COOKIE_SAMESITE="Lax", SESSION_COOKIE_PATH="/",
        )  # fmt: skip
        told = self._provider
        options: dict[str, Any] = {
            "scope": " ".join(told.scopes), "code_challenge_method": "S256", "default_timeout": TIMEOUT_S,
            "verify": told.ca or True,
        }  # fmt: skip
        if told.secret is None:
            options["token_endpoint_auth_method"] = "none"  # noqa: S105 - a method, by name
        self._client = OAuth(server, cache=self._pending).register(
            "hospital", client_id=told.client, client_secret=told.secret, client_kwargs=options,
            server_metadata_url=f"{told.issuer.rstrip('/')}/.well-known/openid-configuration",
        )  # fmt: skip
        server.add_url_rule(SIGN_IN_ELSEWHERE, "sign-in-elsewhere", self.begin)
        server.add_url_rule(SIGN_IN_DONE, "sign-in-done", self.done)

    def begin(self) -> AnyResponse:
        """To the provider (1)."""
        session["wanted"] = inside(request.args.get("next", ""))
        asked = {"acr_values": " ".join(self._provider.acr)} if self._provider.acr else {}
        try:
            self._metadata()
            led: AnyResponse = self._client.authorize_redirect(self._back(), **asked)
        except (NoEntryError, AuthlibBaseError, RequestException, ValueError, RuntimeError) as fault:
            return self._refused(fault, 502)
        return led

    def done(self) -> AnyResponse:
        """Back from the provider (2 to 4)."""
        wanted = inside(str(session.pop("wanted", "")))
        try:
            who = self._who()
        except (NoEntryError, AuthlibBaseError, JoseError, RequestException, ValueError, RuntimeError) as fault:
            return self._refused(fault, 403)
        return self._sign_in.let_in(who, wanted)

    # --- inside ---------------------------------------------------------------------------------------------------

    def _who(self) -> SignedIn:
        """Who the provider says it is. Raises NoEntryError, or what Authlib does, where it cannot be believed."""
        self._metadata()
        token: Mapping[str, Any] = self._client.authorize_access_token(
            claims_options={"iss": {"essential": True, "values": [self._provider.issuer]}}
        )
        claims = token.get("userinfo")
        if not claims:
            raise NoEntryError("there is no identity token")
        self._require_strong(claims)
        return self._named(claims, self._groups(token, claims))

    def _require_strong(self, claims: Mapping[str, Any]) -> None:
        """How somebody signed in must be as the settings say."""
        acr, amr = claims.get("acr"), _texts(claims.get("amr"))
        if self._provider.acr and acr not in self._provider.acr:
            raise NoEntryError("acr is none of those that are asked for")
        if not set(self._provider.amr) <= set(amr):
            raise NoEntryError("amr lacks something that is asked for")

    def _groups(self, token: Mapping[str, Any], claims: Mapping[str, Any]) -> list[str]:
        """What the claim of the roles says; where the identity token has none, what the provider says of them."""
        claim = self._provider.roles_claim
        if claim in claims or "userinfo_endpoint" not in self._client.server_metadata:
            return _texts(claims.get(claim))
        more: Mapping[str, Any] = self._client.userinfo(token=token)
        if more.get("sub") != claims["sub"]:
            raise NoEntryError("the provider told of another person")
        return _texts(more.get(claim))

    def _named(self, claims: Mapping[str, Any], groups: list[str]) -> SignedIn:
        name = claims.get(self._provider.name_claim)
        if not isinstance(name, str) or not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
            raise NoEntryError(f"the claim {self._provider.name_claim} is no name")
        role = role_of(groups, self._provider.roles)
        if role is None:
            raise NoEntryError(f"none of the groups in {self._provider.roles_claim} has a role here")
        return SignedIn(name.strip(), role)

    def _metadata(self) -> None:
        """What the provider says of itself, if it can be believed; its signatures, as far as we take them."""
        told: dict[str, Any] = self._client.load_server_metadata()
        if told.get("issuer") != self._provider.issuer:
            told.pop("_loaded_at", None)  # asked anew the next time
            raise NoEntryError("the provider names another issuer than the settings")
        if not all(is_safe(str(told.get(name, ""))) for name in _ENDPOINTS):
            raise NoEntryError("the provider names an address in the clear")
        known = told.get("id_token_signing_alg_values_supported") or ALGORITHMS
        told["id_token_signing_alg_values_supported"] = [one for one in known if one in ALGORITHMS]

    def _back(self) -> str:
        """Where the provider leads back to: as it is registered there."""
        return f"{self._sign_in.way.url or request.host_url.rstrip('/')}{SIGN_IN_DONE}"

    def _refused(self, fault: Exception, status: int) -> AnyResponse:
        logger.warning("a sign-in by OpenID Connect let nobody in: %s", _told(fault))
        reader = Reader(language_asked(self._sign_in.language), "UTC")
        why = reader.say("The hospital's own sign-in let nobody in. Try again, or ask who looks after this house.")
        again = link(f"{SIGN_IN}?lang={reader.language}", reader.say("Try again"))
        return said_page(status, reader.say("Sign in"), f'<p role="alert">{why}</p>{again}', reader.language)


class _Pending:
    """What is kept between the way there and the way back, for a while: as Authlib asks for it."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._kept: OrderedDict[str, tuple[float, str]] = OrderedDict()

    def set(self, key: str, value: str, _expires_s: float) -> None:
        """Keep it."""
        with self._lock:
            self._kept[key] = self._clock() + PENDING_S, value
            while len(self._kept) > MOST_PENDING:
                self._kept.popitem(last=False)

    def get(self, key: str) -> str | None:
        """What is kept; None where it is too old."""
        with self._lock:
            until, value = self._kept.get(key, (0.0, ""))
            return value if self._clock() < until else None

    def delete(self, key: str) -> None:
        """It is used."""
        with self._lock:
            self._kept.pop(key, None)


def _texts(told: Any) -> list[str]:
    """A claim that is a text, or several."""
    if isinstance(told, str):
        return told.split()
    return [one for one in told if isinstance(one, str)] if isinstance(told, Sequence) else []


def _told(fault: Exception) -> str:
    """What a log may say: our own words, else the kind of the fault; never what a provider or a browser sent."""
    return str(fault) if isinstance(fault, NoEntryError) else type(fault).__name__
