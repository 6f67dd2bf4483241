"""THE SimPy MODEL: the law of the twin. One short process walks the table of stages; what happens is told as marks.

The law within an instant: first everything that ends or begins by itself (stages, arrivals, changes of capacity, lost
patience, bed searches that reach other wards), in the order in which it was foreseen; then each pool with a queue takes
in whom it can, by priority, then arrival in the hospital, then row: its own queue first, then those of other wards who
may lie there. So a release always comes before a request. Capacity that falls below what is held takes nobody's place:
it falls as holders leave. Capacity that rises moves the queue at once. The run draws no number and computes no time but
now + gap; it ends just before the horizon.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Generator, Mapping
from functools import partial
from heapq import heapify, heappop, heappush
from math import inf, isnan

from simpy import Environment
from simpy.events import Event, Timeout

from ingest.events import RANK
from twin.errors import TwinError
from twin.fate import Array, Fate
from twin.hospital import Profile
from twin.leaving import on_clock
from twin.pathway import Path
from twin.present import Present
from twin.routing import OUT
from twin.stages import LEAVING
from twin.steps import NONE, OF_WARD, Step, beds_of, hosts_of, kept_at, steps_of
from twin.story import NOWHERE, Story

Mark = tuple[float, int, int, int, int]
Order = tuple[float, float, int]
"""Priority, arrival in the hospital, row: who comes first in a queue."""
_Queue = list[tuple[Order, "_Place"]]
Process = Generator[Event, "_Pool | None", None]

_COMES, _QUEUES, _SERVES = range(3)
"""Where in a stage a patient enters the run."""
_ARRIVED, _MOVED, _UNSEEN = RANK["Arrived"], RANK["Moved"], RANK["LeftWithoutBeingSeen"]
_LEAVING = frozenset(RANK[kind] for kind in LEAVING)
_TELL_UNIT = frozenset(RANK[kind] for kind in ("Departed", "EnteredWard"))
_TELL_WANTED = frozenset(RANK[kind] for kind in ("DecidedToAdmit", "BedRequested"))
_AT_THE_END = 2
"""Priority of what is done after all else of its instant; SimPy's own are 0 and 1."""


def run(capacity: Mapping[str, Profile], path: Path, fate: Fate, present: Present, horizon_min: float) -> Story:
    """What happens from the present to the horizon, after what had happened to those who are here.

    A deterministic function of its arguments, equal to the last bit. Raises TwinError if a pool of the path has no
    capacity.
    """
    return _Run(capacity, path, fate, present, horizon_min).story()


class _Place(Event):
    """A place that is queued for: it comes true with the pool that gives it, or with None when given up."""

    def __init__(self, env: Environment, order: Order, queue: _Queue) -> None:
        super().__init__(env)
        self.order, self.queues = order, [queue]
        heappush(queue, (order, self))

    def stand_also(self, queue: _Queue) -> None:
        """Queue here too."""
        self.queues.append(queue)
        heappush(queue, (self.order, self))

    def come_from(self, pool: _Pool, queue: _Queue) -> None:
        """The first of a queue gets a place of a pool, and stands in no other queue any more."""
        for other in self.queues:
            if other is not queue:
                other.remove((self.order, self))
                heapify(other)
        self.succeed(pool)


