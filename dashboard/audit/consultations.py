"""Who looks: every request to a house that shows something is a record, a page that stays open is one.

A page asks for news every few seconds; that is no consultation of its own, but the page that was opened is one. A tick
of a page that nobody was seen to open (the wall's screen turned to it, it stands open since yesterday, a program asks
without opening it) is recorded once a day. What was typed into an address is never recorded: only names that the house
knows, and of a chart, a measure or a proposal only where it was there.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import datetime
from ipaddress import ip_address
from typing import Any

from flask import Flask, Response, g, has_request_context, request

from dashboard.access.roles import EVERYBODY
from dashboard.audit.records import OPEN, Deed, Kind, Outcome
from dashboard.audit.trail import Trail
from dashboard.headers import CALLBACK_PATH
from dashboard.news import ENDPOINT as NEWS
from dashboard.pages.beside import KNOWN, PHONE, named

NOBODYS = frozenset(
    {"static", "_dash_assets.static", "/_dash-component-suites/<string:package_name>/<path:fingerprinted_path>",
     "/_dash-layout", "/_dash-dependencies", "/_reload-hash", "/_favicon.ico", "terms", "healthz", "readyz", "metrics",
     "manifest", "phone-worker", "phone-offline", "fhir"}
)  # fmt: skip
"""What shows nothing of the hospital, is asked by machines that watch over the house, or brings messages, which the
journal keeps."""
PAGES: Mapping[str, str] = {"phone": PHONE.strip("/"), "known": KNOWN.strip("/"), "report": "report"}
"""Pages written by hand: which endpoint is which."""
TICKS: Mapping[str, str] = {"phone-board": PHONE.strip("/"), "floor-day": "floor"}
"""What an open page asks for: which endpoint is of which page."""
FORMS = frozenset(
    {"known-say", "known-undo", "sign-in", "sign-in-tried", "sign-in-elsewhere", "sign-in-done", "sign-out"}
)
"""What changes something is recorded where it is done (`dashboard/audit/acts.py`)."""
NOT_ALLOWED = "what the role may not do"
"""An act that the gate refused."""
_MOST_SEEN = 20_000
_WHATIF = "whatif-"


def answer_to_audit(server: Flask, trail: Trail) -> None:
    """Record what this server's pages, files and API are asked, once it is known what became of it."""
    seen = _Seen()

    @server.after_request
    def record(response: Response) -> Response:
        deed = _deed(trail.now(), response)
        if deed is not None and seen.is_new(deed, is_tick=_is_tick(response)):
            trail.keep(deed)
        return response


def who_asks(at: datetime, kind: Kind, what: str, **more: Any) -> Deed:
    """A deed of whoever sends this request; outside of one, of the house."""
    if not has_request_context():
        return Deed(at=at, kind=kind, what=what, role="house", **more)
    signed = g.get("signed_in", EVERYBODY)
    role = OPEN if signed == EVERYBODY else signed.role or "nobody"
    told = {"who": signed.name, "role": role, "place": _place(request.remote_addr), **more}
    return Deed(at=at, kind=kind, what=what, **told)


class _Seen:
    """Pages that were opened or ticked today, by whom."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._day, self._found = "", set[tuple[Any, ...]]()

    def is_new(self, deed: Deed, *, is_tick: bool) -> bool:
        """Whether it is to be recorded."""
        day, key = f"{deed.at:%Y-%m-%d}", (deed.who, deed.role, deed.place, deed.kind, deed.what, deed.outcome)
        with self._lock:
            if day != self._day or len(self._found) > _MOST_SEEN:
                self._day, self._found = day, set()
            known = key in self._found
            self._found.add(key)
        return not (is_tick and known)


def _deed(at: datetime, response: Response) -> Deed | None:
    """What was asked; None for what is no consultation."""
    endpoint = request.endpoint
    if endpoint in NOBODYS or endpoint in FORMS or response.status_code in (301, 302, 303, 307, 308, 405):
        return None
    if request.method not in ("GET", "POST") or (endpoint is None and request.path != CALLBACK_PATH):
        return None
    outcome = _outcome(response.status_code)
    if request.path == CALLBACK_PATH:
        page = _page_of(request.get_json(silent=True, cache=True))
        if page is None:  # what was done is recorded where it is done, and where it is refused, nothing was
            return who_asks(at, "act", NOT_ALLOWED, outcome=outcome) if outcome == "refused" else None
        return who_asks(at, "page", page, outcome=outcome)
    if endpoint == NEWS:
        return who_asks(at, "page", named(str((request.view_args or {}).get("page"))), outcome=outcome)
    kind, what = _named(str(endpoint))
    about = " ".join(str(value) for value in (request.view_args or {}).values()) if kind != "page" else ""
    return who_asks(at, kind, what, outcome=outcome, about=about if outcome == "done" else "")


def _named(endpoint: str) -> tuple[Kind, str]:
    """An address that is not known to be a page or of the API is a file: nothing that is added later is left out."""
    if endpoint in ("/", "/<path:path>"):
        return "page", named(request.path)
    if endpoint in PAGES or endpoint in TICKS:
        return "page", PAGES.get(endpoint) or TICKS[endpoint]
    if endpoint.startswith("api-"):
        return "api", endpoint.removeprefix("api-")
    return "file", endpoint


def _is_tick(response: Response) -> bool:
    """An open page asks for news; so does who asks the API for what it knows already."""
    asks = request.path == CALLBACK_PATH or request.endpoint in (NEWS, *TICKS)
    return asks or response.status_code == 304


def _page_of(body: Any) -> str | None:
    """The page that a callback fills; None for one that shows nothing."""
    told = body if isinstance(body, dict) else {}
    output, inputs = str(told.get("output", "")), told.get("inputs")
    if _WHATIF in output:
        return "whatif"
    if "beat.children" not in output or not isinstance(inputs, list):
        return None
    screen = next((one.get("value") for one in inputs if isinstance(one, dict) and one.get("id") == "screen"), None)
    path = screen.get("path", "/") if isinstance(screen, dict) else "/"
    return named(path) if isinstance(path, str) else named("/")


def _outcome(status: int) -> Outcome:
    if status < 400:
        return "done"
    if status in (401, 403, 429):
        return "refused"
    return "absent" if status == 404 else "failed"


def _place(address: str | None) -> str:
    """Never the address itself: the class of it is what a reader needs, and no list of machines is made."""
    try:
        return "loopback" if ip_address(address or "").is_loopback else "elsewhere"
    except ValueError:
        return "elsewhere"
