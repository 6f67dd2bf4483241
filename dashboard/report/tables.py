"""The report's tables."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from math import isfinite

from dashboard.rival_words import RIVALS, lead, rival_name
from dashboard.words import UNKNOWN, Reader
from forecast.report import AtLead, BacktestReport, MeasureReport

Rows = tuple[list[str], list[list[str]]]
"""The head of a table and its rows."""


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table that can be moved sideways where the page is narrow."""
    top = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="scroll" tabindex="0"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'


def measure_table(found: MeasureReport, reader: Reader) -> str:
    """Every score of a measure by hours ahead."""
    return table(*measure_rows(found, reader))


def measure_rows(found: MeasureReport, reader: Reader) -> Rows:
    """The head and the rows of the same."""
    rows = [
        (reader.say("forecasts that met their truth"), [reader.number(at.scores.n) for at in found.leads]),
        (reader.say("mean absolute error"), [reader.number(at.scores.mae, 2) for at in found.leads]),
        (reader.say("mean error, with its interval"), [_with_ends(at, reader) for at in found.leads]),
        (reader.say("distance of the whole forecast (crps)"), [reader.number(at.scores.crps, 3) for at in found.leads]),
        (reader.say("share of the simulation in it"),
         [_percent(at.scores.weight_of_simulation, reader) for at in found.leads]),
        (reader.say("crps of the simulation, as it was"), [reader.number(at.scores.raw_crps, 3) for at in found.leads]),
        *[(reader.say("inside the {n}% interval, ends included", n=percent),
           [reader.percent(at.scores.coverage[percent]) for at in found.leads]) for percent in (50, 80, 95)],
        (reader.say("inside the 80% interval, ends by luck"),
         [reader.percent(at.scores.covered_80) for at in found.leads]),
        (reader.say("width of the 80% interval"), [reader.number(at.scores.width_80, 1) for at in found.leads]),
    ]  # fmt: skip
    for name in _rivals(found):
        against = reader.say("error saved against “{rival}”", rival=rival_name(name, reader))
        rows.append((against, [_share(at, name, reader) for at in found.leads]))
    for level in found.leads[0].scores.pinball:
        percent = reader.number(100 * level, 1)
        said = reader.say("pinball loss of the {level}% quantile; truths below it, less {level}%", level=percent)
        rows.append((said, [_quantile(at, level, reader) for at in found.leads]))
    return ["", *(lead(at.lead_min, reader) for at in found.leads)], [[name, *cells] for name, cells in rows]


def cells_table(found: MeasureReport, blocks: Sequence[str], reader: Reader) -> str:
    """The share inside the 80 % interval by hours ahead and hour of the day."""
    return table(*cells_rows(found, blocks, reader))


def cells_rows(found: MeasureReport, blocks: Sequence[str], reader: Reader) -> Rows:
    """The head and the rows of the same."""
    rows = [
        [lead(at.lead_min, reader), *(reader.percent(share) if isfinite(share) else UNKNOWN for share in cells)]
        for at, cells in zip(found.leads, found.covered_cells, strict=True)
    ]
    return [reader.say("hours ahead"), *blocks], rows


def compare_table(found: MeasureReport, reader: Reader) -> str:
    """The mean error, the usual hour's, what chance leaves, and the share of what can be had."""
    rows = [
        [
            lead(at.lead_min, reader), reader.number(at.scores.mae, 2),
            reader.number(at.scores.rival_mae.get("climatology"), 2), reader.number(at.floor_mae, 2),
            reader.percent(at.attained) if at.attained is not None and isfinite(at.attained) else UNKNOWN,
        ]
        for at in found.leads
    ]  # fmt: skip
    head = [reader.say("hours ahead"), reader.say("the twin"), reader.say("as usual"), reader.say("chance alone"),
            reader.say("share had of what can be had")]  # fmt: skip
    return table(head, rows)


