"""How effects, limits and breaks are said."""

from __future__ import annotations

from dashboard.words import Reader
from forecast.compare_view import CellView, CriterionView, EffectView, Named

OFTEN, SOMETIMES, RARELY = 0.5, 0.1, 0.01
"""Shares of the members from which on a service breaks often, sometimes and rarely."""
LEVELS = ("never", "rarely", "sometimes", "often")


def name_of(one: Named | CriterionView, reader: Reader) -> str:
    """What something is called."""
    return reader.choice(one.fr, one.en)


def with_unit(text: str, criterion: CriterionView, reader: Reader) -> str:
    """A figure with its unit behind it."""
    unit = reader.choice(criterion.unit_fr, criterion.unit_en)
    return f"{text}\N{NO-BREAK SPACE}{unit}" if unit else text


def digits(value: float) -> int:
    """How many digits after the point a figure has: fewer the larger it is."""
    return 0 if abs(value) >= 20 else 1 if abs(value) >= 1 else 2


def judged(one: EffectView, criterion: CriterionView) -> str:
    """good, bad, unsure, or same where nothing differs in any member."""
    if one.p_same >= 1.0:
        return "same"
    if not one.sure:
        return "unsure"
    return "good" if (one.mean < 0) == (criterion.better == "less") else "bad"


def judged_said(tone: str, reader: Reader) -> str:
    """The same in a word."""
    return {
        "good": reader.say("better"), "bad": reader.say("worse"), "unsure": reader.say("uncertain"),
        "same": reader.say("no change"),
    }[tone]  # fmt: skip


def better_in(one: EffectView, reader: Reader) -> str:
    """In how many members in 100 the scenario is better, and in how many the same."""
    better = reader.number(100 * one.p_better)
    if one.p_same >= 0.05:
        return reader.say("better in {n} runs of 100, the same in {same}", n=better,
                          same=reader.number(100 * one.p_same))  # fmt: skip
    return reader.say("better in {n} runs of 100", n=better)


def level_of(cell: CellView) -> str:
    """How often a service breaks, as a class of the map."""
    return "often" if cell.p_breaks >= OFTEN else "sometimes" if cell.p_breaks >= SOMETIMES else (
        "rarely" if cell.p_breaks >= RARELY else "never"
    )  # fmt: skip


def level_said(level: str, reader: Reader) -> str:
    """A class of the map in words."""
    return {
        "never": reader.say("it holds"), "rarely": reader.say("rarely breaks"),
        "sometimes": reader.say("sometimes breaks"), "often": reader.say("often breaks"),
    }[level]  # fmt: skip


def limit_said(limit: tuple[str, float | None, float], reader: Reader) -> str:
    """When a service counts as broken."""
    kind, value, for_min = limit
    if value is None:
        said = reader.say("more than there are")
    elif kind == "least":
        said = reader.say("fewer than {n}", n=reader.number(value))
    else:
        said = reader.say("more than {n}", n=reader.number(value))
    return reader.say("{limit} for {duration}", limit=said, duration=reader.duration(for_min)) if for_min else said
