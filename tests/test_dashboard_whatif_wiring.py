"""The process of what-if begins once the first forecast is out, and not for a house that ends before."""

from __future__ import annotations

import threading
from typing import Any

from dashboard.whatif_wiring import WhatIfHouse


class Told:
    """Stands for what-if and for its process; says what was asked of it."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.begun = threading.Event()

    def start(self) -> None:
        self.told.append("start")

    def begin(self) -> None:
        self.told.append("begin")
        self.begun.set()

    def stop(self, _timeout_s: float) -> None:
        self.told.append("stop")

    def shutdown(self, **_how: Any) -> None:
        self.told.append("shutdown")


def house(told: Told, out: threading.Event) -> WhatIfHouse:
    whatif: Any = told
    return WhatIfHouse(whatif, whatif, whatif, out.is_set)


def test_its_process_begins_once_the_first_forecast_is_out() -> None:
    told, out = Told(), threading.Event()
    house(told, out).start()
    assert not told.begun.wait(0.7)
    out.set()
    assert told.begun.wait(10)
    assert told.told == ["start", "begin"]


def test_a_house_that_ends_before_has_none() -> None:
    told, out = Told(), threading.Event()
    made = house(told, out)
    made.start()
    made.stop()
    out.set()
    assert not told.begun.wait(0.7)
    assert told.told == ["start", "shutdown", "stop"]