def thresholds_table(report: BacktestReport, reader: Reader) -> str:
    """How good the probabilities to exceed were."""
    names = [name for name in RIVALS if any(name in t.skill for t in report.thresholds)]
    rows = [
        [
            reader.say("more than {n}", n=reader.number(t.threshold)), reader.percent(t.came),
            reader.number(t.brier, 3), *(_gain(t.skill.get(n), t.skill_ci95.get(n), reader) for n in names),
            reader.number(t.crps_above, 3),
        ]
        for t in report.thresholds
    ]  # fmt: skip
    against = [reader.say("saved against “{rival}”", rival=rival_name(name, reader)) for name in names]
    head = [reader.say("patients present"), reader.say("it came"), reader.say("Brier score"), *against,
            reader.say("the same, above it only")]  # fmt: skip
    return table(head, rows)


def weekdays_table(found: MeasureReport, names: Sequence[str], reader: Reader) -> str:
    """Scores by day of the week, all hours ahead together."""
    rows = [
        [name, reader.number(one.mae, 2), reader.signed(one.bias, 2), reader.percent(one.covered_80)]
        for name, one in zip(names, found.weekdays, strict=True)
        if one is not None
    ]
    head = [reader.say("day, all hours ahead"), reader.say("mean absolute error"), reader.say("mean error"),
            reader.say("inside 80%")]  # fmt: skip
    return table(head, rows)


def peaks_table(highest: MeasureReport, minutes: MeasureReport, reader: Reader) -> str:
    """The peak's height and time by hours ahead."""
    rows = [
        [
            lead(at.lead_min, reader), reader.number(at.scores.mae, 1), _with_ends(at, reader),
            reader.percent(at.scores.covered_80), reader.number(at.scores.crps, 2),
            reader.duration(when.scores.mae), reader.percent(when.scores.coverage[80]),
        ]
        for at, when in zip(highest.leads, minutes.leads, strict=True)
    ]  # fmt: skip
    head = [
        reader.say("within"), reader.say("mean absolute error"), reader.say("mean error"), reader.say("inside 80%"),
        reader.say("distance of the whole forecast (crps)"), reader.say("its time off by"),
        reader.say("time inside 80%"),
    ]  # fmt: skip
    return table(head, rows)


def peak_rivals_table(highest: MeasureReport, minutes: MeasureReport, reader: Reader) -> str:
    """What the forecast of a peak saved against those of simple rules, in height and in time."""
    names = _rivals(highest)
    rows = [
        [lead(at.lead_min, reader), *(_share(one, name, reader) for one in (at, when) for name in names)]
        for at, when in zip(highest.leads, minutes.leads, strict=True)
    ]
    against = [reader.say("height, saved against “{rival}”", rival=rival_name(name, reader)) for name in names]
    against += [reader.say("time, saved against “{rival}”", rival=rival_name(name, reader)) for name in names]
    return table([reader.say("within"), *against], rows)


def _quantile(at: AtLead, level: float, reader: Reader) -> str:
    loss, off = at.scores.pinball[level], at.scores.quantile_bias[level]
    return f"{reader.number(loss, 3)}; {reader.signed(100 * off, 1)}"


def _rivals(found: MeasureReport) -> list[str]:
    """Those that had something to say of the measure."""
    said = dict.fromkeys(name for at in found.leads for name, gain in at.scores.skill.items() if isfinite(gain))
    return [name for name in RIVALS if name in said] + [name for name in said if name not in RIVALS]


def _percent(share: float, reader: Reader) -> str:
    return reader.percent(share) if isfinite(share) else UNKNOWN


def _with_ends(at: AtLead, reader: Reader) -> str:
    low, high = at.scores.bias_ci95
    ends = f" ({reader.signed(low, 1)} .. {reader.signed(high, 1)})" if isfinite(low) and isfinite(high) else ""
    return f"{reader.signed(at.scores.bias, 2)}{ends}"


def _share(at: AtLead, name: str, reader: Reader) -> str:
    return _gain(at.scores.skill.get(name), at.scores.skill_ci95.get(name), reader)


def _gain(gain: float | None, ends: tuple[float, float] | None, reader: Reader) -> str:
    if gain is None or not isfinite(gain):
        return UNKNOWN
    told = f"+{reader.percent(gain)}" if gain > 0 else reader.percent(gain)
    if ends is None or not isfinite(ends[0]):
        return told
    return f"{told} ({reader.percent(ends[0])} .. {reader.percent(ends[1])})"
