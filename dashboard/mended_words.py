"""What is said of data that were damaged and are whole again: what, since when, and what could not be kept."""

from __future__ import annotations

from dashboard.words import Reader
from forecast.board import Mended


def mended_sentence(mended: Mended, reader: Reader) -> str:
    """What happened and what is lost, in two sentences."""
    time = reader.moment(mended.found_at)
    if mended.part == "journal":
        return reader.say("The journal was found damaged ({time}) and is whole again, from a backup.", time=time)
    if mended.part == "audit":
        return reader.say("The audit was found damaged ({time}) and was begun anew; what there was is kept.", time=time)
    made = reader.say("The database was found damaged ({time}) and was made anew from the journal.", time=time)
    return f"{made} {_lost(mended, reader)}"


def _lost(mended: Mended, reader: Reader) -> str:
    """Of what the journal does not hold."""
    if mended.kept == "nothing" or (mended.left and mended.kept == "whole"):
        return reader.say("Forecasts, proposals and alarms from before could not all be kept.")
    if mended.kept == "whole":
        return reader.say("Nothing is lost.")
    if mended.kept_until is None:
        return reader.say("The last forecasts, proposals and alarms from before could not be kept.")
    until = reader.moment(mended.kept_until)
    return reader.say("Forecasts, proposals and alarms between {until} and then could not be kept.", until=until)
