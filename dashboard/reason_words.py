"""Why messages wait in the quarantine, and how that is mended, in words that a nurse understands."""

from __future__ import annotations

from typing import Literal

from dashboard.words import Reader
from forecast.pages import ReasonView

Mend = Literal["mapping", "sender", "time", "visit", "broken", "ours"]
"""Who mends it, and how."""

MENDS: dict[str, Mend] = {
    "unknown_value": "mapping", "unknown_activity": "mapping", "unknown_location": "mapping",
    "unknown_class": "mapping", "unknown_code": "mapping", "unknown_kind": "mapping", "missing_unit": "mapping",
    "missing_bed": "mapping",
    "impossible_date": "time", "impossible_time": "time", "missing_time": "time", "missing_arrival": "time",
    "imprecise_time": "time", "in_future": "time", "before_arrival": "time", "stay_over_limit": "time",
    "missing_visit": "visit", "missing_key": "visit", "missing_movement": "visit", "too_many_patients": "visit",
    "contradictory": "visit",
    "missing_trigger": "sender", "missing_field": "sender", "unknown_field": "sender", "unknown_version": "sender",
    "reader_failed": "ours",
}  # fmt: skip
"""Code to who mends it; all others are broken messages."""


def reason_words(code: str, reader: Reader) -> str:
    """What is wrong, in a sentence; a code without words of its own is a message that cannot be read."""
    return {
        "unknown_value": reader.say("It uses a word that we do not know yet."),
        "unknown_activity": reader.say("It tells of an activity that we do not know yet."),
        "unknown_location": reader.say("It names a place that we do not know yet."),
        "unknown_class": reader.say("It names a place that we do not know yet."),
        "unknown_code": reader.say("It uses a code that we do not know."),
        "unknown_kind": reader.say("It tells of something that we do not follow."),
        "missing_unit": reader.say("It tells of a move and does not say to which unit."),
        "missing_bed": reader.say("It tells of a bed and does not say which."),
        "impossible_date": reader.say("It has a date or a time that does not exist."),
        "impossible_time": reader.say("It has a date or a time that does not exist."),
        "missing_time": reader.say("It does not say when it happened."),
        "missing_arrival": reader.say("It does not say when the patient arrived."),
        "imprecise_time": reader.say("It gives a day without an hour."),
        "in_future": reader.say("It tells of something that has not happened yet."),
        "before_arrival": reader.say("It tells of something from before the patient's arrival."),
        "stay_over_limit": reader.say("The stay is longer than is possible."),
        "missing_visit": reader.say("It does not say of which visit it is."),
        "missing_key": reader.say("It does not say of which visit it is."),
        "missing_movement": reader.say("It changes a movement and does not say which."),
        "too_many_patients": reader.say("It is about more patients than it may be."),
        "contradictory": reader.say("It says otherwise than an earlier line about the same visit."),
        "missing_trigger": reader.say("It does not say what happened."),
        "missing_field": reader.say("Something that it must say is missing."),
        "unknown_field": reader.say("It says more than this kind of message may."),
        "unknown_version": reader.say("It is of a version that we do not read."),
        "reader_failed": reader.say("Our own program failed on it."),
        "too_large": reader.say("It is too long to be taken."),
        "message_too_long": reader.say("It is too long to be taken."),
        "frame_too_long": reader.say("It is too long to be taken."),
    }.get(code, reader.say("It is damaged or not in the agreed form."))


def reason_name(code: str, reader: Reader) -> str:
    """What is wrong in a few words, for a line that has room for no sentence."""
    return {
        "mapping": reader.say("words unknown to the mapping"),
        "time": reader.say("impossible or missing times"),
        "visit": reader.say("no or contradictory visit"),
        "sender": reader.say("not as agreed with the sender"),
        "broken": reader.say("damaged messages"),
        "ours": reader.say("our own program failed"),
    }[MENDS.get(code, "broken")]


def doubt_words(code: str, reader: Reader) -> str:
    """What is doubtful about messages that were taken all the same, in a sentence."""
    unmapped = reader.say("They use a word that the mapping does not know; they were taken without it.")
    return {
        "control_id_reused": reader.say("They bear the number of another message that says something else; both were "
                                        "kept. Ask the sender which is right."),
        "unmapped_unit": reader.say("They name a unit that the mapping does not know; it is shown by its code."),
        "unmapped_test": reader.say("They name a test that the mapping does not know; it is kept by its code."),
        "triggers_differ": reader.say("Their header tells of another event than their content; the header counts."),
        "ambiguous_time": reader.say("Their time is in the hour that autumn repeats; the first was taken."),
        "missing_time": reader.say("Their time is in the hour that spring skips; it was moved an hour on."),
        "day_only": reader.say("They give a day without an hour; midnight was taken."),
        "odd_time": reader.say("One of their times cannot be read; it was left out."),
        "odd_birth_date": reader.say("Their birth date cannot be; the age is unknown."),
        "charset_fallback": reader.say("Their letters are not in the set that they name; some may be wrong."),
        "unknown_charset": reader.say("Their letters are not in the set that they name; some may be wrong."),
    }.get(code, unmapped if code.startswith("unmapped_") else reader.say("Something of them is doubtful."))  # fmt: skip


def mend_words(view: ReasonView, reader: Reader) -> str:
    """What to do about it."""
    return {
        "mapping": reader.say("Add the word to the mapping of {source}, then read the messages again:",
                              source=view.source),
        "time": reader.say("Have the time corrected where it was typed; the corrected message comes by itself."),
        "visit": reader.say("Have the record corrected where it was made; the corrected message comes by itself."),
        "sender": reader.say("Tell the maker of the sending software which rule is broken; then read again:"),
        "broken": reader.say("No mapping can mend it: tell whoever runs the sending software, with the places below."),
        "ours": reader.say("Report it to the makers of edtwin; after an update read the messages again:"),
    }[MENDS.get(view.reason, "broken")]  # fmt: skip


def command(view: ReasonView, reader: Reader) -> str | None:
    """The command that reads them again, where one may help; rows of a file are read with their file."""
    if MENDS.get(view.reason, "broken") not in ("mapping", "sender", "ours"):
        return None
    if is_of_a_file(view):
        return reader.say("edtwin ingest, with the same file")
    return f"edtwin retry-rejected --reason {view.reason}"


def is_of_a_file(view: ReasonView) -> bool:
    """Whether it was a row of an extract, which is found again by its file and its row."""
    return any(":row " in place for place in view.places)
