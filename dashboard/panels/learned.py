"""What the twin has learned of the hospital, what it left out, what it cannot know, and whether that can be trusted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dash import html
from dash.development.base_component import Component

from dashboard.data_ways import data_ways
from dashboard.learned_words import (
    UNITS,
    change_name,
    check_words,
    class_name,
    described_notes,
    described_sentence,
    excluded_words,
    field_words,
    gaps,
    path_name,
    start_sentence,
    unit_name,
    verdict_sentence,
    weekdays,
)
from dashboard.parts import absent, bar, card, marked, table
from dashboard.terms import label
from dashboard.tidy import Tidy, line
from dashboard.words import UNKNOWN, Reader
from forecast.pages import LearnedView
from forecast.units import AN_HOUR

TONES = {"good": "good", "doubtful": "warn", "bad": "bad"}
SHADES = 8
CHANGES_SHOWN = 10
SPANS = ("to_contact", "care", "boarding", "stay")

Report = Mapping[str, Any]


def panel(view: LearnedView, reader: Reader) -> Component:
    """A card for each part of the account; before anything was learned, a card that says so."""
    if view.report is None:
        text = reader.say("Nothing has been learned yet.")
        told = [*_described(view, reader), *_fault(view, reader)]
        return html.Section([html.Div([absent(text), *told], className="card")], className="learned")
    report = view.report
    parts = [
        _head(view, report, reader),
        _arrivals(report, reader),
        _times(report, reader),
        _wards(report, reader),
        _checks(report, reader),
        _classes(report, reader),
        _left_out(report, reader),
        _changes(view, reader),
    ]
    return html.Section(parts, className="learned")


def _head(view: LearnedView, report: Report, reader: Reader) -> Component:
    learned = reader.say(
        "Learned {at} in {seconds} s from {days} days ({visits} visits); next at {next}",
        at=reader.moment(view.learned_at) if view.learned_at else UNKNOWN, seconds=reader.number(view.seconds, 1),
        days=reader.number(report["days"]), visits=reader.number(report["visits"]), next=reader.clock(view.next_at),
    )  # fmt: skip
    year = reader.say(
        "What is seldom, stays in wards, holidays and the season: from {days} days ({visits} visits)",
        days=reader.number(report["year_days"]), visits=reader.number(report["year_visits"]),
    )  # fmt: skip
    verdict = html.P(marked(TONES[report["verdict"]], verdict_sentence(report["verdict"], reader)), className="verdict")
    model = reader.say("Model {version}, {path}", version=report["version"],
                       path=path_name(str(report["path"]), reader))  # fmt: skip
    start = [start_sentence(view.at_start, reader)] if view.at_start else []
    notes = [html.P(text, className="source-said") for text in (learned, *start, year, model)]
    told = [*_described(view, reader), *_fault(view, reader)]
    return card("learned-head", reader.say("Can what was learned be trusted?"), verdict, *told, *notes)


def _described(view: LearnedView, reader: Reader) -> list[Component]:
    """What serves instead of what was learned, or beside it."""
    if view.described is None:
        return []
    said = html.P(marked("news", described_sentence(view.described, reader)))
    if view.report is not None:
        return [said]
    return [said, *(html.P(note, className="source-said") for note in described_notes(view.described, reader))]


def _fault(view: LearnedView, reader: Reader) -> list[Component]:
    if view.fault is None:
        return []
    text = reader.say("Nothing could be learned the last time, and what was known before is used: {fault}",
                      fault=view.fault)  # fmt: skip
    return [html.P(marked("bad", text))]


def _arrivals(report: Report, reader: Reader) -> Component:
    said = reader.say(
        "{n} a day at present; a day differs by {cv} from what is expected of it",
        n=reader.number(report["arrivals_per_day"]), cv=reader.percent(report["day_cv"]),
    )  # fmt: skip
    rates = report["arrivals_per_hour"]
    rows = [
        html.Tr([html.Th(day, scope="row"), *(_shade(x, max(rates), reader) for x in rates[24 * k : 24 * k + 24])])
        for k, day in enumerate(weekdays(reader))
    ]
    hours = html.Tr([html.Td(), *(html.Th(str(h), scope="col") if h % 6 == 0 else html.Td() for h in range(24))])
    heat = html.Table([html.Thead(hours), html.Tbody(rows)], className="heat")
    scale = reader.say("From {least} (faintest) to {most} (strongest) arrivals an hour",
                       least=reader.number(min(rates), 1), most=reader.number(max(rates), 1))  # fmt: skip
    notes = [html.P(text, className="source-said") for text in (scale, *_calendar(report["calendar"], reader))]
    question = reader.say("When do people come?")
    return card("learned-arrivals", question, html.P(said, className="sentence"), heat, *notes,
                data_ways("learned", "arrivals", reader))  # fmt: skip


def arrivals_data(view: LearnedView) -> Tidy:
    """The figures of the week's colours: arrivals an hour, from Monday 0 h on."""
    rates = view.report["arrivals_per_hour"] if view.report else []
    return Tidy("hour_of_week", tuple(line("arrivals", [float(h) for h in range(len(rates))], rates, AN_HOUR)))


