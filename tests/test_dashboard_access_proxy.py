"""Whom a trusted proxy names: believed of that proxy alone, with the role of their groups, beside local accounts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dashboard.access import proxy as proxies
from dashboard.access.accounts import Accounts
from dashboard.access.addresses import Way
from dashboard.access.gate import Gate
from dashboard.access.proxy import ByProxy
from dashboard.access.wiring import access_of
from dashboard.settings import load_settings
from ingest.errors import ConfigurationError
from tests.access_houses import QUICK, Guarded, gate_of, guarded

PROXY, CLIENT = "10.1.2.4", "10.7.7.7"
NURSE = {"Remote-User": "e.martin", "Remote-Groups": "hospital, ed-nurses"}
TOLD: dict[str, Any] = {
    "access": "proxy", "access_url": "https://edtwin.chu.example", "access_proxies": (PROXY,),
    "access_roles": ("ed-nurses=proposer", "bed-managers=manager", "it = services=administrator"),
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("proxied")


@pytest.fixture(scope="module")
def house(folder: Path) -> Iterator[Guarded]:
    access = access_of(load_settings(None, data=folder, **TOLD))
    with guarded(folder, access.gate, access.sign_in) as one:
        yield one


def asked(house: Guarded, headers: Mapping[str, str], address: str = PROXY, path: str = "/metrics") -> Any:
    client = house.client(None)
    client.environ_base["REMOTE_ADDR"] = address
    return client.get(path, headers=dict(headers))


def test_who_the_proxy_names_has_the_highest_role_of_their_groups(house: Guarded) -> None:
    for groups, role in (
        ("ed-nurses", "proposer"), ("hospital, ed-nurses", "proposer"), ("bed-managers;ed-nurses", "manager"),
        ("it = services", "administrator"),
    ):  # fmt: skip
        text = asked(house, {**NURSE, "Remote-Groups": groups}, path="/?lang=en").text
        assert f"<b>e.martin</b> · {role}" in text


def test_names_of_any_script_are_read(house: Guarded) -> None:
    told = {**NURSE, "Remote-User": "Élise Ωmega".encode().decode("latin-1")}
    assert "<b>Élise Ωmega</b>" in asked(house, told, path="/").text


@pytest.mark.parametrize("name", ["", " ", "e.martin, it.chief", "x" * 81, "a\tb"])
def test_what_is_no_name_is_nobody(house: Guarded, name: str) -> None:
    assert asked(house, {**NURSE, "Remote-User": name}).status_code == 401


def forged(house: Guarded) -> list[int]:
    """What is answered to who says so without being the proxy: another address, this machine, in the proxy's name."""
    return [
        asked(house, NURSE, CLIENT).status_code,
        asked(house, NURSE, "127.0.0.1").status_code,
        asked(house, {**NURSE, "X-Forwarded-For": PROXY, "Forwarded": f"for={PROXY}"}, CLIENT).status_code,
        asked(house, {"Remote-Groups": "it = services"}, CLIENT).status_code,
    ]


def test_from_elsewhere_the_headers_are_refused_even_for_what_is_open_to_all(house: Guarded) -> None:
    assert forged(house) == [403] * 4
    assert asked(house, NURSE, CLIENT, "/healthz").status_code == 403
    assert asked(house, {}, CLIENT, "/healthz").status_code == 200
    assert asked(house, NURSE).status_code == 200


def test_a_gate_that_lets_the_headers_by_still_does_not_believe_them(folder: Path) -> None:
    access = access_of(load_settings(None, data=folder, **TOLD))
    with guarded(folder, replace(access.gate, proxys_headers=()), access.sign_in) as mutant:
        assert forged(mutant) == [401] * 4


def test_a_door_that_believes_anybody_is_seen(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Credulous(Way):
        def is_by_proxy(self, _: Any) -> bool:
            return True

    way = Credulous("https://edtwin.chu.example", (PROXY,))
    door = ByProxy(way, "Remote-User", "Remote-Groups", {"ed-nurses": "proposer"})
    with guarded(folder, gate_of([door], Gate, way)) as mutant:
        assert forged(mutant)[:3] == [200] * 3
    assert proxies.role_of(["x"], {}) is None


def test_who_has_no_group_here_is_told_so_and_may_use_a_local_account(house: Guarded, folder: Path) -> None:
    told = {**NURSE, "Remote-Groups": "cooks"}
    assert asked(house, told).status_code == 401
    page = asked(house, told, path="/sign-in?lang=en")
    assert "e.martin: your account has no role here" in page.text
    accounts = Accounts(folder / "accounts.json", QUICK)
    accounts.add("rescue", "viewer", house.desk._clock.now(), password="a long enough one", with_code=False)
    client = house.client(None)
    client.environ_base["REMOTE_ADDR"] = PROXY
    url = "https://edtwin.chu.example"
    form = {"name": "rescue", "password": "a long enough one"}
    assert client.post("/sign-in", data=form, headers=told, base_url=url).status_code == 303
    assert "<b>rescue</b>" in client.get("/", headers=told, base_url=url).text


def test_a_page_of_another_site_cannot_act_in_the_name_that_the_proxy_gives(house: Guarded) -> None:
    client = house.client(None)
    client.environ_base["REMOTE_ADDR"] = PROXY
    answer = client.post("/api/v1/proposals", json={}, headers={**NURSE, "Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    own = client.post("/api/v1/proposals", json={}, headers={**NURSE, "Origin": "https://edtwin.chu.example"})
    assert own.status_code == 422


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"access_proxies": ()}, "access_proxies must be given where access is proxy"),
        ({"access_roles": ()}, "access_roles must be given where access is proxy or oidc"),
        ({"access_roles": ("ed-nurses=chief",)}, "access_roles must be like ed-nurses=proposer"),
        ({"access_roles": ("ed-nurses=wall",)}, "access_roles must be like ed-nurses=proposer"),
        ({"access_user_header": "Remote_User"}, "access_user_header"),
    ],
)
def test_settings_that_would_let_nobody_or_anybody_in_are_refused(changed: dict[str, Any], why: str) -> None:
    with pytest.raises(ConfigurationError, match=why):
        load_settings(None, **{**TOLD, **changed})
