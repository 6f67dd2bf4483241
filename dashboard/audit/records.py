"""A record of the audit: who, what, when, as one line of JSON that holds the hash of the line before.

Plain SHA-256, without a key. A key would lie where the house lies, under the account that writes these files, so it
would hold nobody back who can write them; and whoever examines them would have to be given it. So anybody can check a
chain with `sha256sum` alone, and what an account that writes the files could do, make the whole chain anew, is seen
from outside: by the anchor, and by hashes that were noted elsewhere (the about page, the process's log, a print).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Literal, get_args

Kind = Literal["page", "file", "api", "act", "command", "house"]
"""What was done: a page opened, a file taken, the API asked, something changed, a command run; or what the house says
of itself."""
KINDS: tuple[Kind, ...] = get_args(Kind)
Outcome = Literal["done", "refused", "absent", "failed"]
NOTHING_BEFORE = "0" * 64
"""What the first record of all holds."""
OPEN = "open"
"""The role of who asks where nobody signs in."""
LONGEST_WORD = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """What is to be recorded. Never an identifier of a patient: `about` is a name of the house's own."""

    at: datetime
    kind: Kind
    what: str
    about: str = ""
    """Which alarm, proposal, scenario, chart."""
    who: str | None = None
    """Who signed in; at the desk and for alarms, where nobody signs in, who they said they are."""
    role: str = OPEN
    place: str = ""
    """loopback or elsewhere."""
    outcome: Outcome = "done"
    told: Mapping[str, Any] = field(default_factory=dict)
    """What a record of the house itself says, such as its settings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A record as it stands in its file."""

    number: int
    before: str
    hash: str
    house: str
    deed: Deed


def line_of(deed: Deed, number: int, before: str, house: str) -> bytes:
    """The record's line, without its end."""
    told = {"n": number, **asdict(deed), "at": _instant(deed.at), "house": house, "before": before}
    told |= {name: _short(told[name]) for name in ("what", "about", "who", "role")}
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


def hash_of(line: bytes) -> str:
    """What the next record holds of this one."""
    return sha256(line).hexdigest()


def written_in(line: bytes) -> Written:
    """The record of a line. Raises ValueError for what is none."""
    try:
        told = json.loads(line)
        number, before, house = told.pop("n"), told.pop("before"), told.pop("house")
        deed = Deed(**told | {"at": datetime.fromisoformat(told["at"])})
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError("it is no record of the audit") from error
    return Written(number=number, before=before, hash=hash_of(line), house=house, deed=deed)


def as_json(one: Written) -> dict[str, Any]:
    """A record as a script reads it."""
    told = {**asdict(one.deed), "at": _instant(one.deed.at)}
    return {"number": one.number, "house": one.house, **told, "before": one.before, "hash": one.hash}


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _short(text: Any) -> Any:
    """Lines are lines: no word breaks one, and none is longer than a name is."""
    return " ".join(text.split())[:LONGEST_WORD] if isinstance(text, str) else text
