"""THE ONE TABLE of who may do what: the least role of every route and of every callback.

What is not in it is refused. A route is named by its method and rule, a callback by its first output. Where one
serves several ends, `acts` says the role of each, and `which` tells them apart by what is asked; an end that is not
named takes the highest role of those that are. `buttons` selects what begins an end on the pages: they hide it from
who may not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from dashboard.access.roles import ROLES, Least, Role
from dashboard.data_ways import ADDRESS as DATA
from dashboard.data_ways import WALL
from dashboard.floor_days import ADDRESS as FLOOR_DAY
from dashboard.news import ADDRESS as NEWS

Body = Literal["json", "form", "own"]
"""What a changing request must be made of; `own`: the route checks that itself."""
SIGN_IN, SIGN_OUT = "/sign-in", "/sign-out"
SIGN_IN_ELSEWHERE, SIGN_IN_DONE = "/sign-in/oidc", "/sign-in/oidc/done"
"""The way to the hospital's own sign-in, and back."""


@dataclass(frozen=True)
class Act:
    """One end of a route or a callback."""

    least: Least
    buttons: str = ""


@dataclass(frozen=True)
class Entry:
    """A row of the table."""

    least: Least
    """Of what is asked; where there are `acts`, of asking at all."""
    acts: Mapping[str, Act] = field(default_factory=dict)
    which: Callable[[Any], str] | None = None
    body: Body = "json"
    is_tick: bool = False
    """Open pages ask it by themselves: no sign that somebody is there."""
    begins: bool = False
    """It changes something, or begins work: fewer of these are answered in a minute."""
    buttons: str = ""

    def takes(self, asked: Any) -> Least:
        """The least role of what is asked: values of a path, or the body of a callback."""
        if self.which is None:
            return self.least
        known = self.acts.get(self.which(asked))
        least = known.least if known else highest([act.least for act in self.acts.values()])
        return highest([self.least, least])


def highest(found: list[Least]) -> Least:
    """The one of these that the fewest have."""
    order: list[Least] = ["anyone", *ROLES, "nobody"]
    return max(found, key=order.index)


# --- pages ------------------------------------------------------------------------------------------------------------

PAGES: Mapping[str, Role] = {
    WALL: "wall", "alerts": "wall", "floor": "wall", "feeds": "wall", "forecast": "wall", "huddle": "wall",
    "supplies": "wall", "trust": "wall", "path": "wall", "words": "wall", "about": "wall", "downtime": "wall",
    "quarantine": "viewer", "whatif": "viewer", "desk": "viewer", "compare": "viewer", "robustness": "viewer",
    "replay": "viewer", "validation": "viewer", "checks": "viewer", "learned": "viewer", "data": "viewer",
    "debrief": "viewer", "instructor": "manager", "settings": "administrator",
}  # fmt: skip
"""Every page by its name. A wall's screen shows what is read from afar; a page where people speak is no wall's."""
_OTHER_WAYS: Mapping[str, Role] = {"known": "viewer", "report": "viewer"}
"""What stands among the ways to the pages and is none of them."""


def _way(name: str) -> str:
    """What leads to a page from the ways to all; a title that leads there too stays to be read."""
    return f'.way[href^="/{name}?"]'


_SHOWN = {name: Act(least, _way(name)) for name, least in PAGES.items()}


def _page_of_path(values: Any) -> str:
    """The page at an address; an address of no page shows the wall."""
    name = str((values or {}).get("path", "")).strip("/")
    return name if name in PAGES else WALL


def _page_of_address(values: Any) -> str:
    return str(values.get("page"))


# --- routes -----------------------------------------------------------------------------------------------------------

_API = "/api/v1"
_PROPOSAL = f"{_API}/proposals/<name>"
_PAGE = Entry("wall", _SHOWN, _page_of_path)
_LOOKS = Entry("viewer")
_PROPOSES, _DECIDES = Entry("proposer", begins=True), Entry("manager", begins=True)