class _Pool:
    """Places that are held, a queue for them, and guests: who queues for another ward and may lie here."""

    __slots__ = ("capacity", "env", "guests", "held", "looking", "queue", "unseen", "ward")

    def __init__(self, env: Environment, profile: Profile) -> None:
        self.env, self.capacity, self.held = env, profile[0][1], 0
        self.queue: _Queue = []
        self.guests: _Queue = []
        self.looking = False
        self.ward = NONE
        """The ward whose beds these are."""
        self.unseen = 0
        """How many hold a place in care and still queue for whoever will look after them."""
        for minute, capacity in profile[1:]:
            _later(env, minute, partial(self.change, capacity))

    def take_at_once(self) -> bool:
        """Take a place if one is free, nobody queues, and nothing else can happen at this instant."""
        if self.held >= self.capacity or self.queue or self.env.peek() <= self.env.now:
            return False
        self.held += 1
        return True

    def ask(self, order: Order) -> _Place:
        """Join the queue for a place."""
        place = _Place(self.env, order, self.queue)
        self.look()
        return place

    def invite(self, place: _Place) -> None:
        """Let somebody who queues for another ward lie here when nobody of this ward's own queues."""
        place.stand_also(self.guests)
        self.look()

    def release(self) -> None:
        """Give a place back."""
        self.held -= 1
        self.look()

    def change(self, capacity: int) -> None:
        """Have another capacity from now on."""
        self.capacity = capacity
        self.look()

    def look(self) -> None:
        """Take in whom there is room for, at the end of this instant."""
        if (self.queue or self.guests) and not self.looking and self.held < self.capacity:
            self.looking = True
            end = Event(self.env)
            end._ok, end._value = True, None
            end.callbacks.append(self.take_in)
            self.env.schedule(end, priority=_AT_THE_END)  # type: ignore[arg-type]

    def take_in(self, _: Event) -> None:
        """As many as there is room for; those who gave up stand in the queue until they are met here."""
        self.looking = False
        for queue in (self.queue, self.guests):
            while queue and self.held < self.capacity:
                place = heappop(queue)[1]
                if not place.triggered:
                    self.held += 1
                    place.come_from(self, queue)


class _Patient:
    """A patient on the way along the stops of a fate."""

    __slots__ = ("held", "kept", "order", "row", "stop", "unit", "visit", "where")

    def __init__(self, row: int, visit: int, order: Order, unit: int) -> None:
        self.row, self.visit, self.order, self.unit = row, visit, order, unit
        self.stop = 0
        self.where = NONE
        self.kept: list[_Pool] = []
        """Taken, and not yet given back."""
        self.held: list[_Pool] = []
        """Held for the stage that is on."""


