"""What every response carries, and what a callback must look like."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.exceptions import BadRequest

from dashboard.app import WallSettings, build_app
from dashboard.headers import FIXED, LARGEST_REQUEST_BYTES, check_callback, content_policy
from tests.boards import ordinary

CALLBACKS = {"..page.children...beat.children..": (["screen.data"], ["version.data"])}
SOUND: dict[str, Any] = {
    "output": "..page.children...beat.children..",
    "outputs": [{"id": "page", "property": "children"}, {"id": "beat", "property": "children"}],
    "inputs": [{"id": "screen", "property": "data", "value": {}}],
    "state": [{"id": "version", "property": "data"}],
    "changedPropIds": ["screen.data"],
}
MALFORMED: list[Any] = [
    None, [], "text", 7, {}, {"output": None}, {"output": "other.data"},
    {**SOUND, "inputs": None}, {**SOUND, "inputs": [1]}, {**SOUND, "inputs": []}, {**SOUND, "state": [{"id": 3}]},
    {**SOUND, "inputs": [{"id": {"a": 1}, "property": "data"}]}, {**SOUND, "outputs": []}, {**SOUND, "outputs": 1},
    {**SOUND, "changedPropIds": {}}, {**SOUND, "changedPropIds": [1]},
]  # fmt: skip


@pytest.fixture(scope="module")
def client() -> FlaskClient:
    server: Flask = build_app(ordinary, WallSettings()).server
    return server.test_client()


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 200),
        ("/healthz", 200),
        ("/_dash-layout", 200),
        ("/_dash-dependencies", 200),
        ("/assets/wall.css", 200),
        ("/assets/none.css", 404),
    ],
)
def test_every_response_has_the_headers(client: FlaskClient, path: str, status: int) -> None:
    response = client.get(path, buffered=True)
    assert response.status_code == status
    assert {name: response.headers.get(name) for name in FIXED} == dict(FIXED)
    assert response.headers["Content-Security-Policy"].startswith("default-src 'self'; script-src 'self' 'sha256-")
    assert response.headers["Cache-Control"] == "no-store"


def test_the_policy_allows_no_stranger_and_no_inline_script() -> None:
    policy = dict(part.split(" ", 1) for part in content_policy(["'sha256-x'"]).split("; "))
    assert policy["script-src"] == "'self' 'sha256-x'"
    assert {name for name, value in policy.items() if "'unsafe-inline'" in value} == {"style-src"}
    assert [value for value in policy.values() if "http" in value or "*" in value] == []


def test_fingerprinted_files_are_kept_and_all_is_compressed(client: FlaskClient) -> None:
    page = client.get("/").get_data(as_text=True)
    scripts = [part.split('"')[0] for part in page.split('src="')[1:]]
    sheets = [part.split('"')[0] for part in page.split('<link rel="stylesheet" href="')[1:]]
    assert len(scripts) > 5
    assert len(sheets) > 5
    answers = [client.get(path, headers={"Accept-Encoding": "br"}, buffered=True) for path in (*scripts, *sheets)]
    assert {answer.headers["Cache-Control"] for answer in answers} == {"public, max-age=31536000, immutable"}
    assert {answer.headers.get("Content-Encoding") for answer in answers if len(answer.data) > 1000} == {"br"}
    assert "no-store" in client.get("/assets/wall.css", buffered=True).headers["Cache-Control"]


@pytest.mark.parametrize("body", MALFORMED)
def test_a_malformed_callback_is_refused(client: FlaskClient, body: Any) -> None:
    response = client.post("/_dash-update-component", data=json.dumps(body), content_type="application/json")
    assert response.status_code == 400
    assert {name: response.headers.get(name) for name in FIXED} == dict(FIXED)
    with pytest.raises(BadRequest):
        check_callback(body, CALLBACKS)


def test_a_sound_callback_passes() -> None:
    check_callback(SOUND, CALLBACKS)


def test_what_is_no_json_or_too_large_is_refused(client: FlaskClient) -> None:
    path = "/_dash-update-component"
    assert client.post(path, data="{", content_type="application/json").status_code == 400
    assert client.post(path, data="{}", content_type="text/plain").status_code == 415
    large = b'"' + b"x" * LARGEST_REQUEST_BYTES + b'"'
    assert client.post(path, data=large, content_type="application/json").status_code == 413


def test_a_library_without_a_fingerprint_is_kept_and_asked_after(client: FlaskClient) -> None:
    path, wants = "/_dash-component-suites/plotly/package_data/plotly.min.js", {"Accept-Encoding": "zstd"}
    first = client.get(path, headers=wants, buffered=True)
    assert (first.status_code, first.headers["Cache-Control"]) == (200, "public, no-cache")
    again = client.get(path, headers={**wants, "If-None-Match": first.headers["ETag"]}, buffered=True)
    assert (again.status_code, again.data, again.headers["Cache-Control"]) == (304, b"", "public, no-cache")
    other = client.get(path, headers={**wants, "If-None-Match": '"another"'}, buffered=True)
    assert (other.status_code, len(other.data)) == (200, len(first.data))
