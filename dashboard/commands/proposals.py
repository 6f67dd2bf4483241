"""The proposals of the desk: as they stand, or every row of their log."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from dashboard.commands.said import say
from dashboard.commands.typed import settings_of
from dashboard.house import House, names_of, open_house, require_data
from forecast.change_words import changes_said
from forecast.desk import Desk
from forecast.proposals import Proposal


def add_options(command: argparse.ArgumentParser) -> None:
    """The options of `edtwin proposals`."""
    command.add_argument("--log", action="store_true", help="every row: who proposed, said and decided what, and when")


def run(options: argparse.Namespace) -> None:
    """Print them; names stand in the log only, or where a proposal is decided or signed."""
    settings = require_data(settings_of(options))
    with open_house(settings) as house:
        desk = Desk(
            house.database, house.clock, names_of(settings), horizon_min=house.run().horizon_min,
            zone=house.hospital.zone,
        )  # fmt: skip
        if options.log:
            told = desk.exported()
            say(
                options,
                {"rows": told},
                lambda: "\n".join(f"{row['noted_at']} {row['proposal']} {row['what']}" for row in told),
            )
            return
        there = list(desk.proposals.values())
        lines = [line for one in there for line in _lines(one, house)]
        say(
            options,
            {"proposals": [_plain(one) for one in there]},
            lambda: "\n".join(lines) or "nothing was proposed yet",
        )


def _lines(one: Proposal, house: House) -> Iterator[str]:
    at = one.decision.at if one.decision else one.proposed_at
    yield f"{one.name} ({one.state}): {one.words}"
    yield from (f"  {english}" for _, english in changes_said(one.scenario, house.hospital, house.supplies, at))
    if one.decision is not None:
        yield f"  {one.decision.what} by {one.decision.who}: {one.decision.reason}"
    for effect in one.effects:
        low, middle, high = effect.effect
        yield f"  {effect.measure}: {middle:+.1f} ({low:+.1f} to {high:+.1f})"


def _plain(one: Proposal) -> dict[str, object]:
    shows = one.shows_names or one.signed
    return {
        "name": one.name, "proposed_at": one.proposed_at.isoformat(), "state": one.state, "words": one.words,
        "author": one.author if shows else None, "change": one.scenario.changes, "varies": one.varies,
        "supporters": len(one.supporters),
        "comments": [
            {"at": c.at.isoformat(), "who": c.who if one.shows_names else None, "words": c.words} for c in one.comments
        ],
        "decision": None if one.decision is None else {
            "what": one.decision.what, "at": one.decision.at.isoformat(), "who": one.decision.who,
            "reason": one.decision.reason,
            "until": one.decision.until.isoformat() if one.decision.until else None,
        },
        "effects": [
            {"measure": e.measure, "observed": e.observed, "effect": list(e.effect), "foreseen": list(e.foreseen)}
            for e in one.effects
        ],
    }  # fmt: skip
