"""What every page looks like in every state: one row a page, from which pictures and the matrix of tests are made.

A new page joins by a row in `PAGES`. A row says what the page shows on an ordinary day, of nothing, of too much and of
data that have stopped; `more` has what else is worth a look. The other two states follow: "disconnected" is the
ordinary page whose server has died, "exercise" the ordinary page of a house in which an exercise is held.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import Any, Literal

from dashboard.pages.beside import BESIDE, WALL
from dashboard.settings import Settings
from dashboard.states import ORDER
from forecast.board import Board
from tests import (
    alert_views,
    boards,
    exercise_views,
    feed_views,
    known_views,
    learned_views,
    path_views,
    term_views,
    unit_views,
)
from tests.boards import MADE_AT
from tests.compare_views import COMPARED, ROBUST, robust
from tests.desk_views import EMPTY, FULL, crowded_desk
from tests.floor_views import FLOORS, drilled_floor
from tests.huddle_sheets import VIEWS as HUDDLES
from tests.replay_views import VIEWS as REPLAYS
from tests.supply_views import VIEWS as SUPPLIES
from tests.test_dashboard_checks import VIEW as CHECKED
from tests.test_forecast_report import report
from tests.trust_views import VIEWS as TRUSTS
from tests.validation_views import VIEWS as VALIDATIONS
from tests.whatif_house import VIEW as ASKED
from twin.scenarios import catalogue

State = Literal["ordinary", "empty", "overfull", "stale", "disconnected", "exercise"]
STATES: tuple[State, ...] = ("ordinary", "empty", "overfull", "stale", "disconnected", "exercise")
PHONE = "phone"
"""The telephone's page: plain HTML, not a row of BESIDE; of the board as the wall is."""
SHOW_THE_BOARD = (WALL, PHONE, "data")
"""Pages that show the board beside those that say so themselves."""
REPORT = "report"
"""The page of the last back-test: a file whole in itself, not a row of BESIDE."""
KNOWN = "known"
"""Where people say what is already known: plain HTML as well."""
CALL = "5999"
Make = Callable[[], Any]
"""Makes a view; of the report its value, None where there is none."""


@dataclass(frozen=True)
class Examples:
    """What a page shows in each state."""

    ordinary: Make
    empty: Make
    overfull: Make
    stale: Make
    exercise: Make | None = None
    """In an exercise; None: the ordinary view in that mode."""
    more: Mapping[str, Make] = field(default_factory=dict)
    asks: Mapping[str, str] = field(default_factory=dict)
    """By state what stands in the address, as "s=epidemic_clusters"."""
    cannot: Mapping[State, str] = field(default_factory=dict)
    """States in which the page cannot be, and why."""

    def states(self) -> list[State]:
        """Those in which the page can be."""
        return [state for state in STATES if state not in self.cannot]

    def names(self) -> list[str]:
        """Those, and whatever else is worth a look."""
        return [*self.states(), *self.more]

    def view(self, name: str) -> Any:
        """The view in a state, or one of the others by its name."""
        if name in self.more:
            return self.more[name]()
        if name == "exercise":
            view = (self.exercise or self.ordinary)()
            return view if view.mode == "exercise" else replace(view, mode="exercise")
        makes = {"ordinary": self.ordinary, "empty": self.empty, "overfull": self.overfull, "stale": self.stale}
        return makes.get(name, self.ordinary)()


def old(make: Make) -> Make:
    """The same page, made 52 minutes earlier and not renewed since."""

    def made() -> Any:
        view = make()
        return replace(view, made_at=view.made_at - timedelta(minutes=52))

    return made


def blind() -> Board:
    """The board of a dead feed, with a number to call."""
    return replace(boards.off(), call=CALL)


def crowded_exercise() -> Board:
    """In an exercise: two banners and more alarms than there is room for beside its band."""
    return replace(alert_views.alarmed_more(), call=CALL)


