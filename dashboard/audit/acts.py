"""Who changes: what people do through a house's doors is recorded where it is done, whichever page or API asks for it.

    alerts = audited(alerts, "alarms", trail)       # the same in all else; each of its acts is a record

An act is recorded when it is over, with what became of it, and is on the disk before whoever did it is told. What was
written in a note is not recorded, nor are numbers that were put in: of what it was done, by its name, and by whom.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar, cast

from flask import g, has_request_context

from dashboard.access.roles import SignedIn
from dashboard.access.sign_in import Told
from dashboard.audit.consultations import who_asks
from dashboard.audit.trail import Trail
from ingest.errors import EdtwinError

T = TypeVar("T")


@dataclass(frozen=True)
class Act:
    """How an act is recorded: its words, what of its arguments names what it was done to, and who says to do it."""

    words: str
    about: Callable[[Mapping[str, Any], Any], str] = lambda given, result: ""
    """Of the arguments and of what it gave, the name of what it was done to."""
    who: str = ""
    """The argument that says who does it."""
    says_no: bool = False
    """It gives False where it did nothing."""


def _argument(name: str) -> Callable[[Mapping[str, Any], Any], str]:
    return lambda given, result: str(given[name])


def _given(given: Mapping[str, Any], result: Any) -> str:
    return "" if result is None else str(result)


def _decided(given: Mapping[str, Any], result: Any) -> str:
    return f"{given['name']} {given['what']}"


def _told(given: Mapping[str, Any], result: Any) -> str:
    told = given["told"]
    return f"{told.kind} {told.name} {'' if result is None else result}".strip()


def _inject(given: Mapping[str, Any], result: Any) -> str:
    return str(given["inject"].kind)


DOORS: Mapping[str, Mapping[str, Act]] = {
    "alarms": {
        "acknowledge": Act("alarm acknowledged", _argument("alarm"), "who"),
        "snooze": Act("alarm snoozed", _argument("alarm"), "who"),
    },
    "desk": {
        "propose": Act("proposed", _given, "who"),
        "comment": Act("proposal commented", _argument("name"), "who"),
        "support": Act("proposal supported or no longer", _argument("name"), "who"),
        "withdraw": Act("proposal withdrawn", _argument("name"), "who"),
        "decide": Act("proposal decided", _decided, "who"),
        "end": Act("adopted change ended", _argument("name"), "who"),
    },
    "known": {
        "say": Act("known future said", _told, "who"),
        "undo": Act("known future undone", _argument("number"), "who"),
    },
    "grids": {
        "start": Act("grid begun", says_no=True),
        "cancel": Act("grid stopped", says_no=True),
    },
    "backtests": {
        "start": Act("back-test begun", says_no=True),
        "cancel": Act("back-test stopped", says_no=True),
        "resume": Act("back-test gone on with", says_no=True),
    },
    "replays": {"forecast": Act("past instant forecast", says_no=True)},
    "exercise": {
        "put": Act("inject put in", _inject),
        "plan": Act("inject planned", _inject),
        "cancel": Act("inject cancelled", _argument("number")),
    },
    "whatif": {"save": Act("scenario saved", _argument("name"), "who")},
}  # fmt: skip
"""What can be done, door by door. A test holds it against what the doors can do."""


def of_sign_ins(trail: Trail) -> Told:
    """Records who signs in and out. Of a try that did not fit only that it was one: a password may have been typed."""

    def keep(what: str, who: SignedIn | None) -> None:
        more = {"outcome": "refused"} if who is None else {"who": who.name, "role": who.role or "nobody"}
        trail.keep(who_asks(trail.now(), "act", what, **more), wait=True)

    return keep


def audited(thing: T, door: str, trail: Trail) -> T:
    """The same thing, whose acts are recorded."""
    return cast(T, _Audited(thing, DOORS[door], trail))


class _Audited:
    """Stands before a thing: its acts are wrapped, all else is the thing's own."""

    def __init__(self, thing: Any, acts: Mapping[str, Act], trail: Trail) -> None:
        self._thing = thing
        self._wrapped = {name: _recorded(getattr(thing, name), act, trail) for name, act in acts.items()}

    def __getattr__(self, name: str) -> Any:
        return self._wrapped.get(name) or getattr(self._thing, name)


def _recorded(method: Callable[..., Any], act: Act, trail: Trail) -> Callable[..., Any]:
    signature = inspect.signature(method)

    @wraps(method)
    def done(*args: Any, **named: Any) -> Any:
        if not has_request_context():
            return method(*args, **named)  # the house itself: an exercise's script
        bound = signature.bind(*args, **named)
        bound.apply_defaults()
        try:
            result = method(*args, **named)
        except EdtwinError:
            _keep(trail, act, bound.arguments, None, "refused")
            raise
        except BaseException:
            _keep(trail, act, bound.arguments, None, "failed")
            raise
        _keep(trail, act, bound.arguments, result, "refused" if act.says_no and not result else "done")
        return result

    return done


def _keep(trail: Trail, act: Act, given: Mapping[str, Any], result: Any, outcome: str) -> None:
    """Where nobody signs in, who they say they are counts. Of what was refused only that it was: its names may be
    anything."""
    said = given.get(act.who) if act.who else None
    said = getattr(said, "name", said)
    more: dict[str, Any] = {"outcome": outcome}
    if outcome == "done":
        more["about"] = act.about(given, result)
        if said and getattr(g.get("signed_in"), "name", None) is None:
            more["who"] = said
    trail.keep(who_asks(trail.now(), "act", act.words, **more), wait=True)
