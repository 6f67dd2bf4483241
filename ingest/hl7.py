"""HL7 v2 messages to events: one table, trigger -> function, and the format made of it.

A function is given what one message tells of one patient and answers with events, with the rule by which the message
is ignored, or with the reason for which it is refused. It knows nothing of other messages: what they amount to
together, in whatever order they came, is for the log and the fold of `twin/state.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ingest import hl7_orders as orders
from ingest import hl7_visits as visits
from ingest.formats import Kept, Place, Reading
from ingest.hl7_edge import REMARKS, UNREADABLE, Hl7Edge
from ingest.hl7_reasons import IGNORED, REASONS
from ingest.hl7_settings import Hl7Settings
from ingest.hl7_text import CHARSET_FLAGS, FAULTS, Fault, Message, split
from ingest.hl7_told import Ignored, Refused, Result, Told
from ingest.pseudonyms import Pseudonyms

Rule = Callable[[Told], Result]


def ignored(code: str) -> Rule:
    """The rule of triggers that tell nothing we hold."""
    assert code in IGNORED, code
    return lambda told: Ignored(code)


_IDENTITY, _LEAVE, _NO_MOVE = ignored("identity_only"), ignored("leave_of_absence"), ignored("no_movement")

TRIGGERS: dict[str, Rule] = {
    "A01": visits.admitted,  # admit
    "A02": visits.moved,  # transfer
    "A03": visits.left,  # discharge
    "A04": visits.admitted,  # register
    "A05": visits.expected,  # pre-admit
    "A06": visits.became_inpatient,
    "A07": visits.became_outpatient,
    "A08": visits.updated,
    "A09": ignored("departing"),  # the arrival at the next place is told by A10
    "A10": visits.moved,  # arriving, as tracked
    "A11": visits.cancelled_admission,
    "A12": visits.cancelled_move,
    "A13": visits.cancelled_exit,
    "A14": visits.to_be_admitted,
    "A15": visits.to_be_moved,
    "A16": visits.to_be_discharged,
    "A17": visits.moved,  # swap: once for each of the two patients
    "A18": _IDENTITY,
    "A20": visits.bed_status,
    "A21": _LEAVE,
    "A22": _LEAVE,
    "A23": visits.deleted,
    "A24": _IDENTITY,
    "A25": visits.cancelled("decision/discharge", "planned_exit"),
    "A26": visits.cancelled("bed/requested", "bed/assigned"),
    "A27": visits.cancelled("decision/admit", "expected"),
    "A28": _IDENTITY,
    "A29": _IDENTITY,
    "A30": _IDENTITY,
    "A31": visits.updated_person,
    "A32": visits.cancelled_move,
    "A33": ignored("departing"),
    "A34": _IDENTITY,
    "A35": visits.merged,
    "A36": visits.merged,
    "A37": _IDENTITY,
    "A38": visits.cancelled("expected"),
    "A39": _IDENTITY,
    "A40": _IDENTITY,
    "A41": visits.merged,
    "A42": visits.merged,
    "A43": _IDENTITY,
    "A44": visits.merged,
    "A45": visits.merged,
    "A46": _IDENTITY,
    "A47": _IDENTITY,
    "A48": _IDENTITY,
    "A49": visits.merged,
    "A50": visits.merged,
    "A51": _IDENTITY,
    "A52": _LEAVE,
    "A53": _LEAVE,
    "A54": _NO_MOVE,  # change of doctor
    "A55": _NO_MOVE,
    "A60": _NO_MOVE,  # allergies
    "A61": _NO_MOVE,
    "A62": _NO_MOVE,
    "R01": orders.resulted,
    "O01": orders.ordered,
    "O19": orders.ordered,
    "O21": orders.ordered,
    "O23": orders.ordered,
    "S12": orders.booked,
    "S13": orders.booked,
    "S14": orders.booked,
    "S15": orders.unbooked,
    "S17": orders.unbooked,
    "S26": orders.unbooked,
}
"""THE TABLE. A trigger that is not in it is ignored by the rule `unknown_trigger`, and counted."""

_CANCELLED_BY: dict[str, Rule] = {
    "A01": visits.cancelled_admission,
    "A03": visits.cancelled_exit,
    "A04": visits.cancelled_admission,
    "A05": TRIGGERS["A38"],
    "A14": TRIGGERS["A27"],
    "A15": TRIGGERS["A26"],
    "A16": TRIGGERS["A25"],
}
"""What cancels the movement of a trigger; any other is cancelled as a move."""
_PARTED = ("A01", "A04")
"""Triggers whose movement may tell two events: the arrival and the area."""
_CANCELS = ("A11", "A12", "A13", "A23", "A25", "A26", "A27", "A32", "A38")
_MOVEMENT = "Z99"
"""The French trigger that changes or cancels a movement, whose own trigger is in ZBE-6."""
_SWAPPED = 2
"""Patients that change beds with each other."""
_TYPES = ("ADT", "ORU", "ORM", "OMG", "OML", "OMI", "SIU")


class Hl7:
    """HL7 v2 as a format of messages, set up for one site. Without pseudonyms it can only read what is kept."""

    name = "hl7"

    def __init__(self, settings: Hl7Settings, pseudonyms: Pseudonyms | None = None) -> None:
        self.settings = settings
        self._edge = Hl7Edge(settings, pseudonyms) if pseudonyms else None

    def kept(self, message: bytes) -> Kept:
        """The message as it may touch the disk; never raises, whatever the bytes are."""
        assert self._edge is not None, "a format that keeps messages needs pseudonyms"
        return self._edge.kept(message)

    def read(self, payload: bytes, place: Place) -> Reading:
        """The events of a kept message, a pure function of payload and place; never raises."""
        return parse(payload, place, self.settings)


def parse(payload: bytes, place: Place, settings: Hl7Settings) -> Reading:
    """What became of a kept message: applied, ignored by rule, or rejected with a reason."""
    if payload.startswith(UNREADABLE.encode()):
        return _rejected(_fault_of(payload), place)
    message = split(payload)
    if isinstance(message, Fault):
        return _rejected(message.code, place)
    remarks = {flag for flag in message.first("MSH").repetitions(REMARKS) if flag in CHARSET_FLAGS}
    return _read(message, place, settings, remarks | set(message.flags))


def _fault_of(payload: bytes) -> str:
    code = payload.split(b"|")[1].decode("ascii", "replace") if payload.count(b"|") else ""
    return code if code in FAULTS else "no_msh"


def _read(message: Message, place: Place, settings: Hl7Settings, flags: set[str]) -> Reading:
    """1. Name the trigger. 2. Ask its rule, once for each patient. 3. Take all answers or none."""
    trigger = _trigger(message, settings.source.processing, flags)  # 1
    if isinstance(trigger, Ignored | Refused):
        return _reading([trigger], flags, place)
    if trigger == "A17" and len(message.all("PID")) > _SWAPPED:
        return _rejected("too_many_patients", place, flags)
    parts = list(message.by_patient()) if trigger == "A17" else [message]
    told = [Told(part, place, settings, trigger, flags) for part in parts]
    results = [_answer(each) for each in told] or [Refused("missing_visit")]  # 2
    return _reading(results, flags, place)  # 3


def _reading(results: list[Result], flags: set[str], place: Place) -> Reading:
    for result in results:
        if isinstance(result, Refused):
            return _rejected(result.code, place, flags)
    events = tuple(e for result in results if not isinstance(result, Ignored | Refused) for e in result)
    codes = [result.code for result in results if isinstance(result, Ignored)]
    noted = tuple(sorted(flags))
    if events:
        return Reading(events=events, flags=noted)
    code = codes[0] if codes else "nothing_told"
    return Reading(ignored=code, sentence=f"{IGNORED[code]} ({place.source}@{place.position})", flags=noted)


def _rejected(code: str, place: Place, flags: set[str] | None = None) -> Reading:
    sentence = f"{REASONS[code]} ({place.source}@{place.position})"
    return Reading(rejected=code, sentence=sentence, flags=tuple(sorted(flags or ())))


def _trigger(message: Message, processing: tuple[str, ...], flags: set[str]) -> str | Ignored | Refused:
    """The trigger of MSH-9, which wins over EVN-1; EVN-1 speaks where MSH-9 names no trigger."""
    header, other = message.first("MSH"), message.first("EVN").text(1)
    kind, event = header.text(9, 1), header.text(9, 2)
    if header.text(11) not in ("", *processing):
        return Ignored("not_production")
    if not kind or not (event or other):
        return Refused("missing_trigger")
    if event and other and event != other:
        flags.add("triggers_differ")
    return (event or other) if kind in _TYPES else Ignored("not_read")


def _answer(told: Told) -> Result:
    """What a message tells; if it changes or cancels a movement, what that movement's own trigger makes of it."""
    movement = told.movement
    if movement is None:
        return Refused("missing_movement") if told.trigger == _MOVEMENT else _rule(told.trigger)(told)
    own = movement.trigger if movement.action in ("UPDATE", "CANCEL") or told.trigger == _MOVEMENT else ""
    if told.trigger == _MOVEMENT and not own:
        return Refused("missing_trigger")
    if own and told.trigger not in _CANCELS:
        told = replace(told, trigger=own)
    return _of_movement(told, movement.action)


def _of_movement(told: Told, action: str) -> Result:
    """A movement that was changed into one to a place that we do not hold is one that never happened for us."""
    if action == "CANCEL" and told.trigger not in _CANCELS:
        return _cancelled(told)
    result = _rule(told.trigger)(told)
    if action != "UPDATE" or isinstance(result, Refused):
        return result
    if isinstance(result, Ignored):
        return _cancelled(told) if result.code == "elsewhere" else result
    return visits.without_other_part(told, result) if told.trigger in _PARTED else result


def _cancelled(told: Told) -> Result:
    if told.trigger not in TRIGGERS:
        return Ignored("unknown_trigger")
    return _CANCELLED_BY.get(told.trigger, visits.cancelled_move)(told)


def _rule(trigger: str) -> Rule:
    return TRIGGERS.get(trigger, ignored("unknown_trigger"))
