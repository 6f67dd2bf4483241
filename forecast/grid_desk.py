"""The grid that a page asks for: run beside the forecasts when somebody says so, at low priority, shown as it comes."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qs

import numpy as np

from forecast.compare_view import (
    CellView,
    CrisisView,
    MovedView,
    MoverView,
    Named,
    RobustnessView,
)
from forecast.comparisons import Source, criterion_view
from forecast.designs import USUAL, Design, made, survey
from forecast.ensemble import Run
from forecast.grid_store import Grid, GridStore
from forecast.grids import run_grid, work_of
from forecast.lever import no_lever
from forecast.outcome_runs import fault_of
from forecast.outcomes import BREAKS
from forecast.robustness import Row, robustness
from forecast.sensitivity import Sensitivity, sensitivity
from forecast.services import EACH, THERE
from forecast.situation import Situation
from forecast.study import Study
from forecast.supplies_further import Furthers
from forecast.values import Array
from ingest.clock import Clock
from ingest.errors import EdtwinError
from twin.scenarios import pick

logger = logging.getLogger(__name__)

COMBINATIONS, MEMBERS = 500, 200
MOVERS, PAIRS = 3, 8
"""What is told of each criterion, and of several scenarios at once."""
_LONGEST = 600


@dataclass(frozen=True, eq=False)
class _Shown:
    """A grid as it was last summed up."""

    grid: Grid
    found: Mapping[str, Array]
    pages: dict[str, RobustnessView] = field(default_factory=dict)
    """By point of view, as made so far."""


class GridDesk:
    """Runs one grid at a time and shows the last. `workers` makes what runs it, which ends with it."""

    def __init__(
        self, study: Study, store: GridStore, source: Source, clock: Clock, how: Run, *, mode: str,
        workers: Callable[[], Executor], combinations: int = COMBINATIONS, members: int = MEMBERS,
        further: Furthers = lambda _: (),
    ) -> None:  # fmt: skip
        """`further` is what else is known at a situation, such as supplies."""
        self._further = further
        self._study, self._store, self._source, self._clock, self._mode = study, store, source, clock, mode
        self._how, self._workers, self._combinations = replace(how, members=members), workers, combinations
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self._done: int | None = None
        self._cancelled = False
        self._fault: str | None = None
        self._shown: _Shown | None = None
        self._looked = False
        self._changed_at = clock.now()

    def start(self) -> bool:
        """Begin a grid from the latest present; False where one runs, or there is no present yet."""
        with self._lock:
            situation = self._source()
            if self._done is not None or situation is None:
                return False
            self._done, self._cancelled, self._fault = 0, False, None
            self._stop.clear()
            self._changed_at = self._clock.now()
            self._thread = threading.Thread(target=self._run, args=(situation,), name="grid", daemon=True)
            self._thread.start()
            return True

    def cancel(self) -> bool:
        """Let the grid that runs go, within some seconds; what it has found stays. False where none runs."""
        running = self._done is not None
        self._cancelled = self._cancelled or running
        self._stop.set()
        return running

    def join(self, timeout_s: float) -> None:
        """Wait for the end of what runs."""
        if self._thread is not None:
            self._thread.join(timeout_s)

    def _run(self, situation: Situation) -> None:
        executor = self._workers()
        try:
            study = self._study
            able = [one for name, one in study.catalogue.items()
                    if name != USUAL and no_lever(situation, one) is None]  # fmt: skip
            design = survey(
                able, max(self._combinations, len(able) + 1), seed=self._how.seed,
                able=lambda one: fault_of(situation, one, self._how) is None,
            )  # fmt: skip
            scenarios = made(design, study.catalogue)
            wanted = replace(study.wanted, further=self._further(situation))
            work = work_of(situation, design, scenarios, self._how, wanted, known_at=situation.as_of)
            run_grid(
                work, self._store, self._clock.now(), executor=executor, stop=self._stop.is_set,
                progress=lambda done, _: self._came(work.grid, done),
            )  # fmt: skip
        except EdtwinError as fault:
            self._fault = str(fault)
        except Exception as fault:  # the page says so; the house goes on
            if not self._stop.is_set():
                logger.exception("the grid failed")
            self._fault = type(fault).__name__
        finally:
            executor.shutdown(wait=False, cancel_futures=True)
            self._done, self._changed_at = None, self._clock.now()

    def _came(self, grid: Grid, done: int) -> None:
        self._done = done
        if done:
            self._shown = _summed(self._store, grid)
        self._changed_at = self._clock.now()

    # --- the page -----------------------------------------------------------------------------------------------

    def view(self, query: str) -> RobustnessView:
        """The page that an address asks for."""
        self._look_back()
        views = self._study.points_of_view.views
        told = parse_qs(query.lstrip("?")[:_LONGEST]).get("view", [])
        view = next((one for one in told if one in views), next(iter(views)))
        hospital = self._study.hospital
        page = RobustnessView(
            made_at=self._changed_at, zone=hospital.zone, hospital=hospital.name, mode=self._mode,
            views=tuple(Named(one.name, one.fr, one.en) for one in views.values()), view=view,
            done=self._done, of=self._how.members, cancelled=self._cancelled, ready=self._source() is not None,
            fault=self._fault, hours=self._how.horizon_min / 60,
        )  # fmt: skip
        return page if self._shown is None else self._with_map(page, self._shown)

    def _with_map(self, page: RobustnessView, grid: _Shown) -> RobustnessView:
        """Summed up once a point of view, however many look; what is of the moment is the page's."""
        if page.view not in grid.pages:
            grid.pages[page.view] = shown(page, self._study, grid.grid, grid.found)
        moment = {name: getattr(page, name) for name in ("made_at", "done", "of", "cancelled", "ready", "fault")}
        return replace(grid.pages[page.view], **moment)

    def _look_back(self) -> None:
        """Once, the last grid that was kept."""
        if self._looked or self._shown is not None or self._done is not None:
            return
        self._looked = True
        for _, grid in self._store.kept()[:1]:
            try:
                made(grid.design, self._study.catalogue)
                self._shown = _summed(self._store, grid)
            except EdtwinError as fault:
                logger.info("the last grid cannot be shown: %s", fault)


