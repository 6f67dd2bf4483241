"""A provider of OpenID Connect that runs on a free port, made of Authlib's server side; and how it may be twisted."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import ClientMixin
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core import UserInfo
from authlib.oidc.core.grants import OpenIDCode
from authlib.oidc.core.models import AuthorizationCodeMixin
from flask import Flask, Response, jsonify, request
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey

from tests.pictures import running

SECRET = "the-secret-of-this-house-at-the-provider"
ALGORITHM = "ES256"
KEY, ANOTHER_KEY = (ECKey.generate_key("P-256", auto_kid=True) for _ in range(2))
SYMMETRIC = OctKey.import_key(SECRET)


@dataclass(frozen=True, eq=False)
class Person:
    """Who signs in at the provider, and how it tells of them."""

    claims: Mapping[str, Any]
    acr: str | None = "eidas1"
    amr: tuple[str, ...] = ("pwd", "otp")


NURSE = Person({"sub": "7", "preferred_username": "e.martin", "groups": ["hospital", "ed-nurses"]})


@dataclass(frozen=True, eq=False)
class Twist:
    """How the provider's answers differ from what they should be."""

    claims: Mapping[str, Any] = field(default_factory=dict)
    """Of the identity token, in place of its own; None takes one away."""
    key: Any = field(default_factory=lambda: KEY)
    algorithm: str = ALGORITHM
    issuer: str | None = None
    """What it says of itself."""
    token_endpoint: str | None = None
    without_id_token: bool = False
    userinfo: Mapping[str, Any] | None = None
    """What it tells of the person when it is asked; None: it cannot be asked."""


@dataclass
class Provider:
    """The provider, and what it was asked."""

    url: str = ""
    person: Person = NURSE
    twist: Twist = field(default_factory=Twist)
    asked: list[dict[str, str]] = field(default_factory=list)
    codes: dict[str, _Code] = field(default_factory=dict)

    def server(self) -> Flask:
        """Its application."""
        app, client = Flask("provider"), _Client()
        made = AuthorizationServer(app, lambda _: client, lambda *_: None)
        made.register_grant(_grant_of(self), [_openid_of(self), CodeChallenge(required=True)])
        app.add_url_rule("/.well-known/openid-configuration", "metadata", lambda: jsonify(self.metadata()))
        app.add_url_rule("/jwks", "jwks", lambda: jsonify(KeySet([KEY]).as_dict(private=False)))
        app.add_url_rule("/authorize", "authorize", lambda: self.authorize(made))
        app.add_url_rule("/token", "token", made.create_token_response, methods=["POST"])
        app.add_url_rule("/userinfo", "userinfo", lambda: jsonify(dict(self.twist.userinfo or {})))
        return app

    def metadata(self) -> dict[str, Any]:
        """What it says of itself."""
        told: dict[str, Any] = {
            "issuer": self.twist.issuer or self.url, "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": self.twist.token_endpoint or f"{self.url}/token", "jwks_uri": f"{self.url}/jwks",
            "id_token_signing_alg_values_supported": [ALGORITHM, self.twist.algorithm],
        }  # fmt: skip
        return told | ({"userinfo_endpoint": f"{self.url}/userinfo"} if self.twist.userinfo is not None else {})

    def authorize(self, made: Any) -> Any:
        """Somebody is at the provider, signs in and is led back."""
        self.asked.append(request.args.to_dict())
        if request.args.get("code_challenge_method") != "S256":
            return Response("a proof key is needed", 400)
        grant = made.get_consent_grant(end_user=self.person)
        return made.create_authorization_response(grant_user=self.person, grant=grant)


@contextmanager
def provider() -> Iterator[Provider]:
    """One that runs."""
    one = Provider()
    with running(one.server()) as (url, _):
        one.url = url.rstrip("/")
        yield one


class _Client(ClientMixin):  # type: ignore[misc]
    """This house, as it is registered there."""

    def get_client_id(self) -> str:
        return "edtwin"

    def get_default_redirect_uri(self) -> str:
        return ""

    def get_allowed_scope(self, scope: str) -> str:
        return scope

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri == "http://localhost/sign-in/oidc/done"

    def check_client_secret(self, client_secret: str) -> bool:
        return client_secret == SECRET

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return endpoint != "token" or method == "client_secret_basic"

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == "authorization_code"


@dataclass
class _Code(AuthorizationCodeMixin):  # type: ignore[misc]
    told: Mapping[str, str]
    person: Person

    @property
    def code_challenge(self) -> str | None:
        return self.told.get("code_challenge")

    @property
    def code_challenge_method(self) -> str | None:
        return self.told.get("code_challenge_method")

    def get_redirect_uri(self) -> str | None:
        return self.told.get("redirect_uri")

    def get_scope(self) -> str | None:
        return self.told.get("scope")

    def get_nonce(self) -> str | None:
        return self.told.get("nonce")

    def get_auth_time(self) -> None:
        return None

    def get_acr(self) -> str | None:
        return self.person.acr

    def get_amr(self) -> list[str] | None:
        return list(self.person.amr) or None


def _grant_of(one: Provider) -> type[AuthorizationCodeGrant]:
    class Grant(AuthorizationCodeGrant):  # type: ignore[misc]
        TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_basic",)

        def save_authorization_code(self, code: str, asked: Any) -> None:
            one.codes[code] = _Code(dict(asked.payload.data), one.person)

        def query_authorization_code(self, code: str, client: Any) -> _Code | None:
            return one.codes.get(code)

        def delete_authorization_code(self, code: _Code) -> None:
            one.codes = {name: other for name, other in one.codes.items() if other is not code}

        def authenticate_user(self, code: _Code) -> Person:
            return code.person

    return Grant


def _openid_of(one: Provider) -> OpenIDCode:
    class OpenId(OpenIDCode):  # type: ignore[misc]
        def exists_nonce(self, nonce: str, asked: Any) -> bool:
            return False

        def resolve_client_private_key(self, client: Any) -> Any:
            return KEY

        def get_client_algorithm(self, client: Any) -> str:
            return ALGORITHM

        def get_client_claims(self, client: Any) -> dict[str, Any]:
            return {"iss": one.url, "aud": ["edtwin"]}

        def generate_user_info(self, user: Person, scope: str) -> UserInfo:
            return UserInfo(**user.claims)

        def encode_id_token(self, token: Any, asked: Any) -> Any:
            return _twisted(super().encode_id_token(token, asked), one.twist)

        def process_token(self, grant: Any, response: Any) -> Any:
            token = super().process_token(grant, response)
            if one.twist.without_id_token:
                token.pop("id_token")
            return token

    return OpenId(require_nonce=True)


def _twisted(token: str, twist: Twist) -> str:
    """The same identity token with other claims, signed again; by nobody where the algorithm is none."""
    read = jwt.decode(token, KEY, algorithms=[ALGORITHM])
    claims = {name: value for name, value in {**read.claims, **twist.claims}.items() if value is not None}
    if twist.algorithm == "none":
        parts = (
            urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in ({"alg": "none"}, claims)
        )
        return f"{'.'.join(parts)}."
    header = {"alg": twist.algorithm, "kid": KEY.kid}
    return jwt.encode(header, claims, twist.key, algorithms=[twist.algorithm])