def classes_data(view: LearnedView) -> Tidy:
    """The figures of the bars of those who come."""
    rows = _coming(view.report) if view.report else []
    points = line("patients", [row["class"] for row in rows], [row["share"] for row in rows], "share")
    return Tidy("class_name", tuple(points))


def _coming(report: Report) -> list[Report]:
    return [row for row in report["classes"] if row["share"] > 0]


def _shade(rate: float, most: float, reader: Reader) -> Component:
    shade = min(int(SHADES * rate / most), SHADES - 1) if most > 0 else 0
    return html.Td("", title=reader.number(rate, 1), className=f"shade-{shade}")


def _calendar(calendar: Report, reader: Reader) -> list[str]:
    place = calendar["holidays_of"]
    told = reader.say("Public holidays ({place}): arrivals times {factor} on most", place=place,
                      factor=reader.number(calendar["other_holidays"], 2))  # fmt: skip
    season = reader.say("Season: up to {swing} above and below the mean; trend {trend} a year",
                        swing=reader.percent(calendar["season_swing"]),
                        trend=reader.percent(calendar["trend_a_year"]))  # fmt: skip
    school = reader.say("School holidays (zone {zone}): arrivals times {factor}, in summer times {summer}",
                        zone=calendar.get("school_zone", ""), factor=reader.number(calendar.get("school_break"), 2),
                        summer=reader.number(calendar.get("summer_break"), 2))  # fmt: skip
    schools = [school] if calendar.get("school_zone") else []
    seasons = [season] if calendar["season_swing"] or calendar["trend_a_year"] else []
    outside = [_outside(one, reader) for one in calendar.get("outside", ())]
    return [*([told] if place else []), *schools, *seasons, *outside]


def _outside(one: Report, reader: Reader) -> str:
    """A series from outside: whether it is used, and why not."""
    gain = UNKNOWN if one["gain"] is None else reader.percent(one["gain"])
    return {
        "used": lambda: reader.say(
            "{name}: used. One standard deviation above the usual of late makes {share} of arrivals more or less; on "
            "weeks it had not seen it saved {gain} of the squared error.",
            name=one["name"], share=reader.percent(one["slope"]), gain=gain,
        ),
        "not_shown": lambda: reader.say(
            "{name}: not used. On weeks it had not seen it did not tell arrivals better ({gain} of the squared error).",
            name=one["name"], gain=gain,
        ),
        "too_short": lambda: reader.say(
            "{name}: not used yet, {n} days of it stand beside arrivals and 140 are needed.",
            name=one["name"], n=reader.number(one["days"]),
        ),
        "stale": lambda: reader.say("{name}: not used now, its last values are more than 14 days old.",
                                    name=one["name"]),
        "unreadable": lambda: reader.say("{name}: not used, {fault}", name=one["name"], fault=one["fault"]),
    }[one["status"]]()  # fmt: skip


def _times(report: Report, reader: Reader) -> Component:
    by_class: dict[str, dict[str, Report]] = {}
    for row in report["durations"]:
        by_class.setdefault(row["class"], {})[row["what"]] = row
    head = [label("class", reader.say("Class"), reader), label("wait", reader.say("Wait for a doctor"), reader),
            label("care", reader.say("Care"), reader), label("boarders", reader.say("Wait for a bed"), reader),
            label("stay", reader.say("Whole stay"), reader)]  # fmt: skip
    rows = [
        [class_name(group, reader), *(_minutes(spans.get(span), reader) for span in SPANS)]
        for group, spans in by_class.items()
    ]
    note = html.P(reader.say("Median, and from the tenth to the ninetieth in a hundred"), className="source-said")
    return card("learned-times", reader.say("How long do things last?"), table(head, rows, "learned-table"), note)


def _minutes(row: Report | None, reader: Reader) -> Any:
    if row is None:
        return UNKNOWN
    between = f"{reader.duration(row['p10'])}–{reader.duration(row['p90'])}"
    return [html.Span(reader.duration(row["p50"]), className="strong"), html.Span(between, className="interval")]


