"""The report of a back-test as one page of HTML in both languages: no script, nothing from elsewhere, for paper too."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from math import isfinite
from pathlib import Path

from dashboard.report import charts
from dashboard.report.tables import (
    cells_table,
    compare_table,
    measure_table,
    peak_rivals_table,
    peaks_table,
    thresholds_table,
    weekdays_table,
)  # fmt: skip
from dashboard.report.words import day, different
from dashboard.rival_words import kinds, lead, measure_name, rival_name
from dashboard.trust_words import gains_said
from dashboard.words import LANGUAGES, Language, Reader
from forecast.report import MAIN, AtLead, BacktestReport, MeasureReport, WorstDay
from forecast.slices import BLOCK_HOURS, BLOCKS

STYLE = Path(__file__).parent / "assets" / "report.css"
BESIDE = ("ed_boarders", "ed_waiting", "ed_arrivals")
"""Measures one of which is shown beside the census."""
_NAMES = {"fr": "Français", "en": "English"}


def render(report: BacktestReport, language: Language = "fr") -> str:
    """The whole file; the language is that which is shown first."""
    parts = [f'<div class="tongue tongue-{lang}" lang="{lang}">{_page(report, Reader(lang, report.making.zone))}</div>'
             for lang in LANGUAGES]  # fmt: skip
    picks = "".join(f'<input class="pick" type="radio" name="tongue" id="pick-{lang}" aria-label="{_NAMES[lang]}"'
                    f"{' checked' if lang == language else ''}>" for lang in LANGUAGES)  # fmt: skip
    labels = "".join(f'<label for="pick-{lang}">{_NAMES[lang]}</label>' for lang in LANGUAGES)
    return f"""<!DOCTYPE html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>edtwin: {escape(report.making.hospital)}</title>
