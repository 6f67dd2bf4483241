"""Sign-in by OpenID Connect against a provider that runs: who is let in, and everything that must let nobody in."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from dashboard.access.oidc import PENDING_S, ByOidc, _Pending
from dashboard.access.wiring import Access, access_of
from dashboard.app import WallSettings, build_app
from dashboard.settings import Settings, load_settings
from ingest.errors import ConfigurationError
from tests.boards import ordinary
from tests.oidc_provider import ANOTHER_KEY, NURSE, SECRET, SYMMETRIC, Person, Provider, Twist, provider

ROLES = ("ed-nurses=proposer", "bed-managers=manager")


@pytest.fixture(scope="module")
def running() -> Iterator[Provider]:
    with provider() as one:
        yield one


@pytest.fixture
def there(running: Provider) -> Provider:
    """The provider as it should be."""
    running.person, running.twist = NURSE, Twist()
    running.asked.clear()
    return running


def settings_of(there: Provider, folder: Path, **more: Any) -> Settings:
    secret = folder / "secret"
    if not secret.exists():
        secret.touch(0o600)
        secret.write_text(SECRET)
    told = {
        "access": "oidc",
        "language": "en",
        "access_roles": ROLES,
        "oidc_issuer": there.url,
        "oidc_secret_file": secret,
    }
    return load_settings(None, data=folder, **{**told, **more})


def browser(there: Provider, folder: Path, kind: type[ByOidc] = ByOidc, **more: Any) -> FlaskClient:
    """A browser at a house that signs in there."""
    access = access_of(settings_of(there, folder, **more))
    assert access.sign_in is not None
    assert access.oidc is not None
    oidc = kind(access.oidc._provider, access.sign_in)
    app = build_app(ordinary, WallSettings(language="en"), access=Access(access.gate, access.sign_in, oidc))
    client: FlaskClient = app.server.test_client()
    return client


def led_there(client: FlaskClient, wanted: str = "/desk") -> str:
    """The address at the provider to which the house leads."""
    answer = client.get(f"/sign-in/oidc?next={wanted}")
    assert answer.status_code == 302, answer.text
    return answer.headers["Location"]


def led_back(address: str) -> str:
    """Somebody signs in at the provider: the address, of this house, to which it leads."""
    answer = requests.get(address, allow_redirects=False, timeout=10)
    assert answer.status_code == 302, answer.text
    parts = urlsplit(answer.headers["Location"])
    return f"{parts.path}?{parts.query}"


def signs_in(client: FlaskClient, wanted: str = "/desk") -> TestResponse:
    """There and back."""
    return client.get(led_back(led_there(client, wanted)))


def is_in(client: FlaskClient) -> bool:
    return client.get("/_dash-layout").status_code == 200


# --- who is let in ----------------------------------------------------------------------------------------------------


def test_somebody_signs_in_there_and_is_here_by_name_and_role(there: Provider, tmp_path: Path) -> None:
    client = browser(there, tmp_path)
    assert '/sign-in/oidc?next=%2Fdesk"' in client.get("/sign-in?next=/desk").text
    done = signs_in(client)
    assert (done.status_code, done.headers["Location"]) == (303, "/desk")
    assert "<b>e.martin</b> · proposer" in client.get("/?lang=en").text
    there.person = replace(NURSE, claims={**NURSE.claims, "groups": ["ed-nurses", "bed-managers"]})
    before = client.get_cookie("edtwin-session")
    signs_in(client)
    after = client.get_cookie("edtwin-session")
    assert before is not None
    assert after is not None
    assert after.value != before.value
    assert "<b>e.martin</b> · manager" in client.get("/?lang=en").text
    other = client.application.test_client()
    other.set_cookie("edtwin-session", before.value)
    assert not is_in(other)


def test_it_asks_with_a_proof_key_a_state_and_a_nonce_and_anew_each_time(there: Provider, tmp_path: Path) -> None:
    client = browser(there, tmp_path, oidc_acr=("eidas1", "eidas2"))
    asked = [parse_qs(urlsplit(led_there(client)).query) for _ in range(2)]
    for one in asked:
        assert one["code_challenge_method"] == ["S256"]
        assert one["acr_values"] == ["eidas1 eidas2"]
        assert one["scope"] == ["openid profile"]
        assert one["redirect_uri"] == ["http://localhost/sign-in/oidc/done"]
    for name in ("state", "nonce", "code_challenge"):
        assert asked[0][name] != asked[1][name]
    cookie = client.get_cookie("edtwin-way")
    assert cookie is not None
    assert cookie.http_only
    assert asked[0]["code_challenge"][0] not in cookie.value


def test_groups_that_the_token_does_not_tell_are_asked_for(there: Provider, tmp_path: Path) -> None:
    there.person = Person({"sub": "7", "preferred_username": "e.martin"})
    there.twist = Twist(userinfo={"sub": "7", "groups": "hospital ed-nurses"})
    client = browser(there, tmp_path)
    assert signs_in(client).status_code == 303
    assert is_in(client)


def test_it_leads_nowhere_else_afterwards(there: Provider, tmp_path: Path) -> None:
    assert signs_in(browser(there, tmp_path), "//evil.example").headers["Location"] == "/"


# --- who is not -------------------------------------------------------------------------------------------------------

TWISTED: dict[str, Twist] = {
    "another nonce": Twist({"nonce": "another"}),
    "no nonce": Twist({"nonce": None}),
    "another issuer": Twist({"iss": "https://sso.evil.example"}),
    "no issuer": Twist({"iss": None}),
    "another audience": Twist({"aud": ["another-house"]}),
    "over long ago": Twist({"exp": 1}),
    "of another access token": Twist({"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}),
    "signed by another key": Twist(key=ANOTHER_KEY),
    "signed by what both know": Twist(key=SYMMETRIC, algorithm="HS256"),
    "signed by nobody": Twist(key=None, algorithm="none"),
    "no identity token": Twist(without_id_token=True),
    "a provider of another name": Twist(issuer="https://sso.evil.example"),
    "an address in the clear": Twist(token_endpoint="http://sso.evil.example/token"),
    "no name": Twist({"preferred_username": None}),
    "two lines of a name": Twist({"preferred_username": "e.martin\nadmin"}),
    "no group here": Twist({"groups": ["cooks"]}),
    "no group at all": Twist({"groups": None}),
    "groups of another person": Twist({"groups": None}, userinfo={"sub": "8", "groups": ["ed-nurses"]}),
}


@pytest.mark.parametrize("name", TWISTED)
def test_what_cannot_be_believed_lets_nobody_in_and_tells_nothing(
    name: str, there: Provider, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    client = browser(there, tmp_path)
    there.twist = TWISTED[name]
    begun = client.get("/sign-in/oidc?next=/desk")
    answer = client.get(led_back(begun.headers["Location"])) if begun.status_code == 302 else begun
    assert answer.status_code == (502 if name in ("a provider of another name", "an address in the clear") else 403)
    assert "let nobody in" in answer.text
    assert not is_in(client)
    assert client.get_cookie("edtwin-session") is None
    said = answer.text + "".join(record.getMessage() for record in caplog.records)
    assert not re.search("evil|e.martin|cooks|eyJ", said)


def test_how_somebody_signed_in_there_is_held_to_what_the_settings_say(there: Provider, tmp_path: Path) -> None:
    client = browser(there, tmp_path, oidc_acr=("eidas1",), oidc_amr=("otp",))
    for acr, amr, status in (
        ("eidas1", ("pwd", "otp"), 303), ("eidas0", ("pwd", "otp"), 403), (None, ("pwd", "otp"), 403),
        ("eidas1", ("pwd",), 403), ("eidas1", (), 403),
    ):  # fmt: skip
        there.person = replace(NURSE, acr=acr, amr=amr)
        assert signs_in(client).status_code == status, (acr, amr)


class Weak(ByOidc):
    """Mutant: it does not ask how somebody signed in."""

    def _require_strong(self, claims: Any) -> None:
        return None


def test_a_house_that_does_not_ask_how_is_seen(there: Provider, tmp_path: Path) -> None:
    there.person = replace(NURSE, acr="eidas0", amr=("pwd",))
    assert signs_in(browser(there, tmp_path, Weak, oidc_acr=("eidas1",), oidc_amr=("otp",))).status_code == 303


class Credulous(ByOidc):
    """Mutant: whatever the provider says of itself is believed."""

    def _metadata(self) -> None:
        self._client.load_server_metadata()


def test_a_house_that_believes_what_a_provider_calls_itself_is_seen(there: Provider, tmp_path: Path) -> None:
    there.twist = TWISTED["a provider of another name"]
    assert browser(there, tmp_path, Credulous).get("/sign-in/oidc").status_code == 302


class Nonceless(ByOidc):
    """Mutant: the identity token may be of any sign-in."""

    def answer(self, server: Flask) -> None:
        super().answer(server)
        real = self._client.parse_id_token
        self._client.parse_id_token = lambda token, nonce, **more: real(token, nonce=None, **more)


def test_a_house_that_does_not_compare_the_nonce_is_seen(there: Provider, tmp_path: Path) -> None:
    there.twist = TWISTED["another nonce"]
    assert signs_in(browser(there, tmp_path, Nonceless)).status_code == 303


class Proofless(ByOidc):
    """Mutant: no proof key."""

    def answer(self, server: Flask) -> None:
        super().answer(server)
        del self._client.client_kwargs["code_challenge_method"]


def test_a_house_without_a_proof_key_is_seen(there: Provider, tmp_path: Path) -> None:
    address = led_there(browser(there, tmp_path, Proofless))
    assert requests.get(address, allow_redirects=False, timeout=10).status_code == 400


# --- there and back ---------------------------------------------------------------------------------------------------


def test_the_way_back_is_good_once_and_in_the_browser_that_went(there: Provider, tmp_path: Path) -> None:
    client = browser(there, tmp_path)
    back = led_back(led_there(client))
    other = client.application.test_client()
    assert other.get(back).status_code == 403  # somebody was sent the link: no sign-in of another person
    assert not is_in(other)
    back = led_back(led_there(client))
    assert client.get(back).status_code == 303
    assert client.get(back).status_code == 403


class Stateless(ByOidc):
    """Mutant: a state is good in any browser."""

    def answer(self, server: Flask) -> None:
        super().answer(server)
        self._client.framework.get_state_data = lambda _, state: self._kept(state)["data"]

    def _kept(self, state: str) -> Any:
        return json.loads(self._pending.get(f"_state_hospital_{state}") or "null")


def test_a_house_that_takes_a_state_in_any_browser_is_seen(there: Provider, tmp_path: Path) -> None:
    client = browser(there, tmp_path, Stateless)
    back = led_back(led_there(client))
    assert client.application.test_client().get(back).status_code == 303


def test_a_state_a_code_or_an_answer_of_ones_own_making_lets_nobody_in(there: Provider, tmp_path: Path) -> None:
    client = browser(there, tmp_path)
    state = parse_qs(urlsplit(led_there(client)).query)["state"][0]
    for query in ("", "state=mine&code=mine", f"state={state}", f"state={state}&code=mine",
                  f"state={state}&error=access_denied&error_description=%3Cscript%3E"):  # fmt: skip
        answer = client.get(f"/sign-in/oidc/done?{query}")
        assert answer.status_code == 403, query
        assert "<script>" not in answer.text
        assert not is_in(client)


def test_the_way_back_is_shut_after_ten_minutes() -> None:
    now = 0.0
    pending = _Pending(lambda: now)
    pending.set("state", "kept", 3600.0)
    now = PENDING_S - 1
    assert pending.get("state") == "kept"
    now = PENDING_S
    assert pending.get("state") is None


def test_a_provider_that_is_down_is_said_and_local_accounts_stay(tmp_path: Path) -> None:
    down = Provider(url="http://127.0.0.1:9")
    client = browser(down, tmp_path)
    answer = client.get("/sign-in/oidc")
    assert (answer.status_code, "let nobody in" in answer.text) == (502, True)
    assert 'name="password"' in client.get("/sign-in").text


# --- settings ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"oidc_issuer": None}, "oidc_issuer must be given"),
        ({"oidc_issuer": "http://sso.chu.example"}, "be https beyond this machine"),
        ({"access_roles": ()}, "access_roles must be given"),
        ({"oidc_scopes": ("profile",)}, "oidc_scopes must have openid"),
    ],
)
def test_settings_that_cannot_be_are_refused(changed: dict[str, Any], why: str) -> None:
    told = {"access": "oidc", "oidc_issuer": "https://sso.chu.example", "access_roles": ROLES}
    with pytest.raises(ConfigurationError, match=why):
        load_settings(None, **{**told, **changed})
