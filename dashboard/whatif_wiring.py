"""What-if wired for a running house: its own process, the moments of its log, its catalogue and what was saved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from dashboard.house import COMPILED, House, scenario_catalogue
from forecast.loop import Loop
from forecast.own_scenarios import OwnScenarios
from forecast.whatif_ask import Asking, Desk
from forecast.whatif_moments import AFTER_THE_FIRST, Moments, PastGrounds
from forecast.whatif_queue import WhatIf
from forecast.whatif_view import WhatIfView
from forecast.workers import Workers
from twin.calibrate import Calibration, calibrate
from twin.described import believed
from twin.kernel import warm
from twin.learned_days import Days
from twin.scenarios import Scenario
from twin.state import State

LONGEST_END_S = 5.0
"""How long the end waits for the chunk that runs."""


@dataclass(frozen=True)
class WhatIfHouse:
    """What-if as a house has it: start it, ask it through `asking`, stop it."""

    asking: Asking
    whatif: WhatIf
    child: Workers

    def start(self) -> None:
        """Begin."""
        self.whatif.start()

    def stop(self) -> None:
        """End, with the process."""
        self.child.shutdown(wait=False, cancel_futures=True)
        self.whatif.stop(LONGEST_END_S)


def whatif_of(house: House, loop: Loop, desk: Desk | None = None) -> WhatIfHouse:
    """What-if of a house whose loop makes the forecasts; its one process is apart from those of the cycles."""
    child = Workers(1, prepare=partial(warm, house.settings.data / COMPILED))
    catalogue: Mapping[str, Scenario] = scenario_catalogue(house.settings)
    usual = house.scenarios()[0]
    past = PastGrounds(house.log, house.archive, house.hospital.zone, usual, house.run(), partial(_learned, house))
    whatif = WhatIf(child, lambda: loop.ground, Moments(past))
    own = OwnScenarios(house.database, house.clock)
    asking = Asking(
        whatif, lambda: loop.ground, lambda: catalogue, own=own, desk=desk, first_at=partial(_first_at, house)
    )
    return WhatIfHouse(asking, whatif, child)


def view_of(house: House, mode: str) -> WhatIfView:
    """The head of the page, at this minute."""
    minute = house.clock.now().replace(second=0, microsecond=0)
    return WhatIfView(minute, house.hospital.zone, house.hospital.name, mode)


def _learned(house: House, state: State, at: datetime) -> Calibration:
    before = Days(house.log).before(at)
    learn = partial(calibrate, state, house.hospital, at, before=before, own_beds=house.own_hospital)
    return believed(house.site, state, at, learn)


def _first_at(house: House) -> datetime | None:
    span = house.log.span()
    return None if span is None else span.first_occurred_at + AFTER_THE_FIRST
