"""What people say is known already: as it is said, as it stands, and the rules of what can be said at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from forecast.errors import QuestionError
from forecast.known_counts import Missing
from forecast.known_log import Note
from forecast.known_view import Kind
from ingest.clock import local

LONGEST = timedelta(hours=24)
"""So far ahead something can be said."""
LATE = timedelta(minutes=2)
"""What is due now may have been due when the page was opened."""


@dataclass(frozen=True)
class Told:
    """What somebody says."""

    kind: Kind
    at: datetime
    """Until when it lasts; of a discharge and of an ambulance, when it is due."""
    count: int = 1
    name: str = ""
    """Of the ward, or of the pool of staff."""


@dataclass(frozen=True)
class Known:
    """What was said, as it stands."""

    number: int
    said: Note
    told: Told
    from_at: datetime
    undone: Note | None = None

    @property
    def missing(self) -> Missing:
        """As what is missing of a count."""
        return Missing(self.told.count, self.from_at, self.told.at)


def folded(notes: Sequence[Note]) -> list[Known]:
    """All that was ever said, in the order of its notes, as it stands."""
    undone = {note.known: note for note in notes if note.what == "undone"}
    return [
        Known(
            note.number, note,
            Told(note.told["kind"], datetime.fromisoformat(note.told["at"]), note.told["count"], note.told["name"]),
            datetime.fromisoformat(note.told["from"]), undone.get(note.number),
        )
        for note in notes if note.what == "said"
    ]  # fmt: skip


def of_group(there: Sequence[Known], told: Told) -> list[Known]:
    """What stands of the same ward's beds, or of the same staff."""
    return [o for o in there if o.undone is None and (o.told.kind, o.told.name) == (told.kind, told.name)]


def check_time(told: Told, now: datetime, zone: str) -> None:
    """The time must lie ahead, and not too far. Raises QuestionError."""
    is_due = told.kind in ("discharge", "ambulance")
    if told.at < now - LATE or (not is_due and told.at <= now):
        at = f"{local(told.at, zone):%H:%M}"
        raise QuestionError(
            f"L'heure doit être à venir, or {at} est passé : rien n'est retenu.",
            f"The time must lie ahead, but {at} is over: nothing is kept.",
        )
    if told.at > now + LONGEST:
        raise QuestionError(
            "L'heure doit être dans les 24 heures à venir : rien n'est retenu.",
            "The time must lie within the next 24 hours: nothing is kept.",
        )


def check_count(told: Told, most: int) -> None:
    """At least one, and no more than are left. Raises QuestionError."""
    if not 1 <= told.count <= most:
        raise QuestionError(
            f"Le nombre doit être de 1 à {most} ici, or c'est {told.count} : rien n'est retenu."
            if most else "Il n'en reste aucun ici dont on puisse le dire : rien n'est retenu.",
            f"The number must be 1 to {most} here, but is {told.count}: nothing is kept."
            if most else "None is left here of which it could be said: nothing is kept.",
        )  # fmt: skip


def unknown() -> QuestionError:
    """That of which it is said is not there; its name could be anything and is not repeated."""
    return QuestionError(
        "Choisissez un des services ou des métiers proposés : celui-ci n'est pas connu ici. Rien n'est retenu.",
        "Choose one of the wards or staff that are offered: this one is not known here. Nothing is kept.",
    )
