"""What people say is known, without a house behind it: a page to look at, and one that keeps what it is told."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta

from forecast.errors import QuestionError
from forecast.known_told import Told
from forecast.known_view import Choice, Kind, KnownFuture, KnownView
from tests.boards import MADE_AT, UNITS

HOUR = timedelta(hours=1)
PEOPLE = (("staff", "Membre du personnel", "Member of staff"), ("manager", "Responsable", "Manager"))
WARDS = tuple(Choice(u.unit.replace(" ", "_"), u.name_fr, u.name_en, u.beds or 0) for u in UNITS)
CHOICES: dict[Kind, tuple[Choice, ...]] = {
    "beds_closed": WARDS, "staff_absent": (Choice("doctor", "Médecins", "Doctors", 4),), "discharge": WARDS[:4],
    "ambulance": (Choice("", "", "", 20),),
}  # fmt: skip
NAMES = {choice.name: choice for choices in CHOICES.values() for choice in choices}


@dataclass
class Sayings:
    """Keeps what it is told, in memory; more than four of anything is refused."""

    known: list[KnownFuture] = field(default_factory=list)
    choices: dict[Kind, tuple[Choice, ...]] = field(default_factory=lambda: dict(CHOICES))
    is_ready: bool = True

    def view(self) -> KnownView:
        """What the page shows."""
        return KnownView(
            MADE_AT, "Europe/Paris", "Centre hospitalier de Valmont", "live", self.choices, PEOPLE,
            tuple(reversed(self.known)), self.is_ready,
        )  # fmt: skip

    def say(self, who: str, told: Told) -> int:
        """Keep it."""
        if told.count > 4:
            raise QuestionError(
                "Le nombre doit être de 1 à 4 ici : rien n'est retenu.", "The number must be 1 to 4 here."
            )
        if told.at < MADE_AT:
            raise QuestionError("L'heure doit être à venir.", "The time must lie ahead.")
        if told.name not in NAMES:
            raise QuestionError("Ce service n'est pas connu ici.", "This ward is not known here.")
        one, (_, fr, en) = NAMES[told.name], next(person for person in PEOPLE if person[0] == who)
        number = len(self.known) + 1
        self.known.append(KnownFuture(number, told.kind, one.fr, one.en, told.count, MADE_AT, told.at, fr, en))
        return number

    def undo(self, who: str, number: int) -> None:
        """Strike it out."""
        del who
        if not 0 < number <= len(self.known) or self.known[number - 1].undone_at:
            raise QuestionError("C'est déjà annulé.", "It is undone already.")
        self.known[number - 1] = replace(self.known[number - 1], undone_at=MADE_AT)


def busy() -> Sayings:
    """Much was said: something stands, was counted since, is over, was undone."""
    said = [
        KnownFuture(1, "beds_closed", "Médecine polyvalente", "General medicine", 2, MADE_AT - 3 * HOUR, MADE_AT - HOUR,
                    "Responsable", "Manager"),
        KnownFuture(2, "ambulance", "", "", 1, MADE_AT - HOUR, MADE_AT + HOUR, "Responsable", "Manager", MADE_AT),
        KnownFuture(3, "staff_absent", "Médecins", "Doctors", 1, MADE_AT - HOUR, MADE_AT + 6 * HOUR,
                    "Membre du personnel", "Member of staff"),
        KnownFuture(4, "beds_closed", "Chirurgie", "Surgery", 3, MADE_AT - HOUR, MADE_AT + 17 * HOUR, "Responsable",
                    "Manager", is_counted_since=True),
        KnownFuture(5, "discharge", "Gériatrie aiguë", "Acute geriatrics", 2, MADE_AT, MADE_AT + HOUR, "Responsable",
                    "Manager"),
    ]  # fmt: skip
    return Sayings(said)


def busy_page() -> KnownView:
    """The page when much was said."""
    return busy().view()


def silent_page() -> KnownView:
    """The page when nobody has said anything."""
    return Sayings().view()


def crowded_page() -> KnownView:
    """More was said than anybody reads, of wards with long names."""
    long = "Hospitalisation de courte durée et soins continus polyvalents"
    said = [replace(one, number=k + 1, name_fr=long) for k, one in enumerate(busy().known * 6) if one.name_fr]
    return Sayings(said).view()


def unready_page() -> KnownView:
    """The page before the first forecast."""
    return Sayings(is_ready=False).view()