<style>{STYLE.read_text(encoding="utf-8")}</style>
</head>
<body>
<main>
{picks}
<div class="whole">
<div class="tongues">{labels}</div>
{"".join(parts)}
</div>
</main>
</body>
</html>
"""


def _page(report: BacktestReport, reader: Reader) -> str:
    census = report.of(MAIN)
    parts = [_head(report, reader), _honest(report, reader)]
    if census is None:
        parts.append(_card(reader.say("There is nothing to compare: no forecast met its truth."), []))
    else:
        parts += [
            _tiles(report, census, reader), _skill(report, census, reader), _covered(census, reader),
            _ranks_and_thresholds(report, census, reader), _possible(census, reader), _worst(report, reader),
            _week(report, census, reader), _peaks(report, reader), _all(report, reader),
        ]  # fmt: skip
    return "".join([*parts, _again(report, reader)])


def _head(report: BacktestReport, reader: Reader) -> str:
    plan = report.making.plan
    of = reader.say("How good were the forecasts at {hospital}?", hospital=report.making.hospital)
    when = reader.say(
        "{issues} forecasts from {first} to {last}, one every {every}, each made only from what was known at its time.",
        issues=reader.number(report.making.n_issues), first=reader.moment(plan.first_at),
        last=reader.moment(plan.last_at), every=reader.span(plan.every),
    )  # fmt: skip
    return f"<h1>{escape(of)}</h1><p class='lead'>{escape(when)}</p>"


def _honest(report: BacktestReport, reader: Reader) -> str:
    """What this is, before any figure."""
    if report.making.kind == "fabricated":
        said = reader.say(
            "This hospital does not exist. Its patients were made by a program that is not the twin's own model; the "
            "figures show that the method works, not how good it would be at a real hospital."
        )
    else:
        said = reader.say(
            "These are the site's own data, replayed. A replay is not a trial: nobody acted on these forecasts, and "
            "what they would have changed is not in the data."
        )
    return f'<div class="card note"><p>{escape(said)}</p></div>'


def _tiles(report: BacktestReport, census: MeasureReport, reader: Reader) -> str:
    at = _usual(report, census)
    ahead = lead(at.lead_min, reader)
    low, high = at.scores.bias_ci95
    place = [a.lead_min for a in census.leads].index(at.lead_min)
    held = (float(census.covered_by_lead.low[place]), float(census.covered_by_lead.high[place]))
    best, gain, (gain_low, gain_high) = _best_rival(at)
    tiles = [
        (reader.say("Mean error {ahead} ahead, patients", ahead=ahead), reader.number(at.scores.mae, 1), "",
         reader.say("of {n} present on average", n=reader.number(_present(report), 0))),
        (reader.say("Too high or too low on average"), reader.signed(at.scores.bias, 1),
         _judged(low <= 0.0 <= high, isfinite(low)), _between(low, high, lambda v: reader.signed(v, 1), reader)),
        (reader.say("Truths inside the 80% interval"), reader.percent(at.scores.covered_80),
         _judged(held[0] <= 0.8 <= held[1], isfinite(held[0])), _between(*held, reader.percent, reader)),
        (reader.say("Error saved against the best simple forecast"), _signed_percent(gain, reader),
         "good" if gain_low > 0 else "bad" if gain_high < 0 else "warn",
         f"{rival_name(best, reader)}, {_between(gain_low, gain_high, reader.percent, reader)}" if best else ""),
    ]  # fmt: skip
    told = "".join(
        f'<div class="tile"><div>{escape(name)}</div><div class="big {kind}">{escape(value)}</div>'
        f'<div class="basis">{escape(basis)}</div></div>'
        for name, value, kind, basis in tiles
    )
    return f'<div class="tiles">{told}</div>'


def _skill(report: BacktestReport, census: MeasureReport, reader: Reader) -> str:
    said = reader.say(
        "Error saved against each simple forecast. Above the line the twin was better; a whisker "
        "that does not reach the line is not chance (95 times in 100, whole days drawn anew)."
    )
    names = kinds([name for name in report.rivals if name in census.leads[0].scores.skill])
    legend = _legend([(kind, rival_name(name, reader)) for name, kind in names.items()])
    wins = _wins(census, reader)
    shown = [census, *(one for m in BESIDE if (one := report.of(m)) is not None and one.leads[0].scores.skill)][:2]
    figures = "".join(
        _figure(charts.skill(one.leads, list(names), reader), measure_name(one.measure, reader)) for one in shown
    )
    question = reader.say("Are they better than simple rules?")
    return _card(question, [f"<p>{escape(wins)}</p>", f'<div class="two">{figures}</div>', legend, _basis(said)])


def _wins(census: MeasureReport, reader: Reader) -> str:
    """At how many hours ahead the forecast was better than all, in sentences."""
    gains = {round(at.lead_min): best[2] for at in census.leads if (best := _best_rival(at))[0]}
    return " ".join(gains_said(gains, reader))


def _covered(census: MeasureReport, reader: Reader) -> str:
    ahead = [lead(at.lead_min, reader) for at in census.leads]
    blocks = [f"{b * BLOCK_HOURS}\N{EN DASH}{(b + 1) * BLOCK_HOURS}" for b in range(BLOCKS)]
    left = _figure(charts.covered(census.covered_by_lead, ahead, reader.say("hours ahead"), reader), "")
    right = _figure(charts.covered(census.covered_by_block, blocks, reader.say("hour of the day"), reader), "")
    said = reader.say(
        "Right where the band holds 80%: the bands of all points of a chart hold together 95 times in 100. A truth on "
        "the end of an interval counts by luck, since these are counts."
    )
    cells = _details(reader.say("By hours ahead and hour of the day"), cells_table(census, blocks, reader))
    body = [f'<div class="two">{left}{right}</div>', _basis(said), cells]
    return _card(reader.say("Does the 80% interval hold eight in ten?"), body)


def _ranks_and_thresholds(report: BacktestReport, census: MeasureReport, reader: Reader) -> str:
    flat = _figure(charts.ranks(census.ranks, reader), "")
    said = reader.say(
        "Where the truth lay in the forecast, all hours ahead together. Flat is right; high ends are a forecast too "
        "sure of itself, a high middle one too unsure, a slope one too high or too low."
    )
    left = f"<div><h2>{escape(reader.say('Does the truth lie where it is said to?'))}</h2>{flat}{_basis(said)}</div>"
    right = "".join(
        f"<div><h2>{escape(reader.say('When it says 40%, does it come 4 times in 10?'))}</h2>"
        + _figure(charts.reliability(found, reader), reader.say(
            "More than {n} present, {ahead} ahead; it came in {share} of the hours.", n=reader.number(found.threshold),
            ahead=lead(report.thresholds_lead_min, reader), share=reader.percent(found.came)))
        + "</div>"
        for found in report.thresholds[-1:]
    )  # fmt: skip
    tables = [thresholds_table(report, reader)] if report.thresholds else []
    return _card("", [f'<div class="two">{left}{right}</div>', *tables])


def _possible(census: MeasureReport, reader: Reader) -> str:
    if all(at.floor_mae is None for at in census.leads):
        return ""
    legend = _legend([("ours", reader.say("the twin")), ("rival-1", reader.say("as usual at this hour")),
                      ("floor", reader.say("what chance alone leaves, by rule of thumb"))])  # fmt: skip
    said = reader.say(
        "Even who knew every rate would be wrong by chance: by about 0.8 times the root of the number present. "
        "Crowding makes a real department more predictable or less than this rule: it is a yardstick, not a bound."
    )
    figure = _figure(charts.possible(census.leads, reader), "")
    body = f'<div class="two">{figure}<div>{compare_table(census, reader)}</div></div>'
    return _card(reader.say("How near are they to what is possible?"), [body, legend, _basis(said)])


def _worst(report: BacktestReport, reader: Reader) -> str:
    if not report.worst:
        return ""
    legend = _legend([("came", reader.say("what came")), ("ours", reader.say("forecast, its middle")),
                      ("band-50", reader.say("5 in 10")), ("band-80", reader.say("8 in 10"))])  # fmt: skip
    days = "".join(_worst_day(one, reader) for one in report.worst)
    ahead = lead(report.worst[0].lead_min, reader)
    said = reader.say("For each hour what had been forecast {ahead} before, and what came.", ahead=ahead)
    question = reader.say("What were the worst days, and what was different?")
    return _card(question, [legend, f'<div class="three">{days}</div>', _basis(said)])


def _worst_day(one: WorstDay, reader: Reader) -> str:
    times = one.crps / one.usual_crps if one.usual_crps > 0 else float("nan")
    said = reader.say("Error {times} times the usual; {bias} patients on average.", times=reader.number(times, 1),
                      bias=reader.signed(one.bias, 1))  # fmt: skip
    why = "".join(f"<li>{escape(sentence)}</li>" for sentence in different(one.facts, reader))
    figure = _figure(charts.worst(one, reader), "")
    return f"<div><h3>{escape(day(one.facts.day, reader))}</h3>{figure}<p>{escape(said)}</p><ul>{why}</ul></div>"


def _week(report: BacktestReport, census: MeasureReport, reader: Reader) -> str:
    if report.hours is None:
        return ""
    names = [reader.say("Mon"), reader.say("Tue"), reader.say("Wed"), reader.say("Thu"), reader.say("Fri"),
             reader.say("Sat"), reader.say("Sun")]  # fmt: skip
    figure = _figure(charts.week(report.hours, names, reader), reader.say(
        "Mean error of what had been forecast {ahead} before: brown is too high, blue too low.",
        ahead=lead(report.hours.lead_min, reader)))  # fmt: skip
    body = f'<div class="two">{figure}<div>{weekdays_table(census, names, reader)}</div></div>'
    return _card(reader.say("When in the week are they off?"), [body])


def _peaks(report: BacktestReport, reader: Reader) -> str:
    highest, minutes = report.of("peak:ed_census"), report.of("peak_min:ed_census")
    if highest is None or minutes is None:
        return ""
    said = reader.say(
        "The highest number present between the forecast and so many hours later, and when it came; as simulated, "
        "without recalibration. The paths of a simple forecast are taken to keep their rank from hour to hour."
    )
    tables = [peaks_table(highest, minutes, reader), peak_rivals_table(highest, minutes, reader)]
    return _card(reader.say("Are the peaks right?"), [*tables, _basis(said)])


def _all(report: BacktestReport, reader: Reader) -> str:
    tables = "".join(_details(measure_name(one.measure, reader), measure_table(one, reader)) for one in report.measures)
    return _card(reader.say("All figures"), [tables])


def _again(report: BacktestReport, reader: Reader) -> str:
    making = report.making
    libraries = ", ".join(f"{name} {version}" for name, version in making.versions.items())
    rows = [
        (reader.say("program and libraries"), libraries),
        (reader.say("digest of the code"), making.code), (reader.say("what the log held"), making.log),
        (reader.say("members of each forecast"), reader.number(making.plan.how.members)),
        (reader.say("seed"), str(making.plan.how.seed)),
        (reader.say("parameters learned anew every"), reader.span(making.plan.recalibrate)),
    ]  # fmt: skip
    told = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in rows)
    said = reader.say(
        "With the same data, the same code and the same command every figure comes out the same to the last bit. What "
        "was learned, the rivals and the recalibration used nothing that became known later; the truth is what was "
        "known a week after."
    )
    command = f"<pre><code>{escape(making.command)}</code></pre>"
    return _card(reader.say("How to make it again"), [command, f"<dl>{told}</dl>", _basis(said)])


# --- pieces ----------------------------------------------------------------------------------------------------------


def _usual(report: BacktestReport, census: MeasureReport) -> AtLead:
    return next(at for at in census.leads if at.lead_min == report.thresholds_lead_min)


def _present(report: BacktestReport) -> float:
    """How many are present on average, over the hours of the week."""
    hours = report.hours
    known = [] if hours is None else [float(v) for v in hours.observed if isfinite(v)]
    return sum(known) / len(known) if known else float("nan")


def _best_rival(at: AtLead) -> tuple[str, float, tuple[float, float]]:
    """The rival over which the gain is least, the gain and its interval; no name where there is none."""
    known = {name: gain for name, gain in at.scores.skill.items() if isfinite(gain)}
    if not known:
        return "", float("nan"), (float("nan"), float("nan"))
    best = min(known, key=known.__getitem__)
    return best, known[best], at.scores.skill_ci95[best]


def _judged(fits: bool, known: bool) -> str:
    return "" if not known else "good" if fits else "bad"


def _signed_percent(share: float, reader: Reader) -> str:
    return f"+{reader.percent(share)}" if share > 0 else reader.percent(share)


def _between(low: float, high: float, number: Callable[[float], str], reader: Reader) -> str:
    if not (isfinite(low) and isfinite(high)):
        return reader.say("too few days for an interval")
    return reader.say("between {low} and {high}", low=number(low), high=number(high))


def _card(question: str, body: Sequence[str]) -> str:
    head = f"<h2>{escape(question)}</h2>" if question else ""
    return f'<section class="card">{head}{"".join(body)}</section>'


def _figure(svg: str, caption: str) -> str:
    told = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    return f"<figure>{svg}{told}</figure>"


def _legend(entries: Sequence[tuple[str, str]]) -> str:
    items = "".join(f'<li><i class="{kind}"></i>{escape(words)}</li>' for kind, words in entries)
    return f'<ul class="legend">{items}</ul>'


def _basis(said: str) -> str:
    return f'<p class="basis">{escape(said)}</p>'


def _details(name: str, body: str) -> str:
    return f"<details><summary>{escape(name)}</summary>{body}</details>"
