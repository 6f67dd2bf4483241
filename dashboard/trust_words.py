"""How it is said what a forecast is made of, and where it was no better than simple rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import isfinite

from dashboard.words import Reader
from forecast.board import Skill
from forecast.trust_view import LeadTrust, MeasureTrust

NEARLY, MOSTLY, HALF = 0.9, 0.6, 0.4
"""Shares of the simulation from which on it is nearly all, most, and half of a forecast."""

TOLD = 0.8
"""How often the 80 % interval is to hold."""


def made_of(share: float, reader: Reader) -> str:
    """A share of the simulation in words: "half simulation, half what usually happens"."""
    if share >= NEARLY:
        return reader.say("nearly all simulation")
    if share >= MOSTLY:
        return reader.say("mostly simulation, partly what usually happens")
    if share > HALF:
        return reader.say("half simulation, half what usually happens")
    if share > 1.0 - NEARLY:
        return reader.say("mostly what usually happens, partly simulation")
    return reader.say("nearly all what usually happens")


def least_gain(skill: Skill) -> float | None:
    """The gain over the best of the simple rules; None where there is none to compare with."""
    known = [gain for gain in skill.skill.values() if isfinite(gain)]
    return min(known) if known else None


def worse(skill: Skill) -> bool:
    """Whether a simple rule was the better forecast at this lead."""
    gain = least_gain(skill)
    return gain is not None and gain < 0


def leads_said(leads: Iterable[int], reader: Reader) -> str:
    """Leads in a row: "+1 h, +2 h"."""
    return ", ".join(reader.lead(lead) for lead in leads)


# --- sentences of the page of trust -----------------------------------------------------------------------------------


def better_said(found: MeasureTrust, reader: Reader) -> list[str]:
    """At which leads the forecast was clearly better than every simple rule, at which clearly worse than one."""
    return gains_said({at.lead_min: best[1] for at in found.leads if (best := at.best_rival) is not None}, reader)


def gains_said(gains: Mapping[int, tuple[float, float]], reader: Reader) -> list[str]:
    """The same, from the interval of the gain over the best rule at each lead in minutes."""
    if not gains:
        return [reader.say("There is no simple rule to compare with.")]
    clear = [at for at, (low, _) in gains.items() if low > 0]
    lost = [at for at, (_, high) in gains.items() if high < 0]
    open_ = [at for at, (low, high) in gains.items() if not (low > 0 or high < 0)]
    said = []
    if clear:
        said.append(reader.say("Yes, clearly better than every simple rule: {leads}.", leads=leads_said(clear, reader)))
    if lost:
        said.append(reader.say("No, a simple rule was clearly better: {leads}.", leads=leads_said(lost, reader)))
    if open_:
        leads = leads_said(open_, reader)
        said.append(reader.say("Too close to the best simple rule to tell: {leads}.", leads=leads))
    return said


def covered_said(found: MeasureTrust, reader: Reader) -> list[str]:
    """At which leads the 80 % interval holds what it says, is too narrow, too wide."""
    fits: list[LeadTrust] = []
    narrow: list[LeadTrust] = []
    wide: list[LeadTrust] = []
    for at in found.leads:
        low, high = at.covered_band
        (narrow if high < TOLD else wide if low > TOLD else fits).append(at)
    said = []
    if fits:
        said.append(reader.say("Yes, as far as can be told: {leads}.", leads=_leads(fits, reader)))
    if narrow:
        said.append(reader.say("Fewer do, the forecast is too sure of itself: {leads}.", leads=_leads(narrow, reader)))
    if wide:
        said.append(reader.say("More do, the interval is wider than need be: {leads}.", leads=_leads(wide, reader)))
    return said


def bias_said(found: MeasureTrust, reader: Reader) -> list[str]:
    """At which leads forecasts were too high or too low on average, by more than chance."""
    high = [at for at in found.leads if at.bias_ci95[0] > 0]
    low = [at for at in found.leads if at.bias_ci95[1] < 0]
    if not high and not low:
        return [reader.say("Neither, as far as can be told.")]
    said = []
    if high:
        said.append(reader.say("Too high: {leads}.", leads=_with_bias(high, reader)))
    if low:
        said.append(reader.say("Too low: {leads}.", leads=_with_bias(low, reader)))
    return said


def made_said(found: MeasureTrust, shares: Mapping[int, float], reader: Reader) -> list[str]:
    """What is published now is made of, leads of the same words together."""
    by_words: dict[str, list[LeadTrust]] = {}
    for at in found.leads:
        by_words.setdefault(made_of(shares.get(at.lead_min, 1.0), reader), []).append(at)
    return [reader.say("{leads}: {made}.", leads=_leads(at, reader), made=made) for made, at in by_words.items()]


def _leads(found: Iterable[LeadTrust], reader: Reader) -> str:
    return leads_said((at.lead_min for at in found), reader)


def _with_bias(found: Iterable[LeadTrust], reader: Reader) -> str:
    return ", ".join(f"{reader.lead(at.lead_min)} ({reader.signed(at.bias, 1)})" for at in found)
