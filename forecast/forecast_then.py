"""A forecast made afterwards, as it would have been made at an instant: from what was known at it, and nothing else.

It is one issue of a back-test, kept whole: the steps are those of a cycle of the house (`loop.py`), with the archive's
forecasts of before the instant to correct it, as far as they had been verified by then.
"""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import replace

from forecast.analytic import with_count_model
from forecast.archive import Archive
from forecast.backtest import seed_of
from forecast.baselines import fit
from forecast.ensemble import Run
from forecast.issue import Times, issue
from forecast.known_then import KnownThen
from forecast.past import Past, grid_start
from forecast.record import HEADLINES, Record, with_rivals
from forecast.values import Forecast
from twin.scenarios import Scenario
from twin.settled import learnable_from


def forecast_then(known: KnownThen, archive: Archive, as_usual: Scenario, how: Run, executor: Executor) -> Forecast:
    """The forecast of an instant, with its rivals beside it as the archive keeps them.

    1. The history, as known then, and what its rivals say.
    2. What forecasts verified by then teach to correct.
    3. The members, on the executor.
    """
    at, calibration = known.then.at, known.situation.calibration
    history, now = Past(grid_start(at)).at(known.state, known.situation.known, calibration, at)  # 1
    shown = replace(history, measures={m: v for m, v in history.measures.items() if m in HEADLINES})
    seeded = replace(how, seed=seed_of(how.seed, at))
    fitted = fit(shown, lead_min=seeded.lead_min[1:])
    rivals = with_count_model(fitted.ahead(at, now, history), known.situation, at, fitted.lead_min)
    since = learnable_from(known.state)
    recalibration = Record(archive).recalibration(  # 2
        at, calibration.hospital.zone, since=since, known=(known.state, calibration)
    )
    said = issue(  # 3
        known.situation, [as_usual], seeded, Times(at, at, at), recalibration=recalibration, rivals=rivals,
        executor=executor,
    )  # fmt: skip
    return with_rivals(said, rivals)
