"""Example values of the page of the desk: the same every time."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from forecast.compare_view import Named
from forecast.desk_view import CommentView, DecisionView, DeskView, DoneView, ProposalView
from tests.boards import MADE_AT
from tests.compare_views import compared

_LIKE = compared(("one_more_doctor", "escalation_beds"), "nurses")
_CHOICES = {one.name: one for one in _LIKE.choices}
MARY = Named("mary", "Marie Dupont, cadre", "Mary Smith, manager")
ANNA = Named("anna", "Anna, aide-soignante", "Anna, care assistant")
OPEN = ProposalView(
    name="proposal-3", number=3, proposed_at=MADE_AT - timedelta(minutes=40), author=None,
    words="Ouvrir les huit lits de la salle de jour dès 15 h", changes=(("lits : +8", "beds: +8"),), state="open",
    supporters=5, comments=(CommentView(MADE_AT - timedelta(minutes=20), None, "Il faut une aide-soignante de nuit."),),
    variations=(4,), choice=_CHOICES["escalation_beds"],
)  # fmt: skip
VARIED = ProposalView(
    name="proposal-4", number=4, proposed_at=MADE_AT - timedelta(minutes=10), author=ANNA, words="Quatre suffisent",
    changes=(("lits : +4", "beds: +4"),), state="open", supporters=1, varies=3, choice=_CHOICES["one_more_doctor"],
)  # fmt: skip
CARRIED = ProposalView(
    name="proposal-2", number=2, proposed_at=MADE_AT - timedelta(hours=3), author=ANNA, words="Un médecin de plus",
    changes=(("Médecins : +1, jusqu'à 21:00", "Doctors: +1, until 21:00"),), state="adopted", supporters=2,
    decision=DecisionView(MADE_AT - timedelta(hours=2), MARY, "adopted", "On essaie.", None, carried=True),
    window_min=480.0,
)  # fmt: skip
DONE = DoneView("ed_waiting", 14.2, (15.0, 18.1, 21.4), (-7.2, -3.9, -0.8), (-5.0, -4.1, -3.2), tells=True)
MEASURED = ProposalView(
    name="proposal-1", number=1, proposed_at=MADE_AT - timedelta(days=6), author=ANNA, words="Deux infirmiers la nuit",
    changes=(("Infirmiers : +2", "Nurses: +2"),), state="measured", supporters=7,
    decision=DecisionView(MADE_AT - timedelta(days=6), MARY, "adapted", "Une nuit.", None, carried=False),
    effects=(DONE, DoneView("ed_census", 48.0, (42.0, 49.0, 57.0), (-9.0, -1.0, 6.0), (-2.0, -1.5, -1.0), tells=False)),
    window_min=480.0,
)  # fmt: skip
EMPTY = DeskView(MADE_AT, "Europe/Paris", "CHU", "live")
FULL = DeskView(
    MADE_AT, "Europe/Paris", "CHU", "live", (VARIED, OPEN, CARRIED, MEASURED), _LIKE.views, "nurses", _LIKE.criteria,
    MADE_AT, 24.0, 200, 1000, (MARY,),
)  # fmt: skip


def crowded_desk() -> DeskView:
    """Twenty proposals, some in many words, with a talk below them."""
    talk = tuple(CommentView(MADE_AT - timedelta(minutes=k), ANNA, "Et la pharmacie ? " * 8) for k in range(6))
    many = [
        replace(one, name=f"proposal-{number}", number=number, words=f"{one.words}, {'et encore ' * (number % 9)}",
                comments=talk if one is OPEN else (), supporters=11 * number)
        for number, one in enumerate(FULL.proposals * 5, start=1)
    ]  # fmt: skip
    return replace(FULL, proposals=tuple(many))
