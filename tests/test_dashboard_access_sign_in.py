"""How people sign in and out: accounts, codes, sessions, walls' tokens, tries; each with what must let nobody in."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pyotp
import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from dashboard.__main__ import main
from dashboard.access.accounts import STEP_S, AccountRole, Accounts
from dashboard.access.addresses import Way
from dashboard.access.cookies import Cookies
from dashboard.access.errors import AccountsError
from dashboard.access.gate import Gate
from dashboard.access.limits import FIRST_WAIT_S, LONGEST_WAIT_S, MOST_KNOWN, Tries
from dashboard.access.roles import SignedIn
from dashboard.access.sessions import Sessions
from dashboard.access.sign_in import SignIn
from dashboard.access.wiring import Access, access_of
from dashboard.app import WallSettings, build_app
from dashboard.errors import CommandError
from dashboard.serve import _wall
from dashboard.settings import ACCOUNTS as FILE
from dashboard.settings import Settings, load_settings
from ingest.clock import SimulatedClock
from ingest.errors import ConfigurationError
from tests.access_houses import QUICK, post_callback
from tests.boards import ordinary

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
PASSWORD = "a long enough one"
URL = "https://edtwin.chu.example"


@dataclass
class Hand:
    """A clock that is moved by hand."""

    now_s: float = 0.0

    def __call__(self) -> float:
        return self.now_s


class House:
    """A house with accounts, its clocks in the hand of the test."""

    def __init__(self, folder: Path, *, way: Way | None = None, sessions: type[Sessions] = Sessions) -> None:
        self.watch, self.clock, self.heard = Hand(), SimulatedClock(NOON), list[tuple[str, SignedIn | None]]()
        self.accounts = Accounts(folder / FILE, QUICK)
        way = way or Way()
        self.sign_in = SignIn(
            self.accounts, sessions(clock=self.watch), Cookies(way.is_encrypted), way, self.clock, "en",
            Tries(self.watch), told=lambda what, who: self.heard.append((what, who)),
        )  # fmt: skip
        doors = [self.sign_in.by_session, self.sign_in.by_token]
        self.app = build_app(ordinary, WallSettings(), access=Access(Gate(way, doors, "en"), self.sign_in))
        self.secrets: dict[str, str] = {}

    def add(self, name: str, role: AccountRole = "manager") -> None:
        """An account with the password of these tests."""
        uri = self.accounts.add(name, role, NOON, password=PASSWORD).code_uri
        assert uri is not None
        self.secrets[name] = parse_qs(urlsplit(uri).query)["secret"][0]

    def code(self, name: str, steps: int = 0) -> str:
        """The code that an authenticator shows."""
        return str(pyotp.TOTP(self.secrets[name]).at(self.clock.now() + timedelta(seconds=STEP_S * steps)))

    def client(self, address: str = "127.0.0.1") -> FlaskClient:
        """A browser at an address."""
        client: FlaskClient = self.app.server.test_client()
        client.environ_base["REMOTE_ADDR"] = address
        return client

    def later(self, seconds: float) -> None:
        """Both clocks go on."""
        self.watch.now_s += seconds
        self.clock.advance_to(self.clock.now() + timedelta(seconds=seconds))

    def signed(self, name: str) -> FlaskClient:
        """A browser that is signed in."""
        client = self.client()
        assert tries(client, name, code=self.code(name)).status_code == 303
        return client


@pytest.fixture
def house(tmp_path: Path) -> House:
    made = House(tmp_path)
    made.add("anna")
    return made


def tries(client: FlaskClient, name: str, password: str = PASSWORD, code: str = "", **more: Any) -> TestResponse:
    return client.post("/sign-in", data={"name": name, "password": password, "code": code, "lang": "en", **more})


def test_who_signs_in_and_out_is_heard_of_and_a_try_that_does_not_fit_is_nobodys(house: House) -> None:
    client, anna = house.signed("anna"), SignedIn("anna", "manager")
    client.post("/sign-out", data={"lang": "en"})
    tries(client, "anna", "her other password")
    assert house.heard == [("signed in", anna), ("signed out", anna), ("sign-in refused", None)]


def is_in(client: FlaskClient, path: str = "/_dash-layout") -> bool:
    status = client.get(path).status_code
    assert status in (200, 401)
    return status == 200


def cookie(client: FlaskClient, name: str = "edtwin-session") -> str | None:
    found = client.get_cookie(name)
    return None if found is None else found.value


# --- a name, a password and a code ------------------------------------------------------------------------------------


def test_a_name_a_password_and_a_code_let_in_and_each_alone_does_not(house: House) -> None:
    client = house.client()
    right = house.code("anna")
    for name, password, code in (
        ("anna", PASSWORD, ""), ("anna", PASSWORD, "000000"), ("anna", PASSWORD[:-1], right), ("ben", PASSWORD, right),
    ):  # fmt: skip
        refused = tries(client, name, password, code)
        assert (refused.status_code, "This does not fit" in refused.text) == (401, True)
        assert not is_in(client)
    done = tries(client, "anna", code=right, next="/desk?lang=en")
    assert (done.status_code, done.headers["Location"]) == (303, "/desk?lang=en")
    assert is_in(client)
    assert "<b>anna</b> · manager" in client.get("/?lang=en").text


def test_a_code_is_good_once_and_for_a_minute_and_a_half(house: House) -> None:
    used = house.code("anna")
    house.signed("anna")
    assert tries(house.client(), "anna", code=used).status_code == 401
    assert tries(house.client(), "anna", code=house.code("anna", 1)).status_code == 303
    house.later(10 * STEP_S)
    assert tries(house.client(), "anna", code=house.code("anna", -2)).status_code == 401
    assert tries(house.client(), "anna", code=house.code("anna", -1)).status_code == 303


def test_accounts_that_would_take_a_code_twice_are_seen(tmp_path: Path) -> None:
    class Forgetful(Accounts):
        def knows(self, name: str, password: str, code: str, now: datetime) -> Any:
            self._last_step.clear()
            return super().knows(name, password, code, now)

    house = House(tmp_path)
    house.add("anna")
    object.__setattr__(house.sign_in, "accounts", Forgetful(tmp_path / FILE, QUICK))
    used = house.code("anna")
    house.signed("anna")
    assert tries(house.client(), "anna", code=used).status_code == 303  # the mutant


@pytest.mark.parametrize(
    "wanted", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "", "/a\\b", "/x\ny"]
)
def test_signing_in_leads_nowhere_else(house: House, wanted: str) -> None:
    done = tries(house.client(), "anna", code=house.code("anna"), next=wanted)
    assert (done.status_code, done.headers["Location"]) == (303, "/")


def test_the_page_is_plain_small_and_in_both_languages(house: House) -> None:
    for language, word in (("fr", "Mot de passe"), ("en", "Password")):
        answer = house.client().get(f"/sign-in?lang={language}&next=%2F%22%3E%3Cscript%3E")
        assert answer.status_code == 200
        assert word in answer.text
        assert f'<html lang="{language}">' in answer.text
        assert "<script" not in answer.text
        assert len(answer.data) < 6000
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


# --- sessions ---------------------------------------------------------------------------------------------------------


def test_a_number_that_was_there_before_is_worth_nothing_and_a_new_one_is_given_each_time(house: House) -> None:
    client = house.client()
    client.set_cookie("edtwin-session", "planted")
    tries(client, "anna", code=house.code("anna"))
    first = cookie(client)
    assert first not in (None, "planted")
    house.later(STEP_S * 3)
    tries(client, "anna", code=house.code("anna"))
    assert cookie(client) not in (first, None)
    other = house.client()
    for old in ("planted", first):
        other.set_cookie("edtwin-session", str(old))
        assert not is_in(other)


def test_signing_out_kills_the_session_wherever_its_number_went(house: House) -> None:
    client = house.signed("anna")
    number = cookie(client)
    assert client.post("/sign-out", data={"lang": "en"}).status_code == 303
    assert cookie(client) is None
    thief = house.client()
    thief.set_cookie("edtwin-session", str(number))
    assert not is_in(thief)


def test_a_sign_out_that_takes_the_cookie_alone_is_seen(tmp_path: Path) -> None:
    class Undying(Sessions):
        def end(self, number: str) -> None:
            """The mutant."""

    house = House(tmp_path, sessions=Undying)
    house.add("anna")
    client = house.signed("anna")
    number = cookie(client)
    client.post("/sign-out", data={})
    client.set_cookie("edtwin-session", str(number))
    assert is_in(client)


def test_after_half_an_hour_without_anybody_it_is_over_and_an_open_page_is_nobody(house: House) -> None:
    client = house.signed("anna")
    house.later(29 * 60)
    assert client.get("/phone").status_code == 200  # somebody is there
    for _ in range(3):
        house.later(9 * 60)
        assert client.get("/phone/board").status_code == 200  # the page asks by itself
    house.later(3 * 60)
    assert client.get("/phone/board").status_code == 401
    assert not is_in(client)


def test_after_twelve_hours_it_is_over_whatever_happens(house: House) -> None:
    client = house.signed("anna")
    for _ in range(35):
        house.later(20 * 60)
        assert is_in(client)
    house.later(20 * 60)
    assert not is_in(client)


def test_who_is_removed_or_has_another_role_is_out_at_once_and_signs_in_under_a_new_number(house: House) -> None:
    client = house.signed("anna")
    number = cookie(client)
    house.accounts.remove("anna")
    assert not is_in(client)
    house.add("anna", "viewer")
    assert not is_in(client)
    house.later(STEP_S * 3)
    tries(client, "anna", code=house.code("anna"))
    assert cookie(client) != number
    assert "<b>anna</b> · viewer" in client.get("/?lang=en").text


def test_cookies_are_the_hosts_own_where_browsers_speak_tls_and_no_script_reads_them(tmp_path: Path) -> None:
    for way, name, secure in ((Way(), "edtwin-session", False), (Way(URL), "__Host-edtwin-session", True)):
        house = House(tmp_path / name, way=way)
        house.add("anna")
        given = tries(house.client(), "anna", code=house.code("anna")).headers.getlist("Set-Cookie")
        [one] = [text for text in given if text.startswith(f"{name}=")]
        assert ("Secure" in one) is secure
        assert {"HttpOnly", "Path=/", "SameSite=Lax"} <= set(one.split("; "))
        assert "Domain" not in one


def test_where_browsers_speak_tls_a_cookie_without_the_prefix_opens_nothing(tmp_path: Path) -> None:
    house = House(tmp_path, way=Way(URL))
    number = house.sign_in.sessions.begin(SignedIn("anna", "manager"))
    client = house.client()
    client.set_cookie("edtwin-session", number)
    assert not is_in(client)
    client.set_cookie("__Host-edtwin-session", number, domain="edtwin.chu.example", secure=True)
    assert client.get("/_dash-layout", base_url=URL).status_code == 200


# --- walls ------------------------------------------------------------------------------------------------------------


def test_a_walls_token_stays_over_weeks_and_restarts_and_changes_nothing(house: House, tmp_path: Path) -> None:
    token = house.accounts.add_token("box 3", NOON)
    client = house.client()
    assert client.post("/sign-in", data={"token": token, "lang": "en"}).status_code == 303
    assert "<b>box 3</b> · wall screen" in client.get("/?lang=en").text
    house.later(30 * 86_400)
    assert is_in(client)
    again = House(tmp_path).client()
    again.set_cookie("edtwin-wall", token)
    assert is_in(again)
    assert again.get("/desk").status_code == 403
    grid = post_callback(again, house.app, "grid-said.children", {"grid-ask.data": {"act": "start"}})
    assert grid.status_code == 403
    house.accounts.remove("box 3")
    assert not is_in(client)


def test_a_script_shows_its_token_as_a_bearers_and_another_one_opens_nothing(house: House) -> None:
    token = house.accounts.add_token("prometheus", NOON)
    client = house.client()
    house.app.server.add_url_rule("/metrics", "metrics", lambda: "figures")
    assert client.get("/metrics", headers={"Authorization": f"Bearer {token}"}).text == "figures"
    for wrong in (f"Bearer {token[:-1]}", f"Basic {token}", "Bearer ", "Bearer edtwin-wall-"):
        assert client.get("/metrics", headers={"Authorization": wrong}).status_code == 401


def test_a_token_is_good_at_its_addresses_alone(house: House) -> None:
    token = house.accounts.add_token("box 3", NOON, ("10.1.2.0/24",))
    for address, let_in in (("10.1.2.9", True), ("10.1.3.9", False), ("127.0.0.1", False)):
        client = house.client(address)
        client.set_cookie("edtwin-wall", token)
        assert is_in(client) is let_in


def test_behind_a_trusted_proxy_the_address_is_that_which_the_proxy_saw(tmp_path: Path) -> None:
    house = House(tmp_path, way=Way(URL, ("10.0.0.5",)))
    token = house.accounts.add_token("box 3", NOON, ("10.1.2.0/24",))
    told = {"Authorization": f"Bearer {token}"}
    for remote, forwarded, status in (
        ("10.0.0.5", "10.1.2.9", 200), ("10.0.0.5", "10.1.2.9, 10.9.9.9", 401), ("10.0.0.5", "10.9.9.9, 10.1.2.9", 200),
        ("10.0.0.6", "10.1.2.9", 401),  # of no proxy: nobody is believed there, whatever it forwards
        ("127.0.0.1", "10.1.2.9", 401),
    ):  # fmt: skip
        client = house.client(remote)
        answer = client.get("/_dash-layout", headers={**told, "X-Forwarded-For": forwarded})
        assert answer.status_code == status, (remote, forwarded)


# --- tries ------------------------------------------------------------------------------------------------------------


def test_after_five_tries_one_waits_even_with_what_fits_and_longer_each_time(house: House) -> None:
    client, waits = house.client(), []
    for _ in range(6):
        statuses = [tries(client, "anna", "wrong").status_code for _ in range(6)]
        assert statuses == [401] * 5 + [429]
        refused = tries(client, "anna", code=house.code("anna"))
        waits.append(int(refused.headers["Retry-After"]))
        assert "Too many tries" in refused.text
        house.later(waits[-1])
    assert waits == [60, 120, 240, 480, 900, 900]
    assert tries(client, "anna", code=house.code("anna")).status_code == 303


def test_another_account_or_another_address_does_not_wait_with_it(house: House) -> None:
    house.add("ben")
    for _ in range(5):
        tries(house.client("10.0.0.9"), "anna", "wrong")
    assert tries(house.client("10.0.0.9"), "ben", code=house.code("ben")).status_code == 303
    assert tries(house.client("10.0.0.8"), "anna", code=house.code("anna")).status_code == 303


def test_who_tries_many_names_or_from_many_addresses_waits_too() -> None:
    watch = Hand()
    by_address, by_account = Tries(watch), Tries(watch)
    for n in range(20):
        assert by_address.wait_s(f"name {n}", "10.0.0.9") == 0
        by_address.failed(f"name {n}", "10.0.0.9")
    assert by_address.wait_s("another", "10.0.0.9") == FIRST_WAIT_S
    for n in range(30):
        by_account.failed("anna", f"10.0.0.{n}")
    assert by_account.wait_s("ANNA", "10.0.1.1") == FIRST_WAIT_S


def test_tries_are_forgotten_after_a_minute_and_a_quiet_quarter_of_an_hour_begins_anew() -> None:
    watch = Hand()
    slow = Tries(watch)
    for _ in range(20):
        slow.failed("anna", "a")
        watch.now_s += 16.0
        assert slow.wait_s("anna", "a") == 0
    for _ in range(5):
        slow.failed("anna", "b")
    watch.now_s += FIRST_WAIT_S + LONGEST_WAIT_S + 1
    for _ in range(5):
        slow.failed("anna", "b")
    assert slow.wait_s("anna", "b") == FIRST_WAIT_S


def test_what_is_counted_is_bounded() -> None:
    many = Tries(Hand())
    for n in range(MOST_KNOWN):
        many.failed(f"name {n}", f"address {n}")
    assert len(many._known) == MOST_KNOWN


# --- the file and the command -----------------------------------------------------------------------------------------


def test_the_file_is_its_owners_and_holds_neither_password_nor_token(tmp_path: Path) -> None:
    accounts = Accounts(tmp_path / FILE)
    made, token = accounts.add("anna", "manager", NOON), accounts.add_token("box 3", NOON)
    text = (tmp_path / FILE).read_text()
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600
    assert made.password is not None
    assert made.password not in text
    assert token not in text
    assert "$argon2id$v=19$m=65536,t=3,p=4$" in text
    assert re.fullmatch(r"([a-z2-9]{4}-){4}[a-z2-9]{4}", made.password)
    os.chmod(tmp_path / FILE, 0o640)
    with pytest.raises(AccountsError, match="readable by their owner alone"):
        _ = Accounts(tmp_path / FILE).file


def test_while_the_file_cannot_be_read_nobody_is_let_in(house: House, tmp_path: Path) -> None:
    client = house.signed("anna")
    (tmp_path / FILE).write_text("{")
    assert client.get("/_dash-layout").status_code == 503
    assert tries(house.client(), "anna", code=house.code("anna")).status_code == 503


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["add", "ben"], "needs --role"),
        (["add"], "needs a NAME"),
        (["add", "ben", "--role", "manager", "--no-code"], "only a viewer may do without a code"),
        (["add", "anna", "--role", "viewer"], "there is an account or a token anna already"),
        (["add", " ben", "--role", "viewer"], "a name must be words"),
        (["remove", "ben"], "there is no account and no token ben"),
        (["token", "box 3", "--only-from", "10.1.2.3/24"], "a network must be like 10.1.2.3 or 10.1.2.0/24"),
        (["add", "ben", "--role", "viewer", "--password-file", "none"], "cannot be read"),
    ],
)
def test_what_cannot_be_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], why: str
) -> None:
    Accounts(tmp_path / FILE, QUICK).add("anna", "viewer", NOON, password=PASSWORD)
    before = (tmp_path / FILE).read_text()
    assert main(["accounts", *options, "--data", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert why in said
    assert said.count("\n") == 1
    assert (tmp_path / FILE).read_text() == before


def test_the_command_adds_lists_and_removes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dashboard.access.accounts.PasswordHasher", lambda: QUICK)

    def run(*options: str) -> str:
        assert main(["accounts", *options, "--data", str(tmp_path)]) == 0
        return capsys.readouterr().out

    (tmp_path / "password").write_text(f"{PASSWORD}\n")
    assert run("list") == "there is no account yet\n"
    assert "otpauth://totp/edtwin:anna?secret=" in run("add", "anna", "--role", "manager")
    added = run("add", "ben", "--role", "viewer", "--no-code", "--password-file", str(tmp_path / "password"))
    assert added == "ben may sign in as viewer.\n"
    assert "edtwin-wall-" in run("token", "box 3", "--only-from", "10.1.2.0/24")
    assert run("list") == "anna  manager\nben  viewer  without a code\nbox 3  wall  10.1.2.0/24\n"
    assert Accounts(tmp_path / FILE).knows("ben", PASSWORD, "", NOON) is not None
    assert '"removed": "anna"' in run("remove", "anna", "--json")
    assert run("list").startswith("ben")


# --- settings ---------------------------------------------------------------------------------------------------------


def test_beyond_this_machine_it_is_served_where_people_sign_in_behind_tls_and_not_otherwise(tmp_path: Path) -> None:
    told: dict[str, Any] = {"host": "0.0.0.0", "access": "accounts", "access_url": URL, "access_proxies": ("10.0.0.5",)}
    assert load_settings(None, **told).host == "0.0.0.0"
    for name in ("access", "access_url", "access_proxies"):
        with pytest.raises(ConfigurationError, match="host must be of this machine"):
            load_settings(None, **{key: value for key, value in told.items() if key != name})
    for wrong in ({"access_url": "http://edtwin.chu.example"}, {"access_proxies": ("10.0.0.5/8",)}):
        with pytest.raises(ConfigurationError):
            load_settings(None, **{**told, **wrong})


def test_a_house_with_accounts_and_none_yet_says_how_to_make_one(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, access="accounts")
    with pytest.raises(CommandError, match="edtwin accounts add NAME"):
        access_of(settings)
    Accounts(tmp_path / FILE, QUICK).add("anna", "administrator", NOON, password=PASSWORD)
    assert not access_of(settings).gate.is_open
    assert access_of(Settings(data=tmp_path)).gate.is_open


def test_a_wall_turns_through_pages_that_its_screen_may_see(tmp_path: Path) -> None:
    for access, page, fault in (("open", "desk", None), ("accounts", "floor", None), ("accounts", "desk", "viewer")):
        settings = load_settings(None, data=tmp_path, access=access, wall_rotation=("wall", page))
        if fault is None:
            assert _wall(settings, is_exercise=False).rotation == ("wall", page)
            continue
        with pytest.raises(CommandError, match=f"may not see 'desk', which takes the role {fault}"):
            _wall(settings, is_exercise=False)