ROUTES: Mapping[tuple[str, str], Entry] = {
    # who is not signed in: what a sign-in page needs, and what watches over the house
    ("GET", "/healthz"): Entry("anyone", is_tick=True),
    ("GET", "/readyz"): Entry("anyone", is_tick=True),
    ("GET", "/assets/<path:filename>"): Entry("anyone", is_tick=True),
    ("GET", "/_favicon.ico"): Entry("anyone", is_tick=True),
    ("GET", "/manifest.webmanifest"): Entry("anyone", is_tick=True),  # browsers ask for it without a cookie
    ("GET", "/phone-worker.js"): Entry("anyone", is_tick=True),
    ("GET", "/phone/offline"): Entry("anyone", is_tick=True),
    ("GET", SIGN_IN): Entry("anyone"),
    ("POST", SIGN_IN): Entry("anyone", body="form"),
    ("POST", SIGN_OUT): Entry("anyone", body="form"),
    ("GET", SIGN_IN_ELSEWHERE): Entry("anyone"),
    ("GET", SIGN_IN_DONE): Entry("anyone"),
    # machines with a token of their own
    ("GET", "/fhir"): Entry("anyone", body="own"),
    ("POST", "/fhir"): Entry("anyone", body="own"),
    ("PUT", "/fhir/<kind>/<number>"): Entry("anyone", body="own"),
    ("POST", "/fhir/<kind>/<number>"): Entry("anyone", body="own"),
    # pages
    ("GET", "/"): _PAGE,
    ("GET", "/<path:path>"): _PAGE,
    ("GET", "/_dash-layout"): Entry("wall"),
    ("GET", "/_dash-dependencies"): Entry("wall"),
    ("GET", "/_dash-component-suites/<string:package_name>/<path:fingerprinted_path>"): Entry("wall"),
    ("GET", "/_reload-hash"): Entry("nobody"),
    ("GET", "/static/<path:filename>"): Entry("nobody"),
    ("POST", "/_dash-update-component"): Entry("wall"),  # and the row of its callback, below
    ("GET", "/phone"): Entry("wall"),
    ("GET", "/phone/board"): Entry("wall", is_tick=True),
    ("GET", "/words/<language>.json"): Entry("wall"),
    ("GET", "/downtime/sheet.pdf"): Entry("wall"),
    ("GET", FLOOR_DAY): Entry("wall", is_tick=True),
    ("GET", "/metrics"): Entry("wall", is_tick=True),
    ("GET", f"{NEWS}/<page>"): Entry("wall", _SHOWN, _page_of_address, is_tick=True),
    ("GET", f"{DATA}/<page>/<file>"): Entry("viewer", _SHOWN, _page_of_address),
    ("GET", "/huddle/<language>/<file>"): _LOOKS,
    ("GET", "/report"): Entry("viewer", buttons=_way("report")),
    ("GET", "/report.<form>"): _LOOKS,
    ("GET", "/known"): Entry("viewer", buttons=_way("known")),
    ("POST", "/known"): Entry(
        "proposer", body="form", begins=True, buttons=".known-kinds, .known-choice, .known-other"
    ),
    ("POST", "/known/undo"): Entry("proposer", body="form", begins=True, buttons="button.undo"),
    # the API
    **{("GET", f"{_API}{path}"): Entry("wall") for path in (
        "/board", "/forecast", "/forecast/<measure>", "/verification", "/alerts", "/scenarios", "/scenarios/<name>",
        "/openapi.json",
    )},
    ("GET", f"{_API}/proposals"): _LOOKS,
    ("GET", _PROPOSAL): _LOOKS,
    ("GET", f"{_API}/proposals/export"): Entry("manager"),
    ("POST", f"{_API}/runs"): Entry("viewer", begins=True),
    ("POST", f"{_API}/comparisons"): Entry("viewer", begins=True),
    ("POST", f"{_API}/proposals"): _PROPOSES,
    ("POST", f"{_PROPOSAL}/comments"): _PROPOSES,
    ("POST", f"{_PROPOSAL}/support"): _PROPOSES,
    ("POST", f"{_PROPOSAL}/decision"): _DECIDES,
    ("POST", f"{_PROPOSAL}/end"): _DECIDES,
    **{(method, "/api/<path:rest>"): _LOOKS for method in ("GET", "POST", "PUT", "PATCH", "DELETE")},
}  # fmt: skip