def _summed(store: GridStore, grid: Grid) -> _Shown | None:
    found = store.outcomes(grid.grid_id, len(grid.design.combinations))
    return _Shown(grid, found) if found else None


def shown(page: RobustnessView, study: Study, grid: Grid, found: Mapping[str, Array]) -> RobustnessView:
    """The page with a grid's map, and what moves the criteria of its point of view."""
    design, mapped = grid.design, robustness(grid.design.names, found)
    services = tuple(_service(name, study) for name in mapped.services)
    alone = [row for row in mapped.rows[1:] if "+" not in row.name]
    several = [row for row in mapped.rows[1:] if "+" in row.name]
    criteria = study.criteria([name for name in found if not name.startswith(BREAKS)], view=page.view)
    moved = tuple(
        MovedView(criterion_view(one, _usual(found[one.name])), _movers(design, found[one.name], study))
        for one in criteria
    )  # fmt: skip
    return replace(
        page, services=services, limits={name: _limit(name, study) for name in mapped.services},
        rows=tuple(_crisis(row, study) for row in (mapped.rows[0], *_worst(alone))),
        pairs=tuple(_crisis(row, study) for row in _worst(several)[:PAIRS]), moved=moved, as_of=grid.as_of,
        combinations=len(design.combinations), members=mapped.members, hours=grid.horizon_min / 60,
    )  # fmt: skip


def _worst(rows: Sequence[Row]) -> list[Row]:
    """Those that break something in most members first."""
    return sorted(rows, key=lambda row: (-row.p_any, -sum(cell.p_because for cell in row.cells.values()), row.name))


def _crisis(row: Row, study: Study) -> CrisisView:
    [scenario] = pick(study.catalogue, [row.name])
    cells = {
        name: CellView(cell.p_breaks, cell.p_because, cell.after_min, cell.margin) for name, cell in row.cells.items()
    }  # fmt: skip
    return CrisisView(
        row.name, scenario.sentence("fr"), scenario.sentence("en"), cells, row.first, row.p_first, row.p_any
    )  # fmt: skip


def _entry(name: str, study: Study) -> str:
    family = name.partition(":")[0] + EACH
    return name if name in study.services else family


def _service(name: str, study: Study) -> Named:
    entry, of = study.services[_entry(name, study)], name.partition(":")[2]
    fr, en = study.called.get(of, (of, of))
    return Named(name, entry.fr.format(of=fr), entry.en.format(of=en))


def _limit(name: str, study: Study) -> tuple[str, float | None, float]:
    entry = study.services[_entry(name, study)]
    if entry.least is not None:
        return "least", entry.least, entry.for_min
    return "most", None if entry.most == THERE else float(entry.most or 0.0), entry.for_min


def means(values: Array) -> Array:
    """By combination, over its members; what does not exist is left out, NaN where nothing does."""
    known = np.isfinite(values)
    count, total = known.sum(axis=1), np.where(known, values, 0.0).sum(axis=1)
    return np.asarray(np.where(count > 0, total / np.maximum(count, 1), np.nan))


def _usual(values: Array) -> float:
    return float(means(values[:1])[0])


def _movers(design: Design, values: Array, study: Study) -> tuple[MoverView, ...]:
    found = [one for one in sensitivity(design, means(values)) if one.sure]
    return tuple(_mover(one, study) for one in found[:MOVERS])


def _mover(one: Sensitivity, study: Study) -> MoverView:
    """A scenario by its sentence, a number by what it is."""
    fr, en = one.variable, one.variable
    scenario, dot, number = one.variable.partition(".")
    if scenario in study.catalogue:
        found = study.catalogue[scenario]
        fr, en = found.sentence("fr"), found.sentence("en")
        if dot and number in found.parameters:
            told = found.parameters[number]
            fr, en = f"{told['fr']} ({fr})", f"{told['en']} ({en})"
    return MoverView(fr, en, one.effect, *one.ci95, one.variance_share)
