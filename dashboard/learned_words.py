"""What was learned, in words: classes, checks, fields, reasons, and the names of figures that changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dashboard.words import Reader
from forecast.pages import AtStart

UNITS = {"arrivals_per_day": 1, "stay_min": 0, "stay_days": 2, "beds": 0, "share": 3, "day_cv": 3,
         "doctor_caseload": 0, "doctor_slot_min": 0, "bed_turnaround_min": 0}  # fmt: skip
"""Digits after the point of a figure, by its kind."""


def verdict_sentence(verdict: str, reader: Reader) -> str:
    """The whole in one sentence."""
    return {
        "good": reader.say("Yes: what was learned agrees with itself, and the data are complete."),
        "doubtful": reader.say("With care: some of it rests on data that are incomplete, or on few."),
        "bad": reader.say("No: what was learned does not agree with what was seen. Look at the checks below."),
    }[verdict]


def described_sentence(basis: Mapping[str, Any], reader: Reader) -> str:
    """Where a forecast comes from on a path that nobody learned: whose description it is, and how much is learned."""
    if basis["keeps_path"]:
        return reader.say("Forecast on the path of the site's file; arrivals, classes and stays in wards are learned")
    days, needed = reader.number(basis["days"]), reader.number(basis["needed"])
    if basis["source"] == "site":
        return reader.say(
            "Forecast from the site's own description: nothing learned yet ({days} of {needed} days)",
            days=days, needed=needed,
        )  # fmt: skip
    return reader.say(
        "Forecast from the shipped description: nothing learned yet ({days} of {needed} days)",
        days=days, needed=needed,
    )  # fmt: skip


def described_notes(basis: Mapping[str, Any], reader: Reader) -> list[str]:
    """What follows from it: what is believed instead, and when that ends."""
    whose = {
        "site": reader.say("Path, staff, times and shares: as the site's file says; what it leaves out, as shipped."),
        "shipped": reader.say("Path, staff, times and shares: as shipped; the site has no file of its own."),
    }
    level = reader.say("Arrivals follow the log: {level} times what is described.",
                       level=reader.number(basis["level"], 2))  # fmt: skip
    until = reader.say("A day counts once it is over for 48 hours. Tried again every hour.")
    return [whose[basis["source"]], *([level] if basis["level"] is not None else []), until]


def start_sentence(at_start: AtStart, reader: Reader) -> str:
    """What a house that was started made of what had been learned before."""
    return {
        "kept": reader.say("Kept since before the house was last started: learning anew would give the same."),
        "code": reader.say("Learned anew at the start: before, it was by other code or libraries."),
        "machine": reader.say("Learned anew at the start: before, it was on another kind of machine."),
        "hospital": reader.say("Learned anew at the start: the hospital's file or settings had changed."),
        "outside": reader.say("Learned anew at the start: the series from outside had changed."),
        "log": reader.say("Learned anew at the start: earlier events had been corrected, added or removed."),
        "damaged": reader.say("Learned anew at the start: what had been kept was damaged."),
    }[at_start]


def weekdays(reader: Reader) -> tuple[str, ...]:
    """Monday first, short."""
    return (
        reader.say("Mon"), reader.say("Tue"), reader.say("Wed"), reader.say("Thu"), reader.say("Fri"),
        reader.say("Sat"), reader.say("Sun"),
    )  # fmt: skip


def class_name(label: str, reader: Reader) -> str:
    """A class of patients: its triage level and age."""
    if label == "all":
        return reader.say("all")
    acuity, _, age = label.partition(" ")
    level = reader.say("triage not known") if acuity == "?" else reader.say("triage {level}", level=acuity)
    years = reader.say("75 and over") if age == "75+" else reader.say("under 75")
    return f"{level}, {years}"


def check_words(report: Mapping[str, Any], check: Mapping[str, Any], reader: Reader) -> str:
    """What was looked at."""
    what = str(check["what"])
    if check["check"] == "little":
        zone = reader.say("department") if what == "department" else unit_name(report, what, reader)
        return reader.say("Census of {zone}", zone=zone)
    if check["check"] == "implausible":
        zone = reader.say("department") if what == "department" else reader.say("wards")
        return reader.say("Implausible stays: {zone}", zone=zone)
    return reader.say("Recorded: {fields}", fields=field_words(what, reader))


def unit_name(report: Mapping[str, Any], unit: str, reader: Reader) -> str:
    """A unit as its readers call it."""
    return str(report.get("names", {}).get(unit, {}).get(reader.language, unit))


def field_words(field: str, reader: Reader) -> str:
    """A field of the log."""
    return {
        "triage": reader.say("triage"),
        "acuity": reader.say("triage level"),
        "first contact": reader.say("first contact"),
        "decision to admit": reader.say("decision to admit"),
        "exit": reader.say("exit"),
        "destination": reader.say("destination"),
        "ward": reader.say("ward wanted"),
        "exit from ward": reader.say("exit from the ward"),
    }.get(field, field)


def excluded_words(reason: str, reader: Reader) -> str:
    """Why visits were left out."""
    return {
        "not yet settled (48 h)": reader.say("came less than 48 hours ago: how they end is not known yet"),
        "before the learned period": reader.say("came before the period that is learned from"),
        "exit before arrival": reader.say("left before they came"),
        "steps out of order": reader.say("steps out of order: only the time between them is left out"),
    }.get(reason, reason)


def gaps(report: Mapping[str, Any], reader: Reader) -> list[str]:
    """What could not be known, and what that means."""
    found = []
    if report["path"] == "stay":
        found.append(reader.say("Waiting, decisions and boarding are not recorded: only whole stays are simulated."))
    if supposed := report["doctors_supposed"]:
        hours = [count for day in supposed for count in day]
        found.append(reader.say("Doctors on duty are not told: as many are supposed, {fewest} to {most} by the hour, "
                                "as see patients while many wait. A scenario about doctors alone has no lever.",
                                fewest=min(hours), most=max(hours)))  # fmt: skip
    elif not report["doctors_known"]:
        found.append(reader.say("Doctors on duty are not told: the wait for one is a learned time, not a queue."))
    unknown = [unit_name(report, ward["ward"], reader) for ward in report["wards"] if ward["beds"] is None]
    if unknown:
        found.append(reader.say("Beds of {wards} are not told: nobody queues for them.", wards=", ".join(unknown)))
    return found


def change_name(report: Mapping[str, Any], what: str, reader: Reader) -> str:
    """The name of a figure that changed."""
    kind, _, of = what.partition(":")
    of = unit_name(report, of, reader)
    names = {
        "arrivals_per_day": reader.say("arrivals a day"),
        "day_cv": reader.say("how much days differ"),
        "bed_turnaround_min": reader.say("minutes between two patients of a bed"),
        "doctor_caseload": reader.say("patients that a doctor looks after at once"),
        "doctor_slot_min": reader.say("minutes of a doctor for a patient"),
        "stay_min": reader.say("minutes in the department ({of})", of=of),
        "share": reader.say("share {of}", of=of),
        "stay_days": reader.say("days of stay, {of}", of=of),
        "beds": reader.say("beds, {of}", of=of),
    }
    return names.get(kind, what)


def path_name(path: str, reader: Reader) -> str:
    """Which path the twin walks, by the name it has in the code."""
    names = {
        "full": reader.say("full path"),
        "milestones": reader.say("path by milestones"),
        "stay": reader.say("length of stay only"),
        "own": reader.say("path of the site's own"),
    }
    return names.get(path, path)
