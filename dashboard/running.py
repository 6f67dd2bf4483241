"""What runs in a house beside its wall: begun in order, and ended so that nobody waits for a simulation."""

from __future__ import annotations

import threading
from functools import partial

from dashboard.api_wiring import ApiHouse
from dashboard.audit.wiring import end
from dashboard.house import House
from dashboard.household import Household
from dashboard.keeper import Keeper
from dashboard.readiness import Readiness
from dashboard.whatif_wiring import WhatIfHouse
from dashboard.works_beside import Work, check_the_model, measure_the_past
from forecast.alert_deliveries import Carrier, Postman
from forecast.alert_mail import MailCarrier
from forecast.alert_webhook import WebhookCarrier

LONGEST_END_S = 10.0
"""How long the end waits for each of them."""


class Running:
    """All of it; `start` it once the port is taken."""

    def __init__(
        self, household: Household, whatif: WhatIfHouse, api: ApiHouse, keeper: Keeper, readiness: Readiness,
        stop: threading.Event,
    ) -> None:  # fmt: skip
        house, backtests = household.house, household.backtests
        self._household, self._whatif, self._api, self._keeper = household, whatif, api, keeper
        self._readiness, self._stop = readiness, stop
        self._postman = Postman(household.desks.alerts, _carriers(house), house.clock, stop)
        self._works = (
            Work("measure the past", partial(measure_the_past, household.loop, house, stop, backtests)),
            Work("check the model", partial(check_the_model, household.checks, stop)),
            Work("keep the database", partial(keeper.keep, readiness, stop)),
        )

    def start(self) -> None:
        """The feeds bring events in; then the loop forecasts, its first turn at once; then all that goes on beside."""
        household = self._household
        for feed in household.feeds:
            feed.start()
        for publisher in household.publishers:
            publisher.start()
        household.loop.start()
        self._postman.start()
        self._whatif.start()
        for work in self._works:
            work.start()
        household.care.start(self._readiness, self._stop)

    def end(self) -> None:
        """Simulation is given up first, so that nobody waits for a cycle; then what goes on beside, feeds, loop."""
        household = self._household
        self._stop.set()
        self._keeper.call()
        household.grids.cancel()
        household.workers.shutdown(wait=False, cancel_futures=True)
        self._whatif.stop()
        self._api.stop()
        for work in self._works:
            work.join(LONGEST_END_S)
        household.care.end(LONGEST_END_S)
        household.grids.join(LONGEST_END_S)
        household.replays.stop(LONGEST_END_S)
        household.backtests.end(LONGEST_END_S)
        household.validation.join(LONGEST_END_S)
        self._postman.join(LONGEST_END_S)
        for publisher in household.publishers:
            publisher.join(LONGEST_END_S)
        for feed in reversed(household.feeds):
            feed.join(LONGEST_END_S)
        household.loop.stop()
        end(household.trail)


def _carriers(house: House) -> dict[str, Carrier]:
    """The way to each recipient of the file of alerts."""
    rules, out = house.rules, dict[str, Carrier]()
    for name, one in rules.recipient.items():
        if one.webhook is not None:
            out[name] = WebhookCarrier(one, house.clock)
        elif rules.mail is not None:
            out[name] = MailCarrier(rules.mail, one)
    return out
