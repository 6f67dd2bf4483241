"""How every source does, whether its silence is normal, and what to do where it is not."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from dash import html
from dash.development.base_component import Component

from dashboard.data_ways import data_ways
from dashboard.feed_words import TONES, advice, kind_name, source_name, state_name, state_sentence
from dashboard.parts import Content, absent, card, facts, heading, marked, table
from dashboard.terms import label
from dashboard.tidy import Tidy, line
from dashboard.words import NBSP, UNKNOWN, Reader
from forecast.pages import FeedsView, Hour, Published, SilentPart, SourceView, Tally
from ingest.clock import local

SILENT_SHOWN = 6
MESSAGES = "messages/h"
TALLY_NAMES = ("read", "stored", "duplicate", "ignored", "rejected")


def panel(view: FeedsView, reader: Reader) -> Component:
    """A card a source, the worst first; below, what was read of sources that do not run now."""
    if not view.sources and view.published is None:
        return html.Section(absent(reader.say("no source is set up")), className="sources")
    worst_first = sorted(view.sources, key=lambda source: -_rank(source))
    cards = [_card(source, reader) for source in worst_first]
    below = [*_published(view.published, reader), *_files(view, reader)]
    return html.Section([*cards, *below], className=f"sources of-{max(1, min(len(cards), 3))}")


def _rank(source: SourceView) -> int:
    return list(TONES).index(source.state)


def _card(source: SourceView, reader: Reader) -> Component:
    tone = TONES[source.state]
    head = html.Div(
        [
            heading(source_name(source, reader)),
            marked(tone, state_name(source.state, reader), "state"),
        ],
        className=f"source-head {tone}",
    )
    said = html.Div(state_sentence(source, reader), className="source-said")
    what = html.Div(advice(source, reader), className="source-advice")
    parts = [head, said, what, *_silence(source, reader), _facts(source, reader), _account(source.tally, reader)]
    return html.Div(parts, className=f"card source {source.state}")


# --- is this silence normal? ----------------------------------------------------------------------------------------


def _silence(source: SourceView, reader: Reader) -> list[Component]:
    """The last 24 hours: a bar for what came, a line for what is usual; the last bar is an hour that is not over."""
    if not source.hours:
        return []
    question = html.Div(
        [
            html.Span(reader.say("Is this silence normal?"), className="plot-question"),
            html.Span(_rate(source, reader), className="plot-answer"),
        ],
        className="plot-head",
    )
    top = max([1.0, *(float(hour.count) for hour in source.hours), *(hour.usual or 0.0 for hour in source.hours)])
    last = len(source.hours) - 1
    bars = [_bar(hour, top, reader, is_last=i == last) for i, hour in enumerate(source.hours)]
    return [
        question,
        html.Div([html.Span(reader.number(top), className="plot-top"), *bars], className="plot"),
        _key(source, reader),
        data_ways("feeds", "messages", reader, part=source.name),
    ]


def messages_data(source: SourceView) -> Tidy:
    """The figures of the bars: what came in each hour, the last not over, and what is usual."""
    at = [hour.at for hour in source.hours]
    came = line("came", at, [float(hour.count) for hour in source.hours], MESSAGES)
    return Tidy("time", (*came, *line("usual", at, [hour.usual for hour in source.hours], MESSAGES)))


def _bar(hour: Hour, top: float, reader: Reader, *, is_last: bool) -> Component:
    there = local(hour.at, reader.zone)
    drawn = [html.I(className="came", style={"height": f"{100 * hour.count / top:.1f}%"})]
    if hour.usual is not None:
        drawn.append(html.I(className="usual-line", style={"bottom": f"{100 * hour.usual / top:.1f}%"}))
    name = "slot-hour unfinished" if is_last else "slot-hour"
    word = [html.Span(reader.clock(hour.at), className="tick")] if there.hour % 6 == 0 else []
    return html.Div([html.Div(drawn, className="column"), *word], className=name, title=_told(hour, reader))


def _told(hour: Hour, reader: Reader) -> str:
    came = reader.count("{n} message", "{n} messages", hour.count)
    return f"{reader.clock(hour.at)} : {came}"


def _rate(source: SourceView, reader: Reader) -> str:
    if source.rate_now is None:
        return UNKNOWN
    now = reader.count("{n} message in the last hour", "{n} messages in the last hour", source.rate_now)
    if source.usual_now is None:
        return reader.say("{now}; what is usual is not yet learned", now=now)
    return reader.say("{now}, usually {n} at this hour", now=now, n=reader.number(source.usual_now))


def _key(source: SourceView, reader: Reader) -> Component:
    entries = [("came-key", reader.say("messages an hour")), ("usual-key", reader.say("usual at that hour"))]
    if source.usual_now is None:
        entries = entries[:1]
    limit = reader.say("a silence of up to {duration} is no surprise now", duration=_span(source.limit, reader))
    spans = [html.Span([html.I(className=f"swatch {name}"), text]) for name, text in entries]
    return html.Div([*spans, html.Span(limit)], className="key")


# --- facts ----------------------------------------------------------------------------------------------------------


def _facts(source: SourceView, reader: Reader) -> Component:
    found: list[tuple[Content, Content]] = [
        (label("feed", reader.say("Last message"), reader), _last(source, reader)),
        (label("delay", reader.say("Delay on the way"), reader), _lag(source.lag, reader)),
        (label("clock", reader.say("Clock of the source"), reader), _skew(source, reader)),
        (label("backlog", reader.say("Waiting to be read"), reader), _backlog(source, reader)),
        (label("silent", reader.say("Silent units and kinds"), reader), _silent(source.silent, reader)),
    ]
    if source.connections is not None:
        found.insert(1, (label("feed", reader.say("Connections"), reader), reader.number(source.connections)))
    return facts(found)


def _last(source: SourceView, reader: Reader) -> str:
    if source.age is None or source.heard_at is None:
        return reader.say("never yet")
    return f"{reader.ago(source.age)} ({reader.clock(source.heard_at)})"


def _lag(lag: timedelta | None, reader: Reader) -> str:
    if lag is None:
        return reader.say("too few messages to tell")
    return reader.say("19 of 20 come within {duration}", duration=_span(lag, reader))


def _skew(source: SourceView, reader: Reader) -> Content:
    if source.skew is None:
        return reader.say("too few messages to tell")
    size = _span(abs(source.skew), reader)
    ahead = source.skew > timedelta(0)
    text = reader.say("{duration} ahead of ours", duration=size)
    if not ahead:
        text = reader.say("right, or at most {duration} behind", duration=size)
    return marked("warn", text) if source.is_skew_warned else text


def _backlog(source: SourceView, reader: Reader) -> str:
    text = reader.number(source.backlog)
    if source.eta is None:
        return text
    return reader.say("{n}, done in {duration}", n=text, duration=_span(source.eta, reader))


def _silent(silent: Sequence[SilentPart], reader: Reader) -> Content:
    if not silent:
        return reader.say("none")
    named = [f"{_part_name(part, reader)} ({_span(part.age, reader)})" for part in silent[:SILENT_SHOWN]]
    more = ["…"] if len(silent) > SILENT_SHOWN else []
    return marked("warn", ", ".join([*named, *more]))


def _part_name(part: SilentPart, reader: Reader) -> str:
    if part.what == "kind":
        return kind_name(part.name, reader)
    return reader.choice(part.name_fr, part.name_en)


def _span(span: timedelta, reader: Reader) -> str:
    seconds = span.total_seconds()
    if seconds < 60:
        return f"{reader.number(seconds)}{NBSP}s"
    return reader.span(span)


# --- the account ----------------------------------------------------------------------------------------------------


def tally_names(reader: Reader) -> dict[str, str]:
    """The parts of an account in words."""
    return {
        "read": reader.say("read"),
        "stored": reader.say("kept"),
        "duplicate": reader.say("known already"),
        "ignored": reader.say("ignored by a rule"),
        "rejected": reader.say("rejected"),
    }


def _account(tally: Tally, reader: Reader) -> Component:
    names, signs = tally_names(reader), {"stored": "=", "duplicate": "+", "ignored": "+", "rejected": "+"}
    cells = []
    for name in TALLY_NAMES:
        number: Content = reader.number(getattr(tally, name))
        if name == "rejected" and tally.rejected:
            number = html.A(number, href=f"/quarantine?lang={reader.language}", className="to-quarantine")
        sign = [html.Span(signs[name], className="sign")] if name in signs else []
        cells.append(html.Span([*sign, html.B(number), html.Small(names[name])], className=f"sum {name}"))
    return html.Div(cells, className="account")


def _published(told: Published | None, reader: Reader) -> list[Component]:
    """What becomes of our own forecasts, for those who read them from the topic."""
    if told is None:
        return []
    last = reader.say("never yet") if told.last_at is None else reader.moment(told.last_at)
    counts = [
        (reader.say("published"), reader.number(told.published)),
        (reader.say("not taken"), _marked_if(told.failed, reader)),
        (reader.say("left out, a newer one was ready"), reader.number(told.overtaken)),
        (reader.say("Last one published"), last),
    ]
    fault = reader.say("The last one was not taken ({error}); the next one is tried.", error=told.last_error or "")
    said = [] if told.last_error is None else [html.Div(marked("warn", fault), className="source-said")]
    question = reader.say("Do our forecasts go out (topic {name})?", name=told.topic)
    return [card("files published", question, *said, facts(counts))]


def _marked_if(count: int, reader: Reader) -> Content:
    return marked("warn", reader.number(count)) if count else reader.number(count)


def _files(view: FeedsView, reader: Reader) -> list[Component]:
    if not view.files:
        return []
    head = [reader.say("Source"), *(label("quarantine", name, reader) for name in tally_names(reader).values())]
    rows = [
        [name, *(reader.number(getattr(tally, part)) for part in TALLY_NAMES)] for name, tally in view.files
    ]  # fmt: skip
    question = reader.say("What came by files and by sources that do not run now?")
    return [card("files", question, table(head, rows, "files-table"))]