class _Run:
    """One member on its way from the present to the horizon."""

    def __init__(
        self, capacity: Mapping[str, Profile], path: Path, fate: Fate, present: Present, horizon_min: float
    ) -> None:
        if missing := [pool for pool in path.pools if pool not in capacity]:
            raise TwinError(f"every pool of path {path.name} needs a capacity, but {', '.join(missing)} has none")
        self.env = Environment()
        self.path, self.fate, self.present, self.horizon_min = path, fate, present, horizon_min
        self.pools = [_Pool(self.env, capacity[pool]) for pool in path.pools]
        self.steps, self.beds, self.hosts = steps_of(path), beds_of(path), hosts_of(path)
        for ward, code in enumerate(self.beds):
            if code != NONE:
                self.pools[code].ward = ward
        self.stage, self.unit, self.patience = fate.stage.tolist(), fate.unit.tolist(), fate.patience_min.tolist()
        self.minutes, self.freed_at, self.freed_min = (
            _flat(fate.minutes),
            fate.freed_at.tolist(),
            fate.freed_min.tolist(),
        )
        self.edges, self.loads, self.caseloads = fate.edges[fate.block].tolist(), fate.loads, fate.caseloads
        self.phases, self.phase_edge_min = fate.phases, fate.phase_edge_min.tolist()
        self.priority, self.visit = fate.priority.tolist(), fate.visit.tolist()
        self.edge_min, self.clock_min = fate.clock_edge_min.tolist(), fate.clock_min.tolist()
        self.census = 0
        self.marks: list[Mark] = list(present.history.marks)

    def story(self) -> Story:
        """Enter those who are here, then those who come, and run."""
        self.enter_present()
        for row, at_min in enumerate(self.fate.at_min.tolist()):
            if row >= self.present.count:
                self.env.process(self.come(self.patient(row, at_min), at_min))
        self.env.run(until=self.horizon_min)
        return Story.of(self.marks)

    def patient(self, row: int, arrived_min: float) -> _Patient:
        """A patient of the fate's row."""
        return _Patient(row, self.visit[row], (self.priority[row], arrived_min, row), self.unit[row][0])

    # --- entering ---------------------------------------------------------------------------------------------

    def enter_present(self) -> None:
        """Those who hold a place first, above capacity if need be; then those who queue, as queues are ordered."""
        serving: list[tuple[_Patient, Step]] = []
        queueing: list[_Patient] = []
        inside = (self.path.inside_queueing, self.path.inside_serving)
        kept = kept_at(self.path)
        since = zip(self.present.arrived_min.tolist(), self.present.since_min.tolist(), strict=True)
        for row, (arrived_min, since_min) in enumerate(since):
            if not self.present.here[row]:
                continue
            k, serves = self.stage[row][0], bool(self.present.serving[row])
            p = self.patient(row, since_min if isnan(arrived_min) else arrived_min)
            self.take(p, p.kept, kept[k])
            self.census += inside[serves][k]
            if serves:
                serving.append((p, self.steps[k]))
            else:
                queueing.append(p)
        for p, step in serving:
            self.take(p, p.kept, step.takes)
        for p, step in serving:
            self.serve_on(p, step)
        for p in sorted(queueing, key=lambda p: p.order):
            self.env.process(self.walk(p, _QUEUES))

    def serve_on(self, p: _Patient, step: Step) -> None:
        """A patient whose stage has begun holds what it takes and needs; one who outlasts the run needs no process."""
        if not (step.frees and self.freed(p, step) <= 0):
            self.take(p, p.held, step.needs)
        p.where = p.unit if step.unit == OF_WARD else step.unit
        if step.frees or self.lasting(p, step) < self.horizon_min:
            self.env.process(self.walk(p, _SERVES))

    def take(self, p: _Patient, into: list[_Pool], codes: tuple[int, ...]) -> None:
        """Hold places without asking."""
        for code in codes:
            pool = self.pool(p, code)
            pool.held += 1
            into.append(pool)

    def come(self, p: _Patient, at_min: float) -> Process:
        """A patient who comes in the course of the run."""
        yield Timeout(self.env, at_min)
        yield from self.walk(p, _COMES)

    # --- the path ---------------------------------------------------------------------------------------------

    def walk(self, p: _Patient, entry: int) -> Process:
        """The path, stop by stop; `entry` says where in the first."""
        for stop, k in enumerate(self.stage[p.row]):
            if k == OUT:
                return
            step, p.stop = self.steps[k], stop
            if entry == _COMES and step.comes:
                self.arrive(p)
            if entry != _SERVES:
                if step.asks and not (yield from self.queue(p, step)):
                    return
                self.begin(p, step)
            lasting_min = self.lasting(p, step)
            if step.frees:
                self.free_after(p, self.freed(p, step), lasting_min)
            if self.env.now + lasting_min >= self.horizon_min:
                return
            if lasting_min > 0:
                yield Timeout(self.env, lasting_min)
            self.end(p, step)
            entry = _COMES

    def queue(self, p: _Patient, step: Step) -> Generator[Event, _Pool | None, bool]:
        """Take what the stage asks for, one after the other; false if the patient lost patience and left."""
        waits_min = self.patience[p.row][p.stop]
        patience_min = waits_min if step.patience else inf
        asked: list[_Place] = []
        for kept, codes in ((p.kept, step.takes), (p.held, step.needs)):
            for code in codes:
                pool = self.pool(p, code)
                if patience_min <= 0 or not pool.take_at_once():
                    asked.append(pool.ask(p.order))
                    if len(asked) == 1 and self.env.now + patience_min < self.horizon_min:
                        _later(self.env, patience_min, partial(_give_up, asked))
                    if step.overflows and code == OF_WARD and self.env.now + waits_min < self.horizon_min:
                        _later(self.env, waits_min, partial(self.search_elsewhere, p.unit, asked[-1]))
                    given = yield asked[-1]
                    if given is None:
                        self.leave_unseen(p, step)
                        return False
                    if code == OF_WARD:
                        pool, p.unit = given, given.ward
                kept.append(pool)
                pool.unseen += code == step.care
        return True

    def search_elsewhere(self, ward: int, place: _Place) -> None:
        """Who still queues for a bed of a ward may lie in those that it overflows into, asked in its order."""
        if not place.triggered:
            for host in self.hosts[ward]:
                self.pools[self.beds[host]].invite(place)

    def lasting(self, p: _Patient, step: Step) -> float:
        """How long the stage lasts from now on; a stay in a ward that has a clock, by that clock."""
        minutes: float = self.minutes[p.row][(p.stop * self.phases + self.phase()) * self.loads + self.load(p)]
        if step.by_clock and self.edge_min:
            on_clock_min = on_clock(self.edge_min, self.clock_min[p.unit], self.env.now, minutes)
            return max(on_clock_min - self.fate.leaving_earlier_min, 0.0)
        return minutes

    def phase(self) -> int:
        """Which durations hold now."""
        return bisect_right(self.phase_edge_min, self.env.now) if self.phases > 1 else 0

    def load(self, p: _Patient) -> int:
        """How full the department is now, as a load class."""
        return bisect_right(self.edges[p.row], self.census) if self.loads > 1 else 0

    def caseload(self, step: Step) -> int:
        """How many patients each of those whom the stage needs looks after besides this one."""
        if self.caseloads == 1 or step.care == NONE:
            return 0
        on_duty, most = self.pools[step.needs[0]].capacity, self.caseloads - 1
        care = self.pools[step.care]
        return min((care.held - care.unseen - 1) // on_duty, most) if on_duty > 0 else most

    def freed(self, p: _Patient, step: Step) -> float:
        """How long after it begins the stage gives back what it needs; inf where that is at its end."""
        at = self.freed_at[p.row][p.stop]
        return self.freed_min[at][self.phase() * self.caseloads + self.caseload(step)] if at >= 0 else inf

    def free_after(self, p: _Patient, freed_min: float, lasting_min: float) -> None:
        """Give back what the stage needs before it is over."""
        if p.held and freed_min < lasting_min:
            _later(self.env, freed_min, partial(_release, p.held))
            p.held = []

    def pool(self, p: _Patient, code: int) -> _Pool:
        """The pool of a code; the beds of the ward wanted for OF_WARD."""
        return self.pools[code if code != OF_WARD else self.beds[p.unit]]

    # --- what is told ------------------------------------------------------------------------------------------

    def arrive(self, p: _Patient) -> None:
        """Come to the department."""
        self.census += 1
        self.tell(p, _ARRIVED)

    def begin(self, p: _Patient, step: Step) -> None:
        """The stage starts: the patient is in its unit."""
        if step.care != NONE:
            self.pools[step.care].unseen -= 1
        unit = p.unit if step.unit == OF_WARD else step.unit
        if unit != NONE and unit != p.where:
            p.where = unit
            if step.starts not in _TELL_UNIT:
                self.tell(p, _MOVED, unit)
        if step.starts != NONE:
            self.tell(p, step.starts, unit, step.starts_to)

    def end(self, p: _Patient, step: Step) -> None:
        """The stage is over: what it needed and what it gives is free."""
        if step.wants:
            p.unit = self.unit[p.row][p.stop + 1]
        if step.ends != NONE:
            self.tell(p, step.ends, p.unit if step.unit == OF_WARD else step.unit, step.ends_to)
        if p.held:
            _release(p.held)
            p.held = []
        for code in step.gives:
            pool = self.pool(p, code)
            p.kept.remove(pool)
            pool.release()

    def leave_unseen(self, p: _Patient, step: Step) -> None:
        """Leave the queue and the department."""
        self.tell(p, _UNSEEN)
        if step.care != NONE:
            self.pools[step.care].unseen -= self.pools[step.care] in p.kept
        _release(p.kept + p.held)

    def tell(self, p: _Patient, kind: int, unit: int = NOWHERE, to: int = NOWHERE) -> None:
        """Put down a mark; an exit lowers the census."""
        if kind in _LEAVING:
            self.census -= 1
        if kind in _TELL_WANTED:
            unit = p.unit
        elif kind != _MOVED and kind not in _TELL_UNIT:
            unit = NOWHERE
        self.marks.append((self.env.now, kind, p.visit, unit, to))


def _flat(by_stop_and_load: Array) -> list[list[float]]:
    """Rows of `(patient, stop x load)`: flat lists, because nested ones are slow to make."""
    patients, stops, loads = by_stop_and_load.shape
    flat: list[list[float]] = by_stop_and_load.reshape(patients, stops * loads).tolist()
    return flat


def _later(env: Environment, delay_min: float, do: Callable[[], None]) -> None:
    """Do something after a delay."""
    Timeout(env, delay_min).callbacks.append(lambda _: do())


def _give_up(asked: list[_Place]) -> None:
    """Patience is over: if the last place asked for has not come, it is given up."""
    if not asked[-1].triggered:
        asked[-1].succeed(None)


def _release(pools: list[_Pool]) -> None:
    for pool in pools:
        pool.release()
