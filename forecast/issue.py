"""One forecast: the situation at its issue time, run as an ensemble, told as quantiles with where they come from."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from importlib.metadata import version
from typing import Any

from forecast.calibrated import Recalibration
from forecast.engines import Agreement, agreement
from forecast.ensemble import Progress, Run, ensemble
from forecast.lever import no_lever
from forecast.situation import Situation
from forecast.values import Forecast, Members, Series, from_now, or_none, series
from twin.described import basis_of
from twin.learned_version import model_version, parameters_hash
from twin.scenarios import Scenario


@dataclass(frozen=True)
class Times:
    """When it is said, of which instant, and from what was known when."""

    issued_at: datetime
    as_of: datetime
    known_at: datetime


def issue(
    situation: Situation,
    scenarios: Sequence[Scenario],
    how: Run,
    times: Times,
    *,
    recalibration: Recalibration | None = None,
    rivals: Mapping[str, Mapping[str, Series]] | None = None,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> Forecast:
    """The forecast of a situation under the scenarios, the first of which the others are compared with.

    What is published is recalibrated, if past forecasts tell how, and weighed with its rivals (rival -> measure -> what
    it says at the leads after 0); what was simulated is kept beside it. A situation
    from before `times.as_of` (by whole steps, else ValueError) is run through to it: what happened since is drawn, and
    the intervals are wider for it. The scenarios begin at `times.as_of`.
    """
    by_past = recalibration or Recalibration()
    behind_min = behind_min_of(situation, how, times)
    longer = replace(how, horizon_min=how.horizon_min + behind_min)
    since = [scenario.delayed(behind_min) for scenario in scenarios]
    alike = agreement(situation, since, longer, executor)
    ran = ensemble(situation, since, longer, executor=executor, progress=progress)
    simulated = {name: from_instant(found, behind_min) for name, found in ran.items()}
    said = {name: {m: from_now(told) for m, told in by.items()} for name, by in (rivals or {}).items()}
    members = by_past.scenarios(simulated, times.as_of, said)
    corrected = by_past.named(how.lead_min, times.as_of, said)
    first = scenarios[0].name
    return Forecast(
        issued_at=times.issued_at,
        as_of=times.as_of,
        known_at=times.known_at,
        lead_min=how.lead_min,
        scenarios={name: _told(m) for name, m in members.items()},
        differences={s.name: _paired(members[s.name], members[first]) for s in scenarios[1:]},
        provenance=provenance(situation, scenarios, how, alike.result(), corrected),
        raw={name: {m: series(of.measures[m]) for m in by_past.measures} for name, of in simulated.items()},
        members=members,
    )


def behind_min_of(situation: Situation, how: Run, times: Times) -> float:
    """How long before the forecast's instant its situation is; raises ValueError where these are no whole steps."""
    behind_min = (times.as_of - situation.as_of).total_seconds() / 60
    if behind_min < 0 or behind_min % how.step_min:
        raise ValueError(
            f"a situation must be of the forecast's instant or whole steps of {how.step_min:g} min before it, "
            f"but is {behind_min:g} min before"
        )
    return behind_min


def from_instant(members: Members, behind_min: float) -> Members:
    """The members from an instant after their situation on, which is lead 0."""
    ahead = members.lead_min >= behind_min
    return Members(members.lead_min[ahead] - behind_min, {m: v[ahead] for m, v in members.measures.items()})


def provenance(
    situation: Situation, scenarios: Sequence[Scenario], how: Run, engines: Agreement, corrected: Mapping[str, Any]
) -> dict[str, Any]:
    """What is needed to make the forecast again: state, parameters, luck, versions, settings; and what ran it."""
    c = situation.calibration
    return {
        "state_hash": situation.state_hash,
        "complete_until": situation.as_of.isoformat(),
        "calibrated_as_of": c.as_of.isoformat(),
        "parameters_hash": parameters_hash(c.parameters),
        "model_version": model_version(c.parameters),
        "path": c.path.name,
        "hospital": c.hospital.name,
        "learned_days": c.report["days"],
        "described": basis_of(c),
        "inapplicable": {s.name: why for s in scenarios if (why := no_lever(situation, s))},
        "run": asdict(how),
        "engines": asdict(engines),
        "recalibration": dict(corrected),
        "versions": {"edtwin": version("edtwin"), "simpy": version("simpy"), "python": platform.python_version()},
    }


def _told(members: Members) -> dict[str, Series]:
    return {name: series(values) for name, values in members.measures.items()}


def _paired(members: Members, first: Members) -> dict[str, Series]:
    """Member by member on the same luck: the difference has far less noise than two forecasts apart."""
    return {name: series(values - first.measures[name]) for name, values in members.measures.items()}


def as_json(forecast: Forecast) -> dict[str, Any]:
    """The forecast as the command prints it; what does not exist is null."""
    return {
        "issued_at": forecast.issued_at.isoformat(),
        "as_of": forecast.as_of.isoformat(),
        "known_at": forecast.known_at.isoformat(),
        "scenarios": {
            name: {
                m: {
                    "lead_min": _numbers(forecast.lead_min),
                    **series_json(s),
                    "raw_quantiles": series_json(forecast.raw.get(name, {}).get(m, s))["quantiles"],
                }
                for m, s in measures.items()
            }
            for name, measures in forecast.scenarios.items()
        },
        "differences": {
            name: {m: series_json(s) for m, s in measures.items()} for name, measures in forecast.differences.items()
        },
        "provenance": dict(forecast.provenance),
    }


def series_json(told: Series) -> dict[str, Any]:
    """Mean and quantiles by level; what does not exist is null."""
    quantiles = {f"{level:g}": _numbers(values) for level, values in told.quantiles.items()}
    return {"mean": _numbers(told.mean), "quantiles": quantiles}


def _numbers(values: Any) -> list[float | None]:
    return [or_none(value, 4) for value in values]
