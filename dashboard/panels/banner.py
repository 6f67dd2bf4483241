"""What the reader must know before believing a number; nothing when all is well."""

from __future__ import annotations

from datetime import timedelta

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from dashboard.feed_words import TONES
from dashboard.learned_words import described_sentence
from dashboard.mended_words import mended_sentence
from dashboard.parts import marked
from dashboard.states import forecast_state, is_begun_before
from dashboard.words import Reader
from forecast.board import Board, Feed, FeedState

Line = tuple[str, str]
"""A judgement and its words."""
BLIND: tuple[FeedState, ...] = ("stale", "off")
"""Here people must count by hand: the number to call, and the sheet."""
QUIET_TOLD = timedelta(minutes=5)
MENDED_TOLD = timedelta(hours=24)
"""So long the wall tells of data that were damaged; the page about this house keeps it."""


def panel(board: Board, reader: Reader) -> Component:
    """One line, the feed before the forecast; a failed cycle explains the forecast's age."""
    issued = _forecast(board, reader) or _cycle(board, reader) or _described(board, reader)
    found = [*_journal(board, reader), *_feed(board, reader), *issued]
    blind = board.feed.state in BLIND and board.feed.age is not None
    alerts = [
        dmc.Alert([marked(tone, text), *(_sheet(reader) if blind and i == 0 else [])], className=f"banner {tone}",
                  variant="filled")
        for i, (tone, text) in enumerate(found)
    ]  # fmt: skip
    return html.Div(alerts, className="banners", role="status")


def _journal(board: Board, reader: Reader) -> list[Line]:
    """That nothing is taken in, since the journal ends before what is known, as an older copy of it does; that its disk
    has lost a part of it."""
    missing, scrubbed = board.cycle.missing_records, board.cycle.scrubbed
    found = []
    if missing:
        records = reader.count("{n} record is missing", "{n} records are missing", missing)
        found.append(("bad", reader.say("THE JOURNAL IS BEHIND: {records}; nothing is taken in", records=records)))
    if scrubbed is not None and scrubbed.faults:
        n, seen = len(scrubbed.faults), reader.moment(scrubbed.at)
        files = reader.count("{n} file of the journal is damaged", "{n} files of the journal are damaged", n)
        found.append(("warn", reader.say("{files} (seen {time}): have it looked at", files=files, time=seen)))
    return found


def _feed(board: Board, reader: Reader) -> list[Line]:
    """The state of the feed with its age in words; then what of it cannot be trusted."""
    feed = board.feed
    found = [(tone, text) for tone, text in [_state(board, reader)] if text]
    if feed.skew is not None:
        size = reader.span(abs(feed.skew))
        found.append(("warn", reader.say("CLOCKS APART by {duration}: do not trust times", duration=size)))
    if feed.silent_units and feed.state in ("live", "quiet", "late"):
        silent = reader.count("{n} unit is silent", "{n} units are silent", feed.silent_units)
        found.append(("warn", reader.say("INCOMPLETE: {units}", units=silent)))
    return found


def _state(board: Board, reader: Reader) -> Line:
    feed = board.feed
    if feed.age is None or feed.heard_at is None:
        return "bad", reader.say("NO DATA YET: nothing was ever received")
    ago, at = reader.ago(feed.age), reader.clock(feed.heard_at)
    text = {
        "live": "",
        "quiet": _quiet(feed, reader),
        "late": _late(board, reader),
        "catching_up": _catching_up(feed, reader),
        "inconsistent": reader.say("INCONSISTENT: see the numbers marked “check”"),
        "stale": reader.say("LAST KNOWN {time}, {ago}", time=at, ago=ago),
        "off": reader.say("NO MORE DATA since {time}: downtime procedure", time=at),
    }[feed.state]
    if feed.state in BLIND and board.call is not None:
        text = reader.say("{state}, call {number}", state=text, number=board.call)
    named = text if feed.source is None or not text else f"{text} ({feed.source})"
    return ("news" if feed.state == "quiet" else TONES[feed.state]), named