# --- callbacks --------------------------------------------------------------------------------------------------------


def value_of(body: Any, name: str) -> Any:
    """What a callback's body says of an input or a state, by `id.property`; None where it says nothing."""
    found = (one.get("value") for one in _items(body) if f"{one.get('id')}.{one.get('property')}" == name)
    return next(found, None)


def _items(body: Any, *parts: str) -> list[dict[str, Any]]:
    """The inputs and states of a callback's body; nothing of what is malformed, which is refused after the gate."""
    told = body if isinstance(body, dict) else {}
    lists = [told.get(part) for part in parts or ("inputs", "state")]
    return [one for found in lists if isinstance(found, list) for one in found if isinstance(one, dict)]


def _told(name: str, part: str) -> Callable[[Any], str]:
    """Which act a store names."""

    def which(body: Any) -> str:
        told = value_of(body, name)
        return str(told.get(part)) if isinstance(told, dict) else ""

    return which


def _page_of_screen(body: Any) -> str:
    screen = value_of(body, "screen.data")
    return _page_of_path(screen if isinstance(screen, dict) else {})


def _pressed(body: Any) -> str:
    """An instructor's page asks once as it is loaded, before anything is pressed."""
    return "put" if any(one.get("value") for one in _items(body, "inputs")) else "nothing"


def _acts(least: Least, button: str, *names: str) -> dict[str, Act]:
    return {name: Act(least, button.format(name)) for name in names}


_ON_ALARM, _AT_DESK = 'button.act[data-act="{}"]', '.talk-act[data-act="{}"]'
_NEVER = Entry("nobody")
"""What a page works out for itself: nobody asks the server."""

CALLBACKS: Mapping[str, Entry] = {
    "screen.data": _NEVER,
    "answered.data": _NEVER,
    "themed.forceColorScheme": _NEVER,
    "whatif-built.data": _NEVER,
    "whatif-heard.data": _NEVER,
    "beat.children": Entry("wall", _SHOWN, _page_of_screen, is_tick=True),
    "whatif-offer.data": Entry("viewer"),
    "whatif-state.data": Entry("viewer", is_tick=True),
    "whatif-kept.children": Entry("proposer", begins=True, buttons=".whatif-keep"),
    "desk-said.children": Entry(
        "proposer", _acts("proposer", _ON_ALARM, "acknowledge", "snooze"), _told("desk-what.data", "act"), begins=True
    ),
    "talk-said.children": Entry(
        "proposer",
        {**_acts("proposer", _AT_DESK, "comment", "support", "unsupport", "withdraw"),
         **_acts("manager", _AT_DESK, "adopt", "adapt", "decline", "end")},
        _told("talk-what.data", "act"), begins=True, buttons=".talk-act.link",
    ),
    "grid-said.children": Entry("proposer", begins=True, buttons="button.grid-act"),
    "replay-said.children": Entry("proposer", begins=True, buttons="button.replay-act"),
    "backtest-said.children": Entry("manager", begins=True, buttons="button.backtest-act"),
    "inject-said.children": Entry(
        "wall", {"nothing": Act("wall"), "put": Act("manager", "#instructor-form, .inject-cancel")}, _pressed
    ),
}  # fmt: skip


def name_of(output: str) -> str:
    """The name of a callback: its first output."""
    return output.strip(".").split("...")[0]


def hidden_from(role: Role) -> str:
    """A selector of all that somebody of this role may not begin, and of the ways to what they may not see."""
    order = ROLES.index(role)
    entries = [*ROUTES.values(), *CALLBACKS.values()]
    found = [(entry.least, entry.buttons) for entry in entries]
    found += [(act.least, act.buttons) for entry in entries for act in entry.acts.values()]
    found += [(least, _way(name)) for name, least in _OTHER_WAYS.items()]
    barred = {buttons for least, buttons in found if buttons and least in ROLES[order + 1 :]}
    return ", ".join(sorted(barred))