def as_shipped(board: Board, *names: str) -> Board:
    """The board with scenarios of the shipped catalogue in their places, the first of which helps."""
    usual, *views = boards.SCENARIOS
    told = [(view, catalogue()[name]) for view, name in zip(views, names, strict=True)]
    shipped = [
        replace(view, name=one.name, sentence_fr=one.sentence("fr"), sentence_en=one.sentence("en"),
                short_fr=one.short("fr"), short_en=one.short("en"))
        for view, one in told
    ]  # fmt: skip
    return boards.with_scenarios(board, usual, *shipped)


def crowded_helped() -> Board:
    """The least room that there is, for the longest words of the catalogue."""
    return as_shipped(crowded_exercise(), "electives_postponed", "epidemic_clusters", "mass_casualty", "heat_wave")


def _late_wider() -> Board:
    board = boards.late()
    return replace(board, cycle=replace(board.cycle, begins_at=MADE_AT - timedelta(minutes=49)))


def _others(kept: Mapping[str, Make], *shown: str) -> dict[str, Make]:
    return {name: make for name, make in kept.items() if name not in shown}


PAGES: dict[str, Examples] = {
    WALL: Examples(
        boards.ordinary, boards.empty, boards.overfull, lambda: replace(boards.stale(), call=CALL), crowded_exercise,
        more={
            **_others(boards.EXAMPLES, "ordinary", "empty", "overfull", "stale"),
            "late-wider": _late_wider, "off-call": blind, **alert_views.ALARMED,
            "shipped": lambda: as_shipped(boards.ordinary(), *Settings().wall_scenarios[1:]),
            "exercise-helped": crowded_helped,
            "exercise-calm": lambda: replace(boards.ordinary(), mode="exercise"),
            "exercise-full": lambda: replace(boards.overfull(), mode="exercise", alarms=alert_views.alarmed().alarms),
        },
    ),
    "instructor": Examples(
        exercise_views.begun, exercise_views.opened, exercise_views.crowded, old(exercise_views.begun),
        more={"ended": exercise_views.ended},
    ),
    "debrief": Examples(
        exercise_views.begun, exercise_views.opened, exercise_views.crowded, old(exercise_views.begun),
        more={"ended": exercise_views.ended},
    ),
    "alerts": Examples(
        alert_views.ordinary_alerts, alert_views.no_alerts, alert_views.crowded_alerts, alert_views.held_alerts
    ),
    "feeds": Examples(
        feed_views.ordinary_feeds, feed_views.empty_feeds, feed_views.overfull_feeds,
        partial(feed_views.feeds_in, "stale"),
        more={state: partial(feed_views.feeds_in, state) for state in ORDER if state != "stale"},
    ),
    "quarantine": Examples(
        feed_views.ordinary_quarantine, feed_views.quarantine, feed_views.overfull_quarantine,
        old(feed_views.ordinary_quarantine), more=_others(feed_views.QUARANTINES, "ordinary", "empty", "overfull"),
    ),
    "huddle": Examples(HUDDLES["ordinary"], HUDDLES["none"], HUDDLES["wide"], HUDDLES["doubtful"]),
    "supplies": Examples(
        SUPPLIES["ordinary"], SUPPLIES["nothing"], SUPPLIES["lean"], old(SUPPLIES["ordinary"]),
        more=_others(SUPPLIES, "ordinary", "nothing", "lean"),
    ),
    "whatif": Examples(
        lambda: ASKED, lambda: ASKED, lambda: ASKED, old(lambda: ASKED),
        asks={"overfull": "s=epidemic_clusters&v=arrivals%3D150&m=ed_boarders", "empty": "v=dragons%3D2"},
    ),
    "desk": Examples(
        lambda: FULL, lambda: EMPTY, crowded_desk, old(lambda: FULL)
    ),
    "compare": Examples(
        COMPARED["doctors"], COMPARED["nothing"], COMPARED["direction"], old(COMPARED["doctors"]),
    ),
    "robustness": Examples(
        robust, ROBUST["nothing"], lambda: robust("nurses"), old(robust), more={"running": ROBUST["running"]}
    ),
    "trust": Examples(
        TRUSTS["ordinary"], TRUSTS["nothing"], TRUSTS["poor"], old(TRUSTS["ordinary"]),
        more=_others(TRUSTS, "ordinary", "nothing", "poor"),
    ),
    "checks": Examples(
        lambda: CHECKED, lambda: replace(CHECKED, ran_at=None, version=None, checks=()),
        lambda: replace(CHECKED, checks=CHECKED.checks * 6, done=4), old(lambda: CHECKED),
    ),
    "path": Examples(
        path_views.shipped, path_views.not_whole, path_views.cramped, old(path_views.learned),
        more={"learned": path_views.learned},
    ),
    "learned": Examples(
        learned_views.ordinary_learned, learned_views.LEARNED["nothing"], learned_views.kept_learned,
        learned_views.LEARNED["failed"],
        more=_others(learned_views.LEARNED, "ordinary", "nothing", "kept", "failed"),
    ),
    "forecast": Examples(
        unit_views.ordinary_units, unit_views.no_wards, unit_views.full, old(unit_views.ordinary_units),
        more={"quantiles": unit_views.quantiles},
    ),
    "floor": Examples(
        FLOORS["ordinary"], FLOORS["empty"], FLOORS["overfull"], FLOORS["stale"], drilled_floor,
        more=_others(FLOORS, "ordinary", "empty", "overfull", "stale"),
    ),
    "replay": Examples(
        REPLAYS["ordinary"], REPLAYS["empty"], REPLAYS["compared"], REPLAYS["unsaid"],
        more=_others(REPLAYS, "ordinary", "empty", "compared", "unsaid"),
    ),
    "validation": Examples(
        VALIDATIONS["ordinary"], VALIDATIONS["nothing"], VALIDATIONS["poor"], old(VALIDATIONS["ordinary"]),
        more=_others(VALIDATIONS, "ordinary", "nothing", "poor"),
    ),
    "data": Examples(boards.ordinary, boards.empty, boards.overfull, blind),
    "words": Examples(boards.ordinary, boards.empty, boards.overfull, blind),
    "settings": Examples(
        term_views.settings, term_views.shipped, term_views.settings, old(term_views.settings)
    ),
    "about": Examples(term_views.about, term_views.unsaved, term_views.failing, old(term_views.about)),
    PHONE: Examples(
        boards.ordinary, boards.empty, boards.overfull, blind, more={"alarmed": alert_views.alarmed}
    ),
    KNOWN: Examples(
        known_views.busy_page, known_views.silent_page, known_views.crowded_page, known_views.busy_page,
        more={"ambulance": known_views.busy_page, "no_forecast": known_views.unready_page},
        asks={"overfull": "kind=beds_closed", "ambulance": "kind=ambulance"},
        cannot={
            "stale": "what people said is no older for a feed that has stopped",
            "disconnected": "a form without a script: the browser itself says that it was not sent",
            "exercise": "nothing real is said in an exercise",
        },
    ),
    "downtime": Examples(boards.ordinary, boards.empty, boards.overfull, blind),
    REPORT: Examples(
        report, lambda: None, report, lambda: None,
        cannot={
            "overfull": "as long as the period that it tells of",
            "stale": "a report of a past period does not grow old",
            "disconnected": "a file that asks for nothing after it was loaded",
            "exercise": "the report of the house, the same in an exercise",
        },
    ),
}  # fmt: skip


def every_page() -> list[str]:
    """All pages of the house."""
    return [WALL, PHONE, KNOWN, *BESIDE, REPORT]


def lacking() -> list[str]:
    """Pages of the house that have no row here."""
    return [name for name in every_page() if name not in PAGES]