def _sheet(reader: Reader) -> list[Component]:
    return [html.A(reader.say("Downtime sheet"), href=f"/downtime?lang={reader.language}", className="to-sheet")]


def _quiet(feed: Feed, reader: Reader) -> str:
    """Said only of a silence that lasts: a minute or two is no news."""
    if feed.age is None or feed.age < QUIET_TOLD:
        return ""
    return reader.say("No movement for {duration}, as is usual at this hour", duration=reader.span(feed.age))


def _late(board: Board, reader: Reader) -> str:
    """Why it is late; short where there is more to say, since a banner has one line."""
    feed = board.feed
    age, lag, wider = feed.age or timedelta(0), feed.lag or timedelta(0), is_begun_before(board.cycle)
    if age > feed.limit:
        text = reader.say("LATE FEED: nothing for {duration}; wider forecast", duration=reader.span(age))
        usual = reader.say("LATE FEED: nothing for {duration}, longer than usual", duration=reader.span(age))
    elif feed.is_lagging:
        text = reader.say("LATE FEED: messages take {duration}; wider forecast", duration=reader.span(lag))
        usual = reader.say("LATE FEED: messages are {duration} on the way", duration=reader.span(lag))
    else:
        text = reader.say("LATE FEED: messages come again; wider forecast")
        usual = reader.say("LATE FEED: messages come again")
    return text if wider else usual


def _catching_up(feed: Feed, reader: Reader) -> str:
    waiting = reader.count("{n} message waits", "{n} messages wait", feed.backlog)
    if feed.eta is None:
        return reader.say("CATCHING UP: {waiting}; the counts are provisional", waiting=waiting)
    eta = reader.span(max(feed.eta, timedelta(minutes=1)))
    return reader.say(
        "CATCHING UP: {waiting}, done in about {eta}; the counts are provisional", waiting=waiting, eta=eta
    )


def _forecast(board: Board, reader: Reader) -> list[Line]:
    state, age = forecast_state(board), board.cycle.age
    if board.feed.age is None:
        return []
    if state == "none":
        return [("news", _explained(board, reader.say("The first forecast is being made")))]
    if age is None or state == "fresh":
        return []
    if state == "withheld" or (state == "hidden" and board.feed.state == "stale"):
        return [("bad", reader.say("NO FORECAST: the data are too old"))]
    if state == "old":
        return [("warn", _explained(board, reader.say("OLD FORECAST: issued {ago}", ago=reader.ago(age))))]
    withdrawn = reader.say("FORECAST WITHDRAWN: the last one was issued {ago}", ago=reader.ago(age))
    return [("bad", _explained(board, withdrawn))]


def _described(board: Board, reader: Reader) -> list[Line]:
    """That nothing was learned yet, where a forecast stands that comes from a description."""
    basis = board.cycle.described
    shown = basis is not None and not basis["keeps_path"] and forecast_state(board) == "fresh"
    return [("news", described_sentence(basis, reader))] if basis and shown else []


def _explained(board: Board, text: str) -> str:
    """The text with the last cycle's fault, where it had one."""
    error = board.cycle.last_error
    return text if error is None else f"{text} ({error})"


def _cycle(board: Board, reader: Reader) -> list[Line]:
    error, lost = board.cycle.last_error, board.cycle.cluster_fault
    failed = [] if error is None else [reader.say("The last cycle failed: {error}", error=error)]
    here = [] if lost is None else [reader.say("Simulated on this machine, without the cluster: {error}", error=lost)]
    return [("warn", text) for text in (*failed, *here, *_audit(board, reader), *_mended(board, reader))]


def _audit(board: Board, reader: Reader) -> list[str]:
    since = board.cycle.audit_gap_since
    if since is None:
        return []
    return [reader.say("Who looks and who changes cannot be recorded since {time}.", time=reader.moment(since))]


def _mended(board: Board, reader: Reader) -> list[str]:
    recent = [one for one in board.cycle.mended if board.made_at - one.found_at <= MENDED_TOLD]
    last = {one.part: mended_sentence(one, reader) for one in recent}
    return list(last.values())