def _wards(report: Report, reader: Reader) -> Component:
    question = reader.say("How do the wards take in and let go?")
    if not report["wards"]:
        return card("learned-wards", question, absent(reader.say("no ward in the data received")))
    head = [reader.say("Ward"), reader.say("Beds"),
            label("held_beds", reader.say("of which held back"), reader), reader.say("Stays that ended"),
            reader.say("Days of stay"), reader.say("Most leave at")]  # fmt: skip
    rows = [_ward(report, ward, reader) for ward in report["wards"]]
    return card("learned-wards", question, table(head, rows, "learned-table"))


def _ward(report: Report, ward: Report, reader: Reader) -> list[Any]:
    days, leaves = ward["stay_days"], ward["leaves_by_hour"]
    stay: Any = UNKNOWN
    if days is not None:
        between = f"{reader.number(days['p10'], 1)}–{reader.number(days['p90'], 1)}"
        stay = [html.Span(reader.number(days["p50"], 1), className="strong"), html.Span(between, className="interval")]
    hour = f"{leaves.index(max(leaves))} h" if leaves and ward["ended_stays"] else UNKNOWN
    counts = (reader.number(ward[name]) for name in ("beds", "held_back", "ended_stays"))
    return [unit_name(report, ward["ward"], reader), *counts, stay, hour]


def _classes(report: Report, reader: Reader) -> Component:
    rows = [
        [class_name(row["class"], reader), reader.percent(row["share"]), bar(100 * row["share"])]
        for row in _coming(report)
    ]  # fmt: skip
    head = [label("class", reader.say("Class"), reader), reader.say("Share"), ""]
    ways = data_ways("learned", "classes", reader)
    return card("learned-classes", reader.say("Who comes?"), table(head, rows, "learned-table"), ways)


def _checks(report: Report, reader: Reader) -> Component:
    rows = [
        [marked(TONES[c["verdict"]], check_words(report, c, reader)), *_figures(c, reader), reader.number(c["n"])]
        for c in report["checks"]
    ]
    head = [reader.say("Check"), reader.say("Seen"), reader.say("Expected"), reader.say("of how many")]
    note = reader.say("Census: the mean number present against arrivals an hour times the mean stay (Little's law)")
    question = reader.say("Does it agree with itself?")
    return card("learned-checks", question, table(head, rows, "learned-table"), html.P(note, className="source-said"))


def _figures(check: Report, reader: Reader) -> tuple[str, str]:
    if check["check"] == "little":
        return reader.number(check["seen"], 1), reader.number(check["expected"], 1)
    return reader.percent(check["seen"]), reader.percent(check["expected"])


def _left_out(report: Report, reader: Reader) -> Component:
    rows = [[excluded_words(reason, reader), reader.number(n)] for reason, n in report["excluded"].items()]
    unknown = gaps(report, reader)
    told = [html.Li(text) for text in unknown] or [html.Li(reader.say("Nothing that the model needs is missing."))]
    shares = report["recorded_share"].items()
    fields = ", ".join(f"{field_words(name, reader)} {reader.percent(share)}" for name, share in shares)
    return card(
        "learned-left-out", reader.say("What was left out, and what is not known?"),
        table([reader.say("Left out"), reader.say("Visits")], rows, "learned-table"), html.Ul(told),
        html.P(reader.say("Recorded: {fields}", fields=fields), className="source-said"),
    )  # fmt: skip


def _changes(view: LearnedView, reader: Reader) -> Component:
    question = reader.say("What has changed since the last time?")
    if view.changed_since is None:
        return card("learned-changes", question, absent(reader.say("It is the first time.")))
    if not view.changes:
        return card("learned-changes", question, absent(reader.say("Nothing that can be seen.")))
    report = view.report or {}
    rows = [_change(report, change, reader) for change in view.changes[:CHANGES_SHOWN]]
    since = reader.say("Against {at}", at=reader.moment(view.changed_since))
    head = [reader.say("Figure"), reader.say("before"), reader.say("now")]
    return card("learned-changes", question, table(head, rows, "learned-table"), html.P(since, className="source-said"))


def _change(report: Report, change: Report, reader: Reader) -> list[Any]:
    kind = change["what"].partition(":")[0]
    digits = UNITS.get(kind, 2)
    figures = (reader.number(change[at], digits) for at in ("before", "now"))
    return [change_name(report, change["what"], reader), *figures]
