"""What every response carries, and what a request must be.

The policy lets the page load nothing from elsewhere and run no script that is not ours: Dash's own inline script is
allowed by its hash. Inline styles stay allowed because charts set them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dash import Dash
from flask import Flask, Response, request
from werkzeug.exceptions import BadRequest

CALLBACK_PATH = "/_dash-update-component"
LARGEST_REQUEST_BYTES = 1_000_000
SUITES = "/_dash-component-suites/"
_FINGERPRINTED, _ASKED_AFTER = "public, max-age=31536000, immutable", "public, no-cache"

FIXED: Mapping[str, str] = {
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def secure(app: Dash) -> None:
    """Put the headers on every response and refuse malformed callbacks.

    To be called when the last callback has been registered: the policy names the page's inline scripts.
    """
    server: Flask = app.server
    fixed = {**FIXED, "Content-Security-Policy": content_policy(app.csp_hashes())}
    server.config["MAX_CONTENT_LENGTH"] = LARGEST_REQUEST_BYTES

    @server.after_request
    def dress(response: Response) -> Response:
        response.headers.update(fixed)
        response.headers["Cache-Control"] = _caching(response)
        return _whole(response)

    @server.before_request
    def check() -> None:
        if request.path == CALLBACK_PATH and request.method == "POST":
            check_callback(request.get_json(), _callbacks(app))


def content_policy(script_hashes: Sequence[str]) -> str:
    """The Content-Security-Policy for a page whose inline scripts have these hashes."""
    return "; ".join(
        [
            "default-src 'self'",
            " ".join(["script-src", "'self'", *script_hashes]),
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "connect-src 'self'",
            "object-src 'none'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
            "form-action 'self'",
        ]
    )


def check_callback(body: Any, callbacks: Mapping[str, tuple[list[str], list[str]]]) -> None:
    """Refuse (400) what is not a call of one of ours: `callbacks` is output to (names of inputs, names of states)."""
    if not isinstance(body, dict) or not isinstance(body.get("output"), str) or body["output"] not in callbacks:
        raise BadRequest("not a callback of this page")
    inputs, states = callbacks[body["output"]]
    outputs = body["output"].strip(".").split("...")
    changed = body.get("changedPropIds", [])
    sound = (
        _names(body.get("inputs", [])) == inputs
        and _names(body.get("state", [])) == states
        and _names(_listed(body.get("outputs"))) == outputs
        and isinstance(changed, list)
        and all(isinstance(name, str) for name in changed)
    )
    if not sound:
        raise BadRequest("not the arguments of this callback")


def _callbacks(app: Dash) -> dict[str, tuple[list[str], list[str]]]:
    """Those that the server answers; what the page works out for itself is not asked."""
    return {
        output: (_names(callback["inputs"]) or [], _names(callback["state"]) or [])
        for output, callback in app.callback_map.items()
        if "callback" in callback
    }


def _names(items: Any) -> list[str] | None:
    """`id.property` of each; None where one is not of that form."""
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        return None
    if not all(isinstance(item.get(part), str) for item in items for part in ("id", "property")):
        return None
    return [f"{item['id']}.{item['property']}" for item in items]


def _listed(outputs: Any) -> Any:
    return [outputs] if isinstance(outputs, dict) else outputs


def _whole(response: Response) -> Response:
    """The response read into memory: the compressor would drop a streamed file without closing it."""
    if response.direct_passthrough and response.status_code == 200:
        response.direct_passthrough = False
        response.make_sequence()
    return response


def _caching(response: Response) -> str:
    """Fingerprinted files for a year; libraries without a fingerprint are kept, and asked after each time; all else is
    not kept, for it tells of a hospital."""
    suites = request.path.startswith(SUITES)
    assets = request.path.startswith("/assets/") and "m" in request.args
    if response.status_code == 200 and (assets or (suites and response.cache_control.max_age)):
        return _FINGERPRINTED
    return _ASKED_AFTER if suites and response.status_code in (200, 304) else "no-store"
