"""Where the boxes of a path stand and which way its arrows run: a layered drawing, worked out here, of any path.

1. *Layers*: a stage stands in the first layer behind all that lead to it; where patients come in from outside, just
   before what follows. Ways that lead back are turned round for this. On a narrow screen zones stand one after another.
2. *Lanes*: boxes of one zone stand together. Of the orders of zones, one is taken in which few ways cross.
3. *Places*: along a layer, again by a linear programme: boxes keep their order and their distance, zones are frames
   that hold their boxes and nothing else, and ways are as straight as can be, the wide ones first.

Graphviz does the same and needs a program of its own; scipy's solver is here already. Lengths are in letters (rem).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy.optimize import linprog

Floats = npt.NDArray[np.float64]

_RUN = "#"
"""Between a zone's name and the number of its run, where zones stand one after the other."""
_SWEEPS = 6
_BESIDE_NODE, _BETWEEN = 2.0, 8.0
"""How much more a crooked way costs between a box and a bend, and between two bends, than between two boxes."""
_NARROW = 0.02
"""What a letter of a frame's breadth costs."""


@dataclass(frozen=True)
class Box:
    """What is to be placed: its name, its zone, its extent along the layer."""

    name: str
    zone: str
    breadth: float


@dataclass(frozen=True)
class Arrow:
    """A way from a box to another; heavier ones are kept straighter."""

    source: str
    target: str
    weight: float


@dataclass(frozen=True)
class Spacing:
    """Distances in letters: between neighbours of a layer, around boxes in a frame, between frames, at a frame's head;
    `bend` is the room that a way needs where it passes a layer; `narrow` makes the whole as narrow as can be."""

    gap: float = 0.5
    pad: float = 0.35
    between: float = 0.5
    head: float = 0.0
    bend: float = 0.7
    narrow: bool = False


@dataclass(frozen=True)
class Frame:
    """A zone's rectangle: layers from and to, and its extent along them."""

    zone: str
    first: int
    last: int
    top: float
    bottom: float


@dataclass(frozen=True)
class Placed:
    """A drawing: by box its layer and its middle along it; by arrow the points (layer, place) that it passes."""

    layer: Mapping[str, int]
    middle: Mapping[str, float]
    routes: tuple[tuple[tuple[int, float], ...], ...]
    frames: tuple[Frame, ...]
    breadth: float
    """Extent of the whole along the layers."""

    @property
    def layers(self) -> int:
        """How many there are."""
        return max(self.layer.values(), default=0) + 1


@dataclass(frozen=True)
class _Item:
    """A box, or a bend of an arrow in a layer that it passes."""

    layer: int
    zone: str
    """Empty where it stands between frames."""
    lane: float
    breadth: float
    box: bool


@lru_cache(maxsize=32)
def place(boxes: tuple[Box, ...], arrows: tuple[Arrow, ...], spacing: Spacing, *, at_most: int | None = None) -> Placed:
    """The drawing of boxes and arrows; the last ones are kept.

    `at_most` limits how many boxes stand in a layer and puts zones one after the other, for narrow screens; a zone that
    is left and come back to then has two frames.
    """
    layer = layers_of([box.name for box in boxes], arrows)
    if at_most is None:
        return min(_orders(boxes, arrows, layer, spacing), key=lambda drawing: drawing.cost).placed(boxes)
    runs, layer = _stacked(boxes, arrows, layer, at_most)
    zones = sorted({box.zone for box in runs}, key=lambda zone: min(layer[b.name] for b in runs if b.zone == zone))
    return _drawing(runs, arrows, layer, zones, spacing).placed(runs)


# --- layers -----------------------------------------------------------------------------------------------------


def layers_of(names: Sequence[str], arrows: Sequence[Arrow]) -> dict[str, int]:
    """The layer of each box, 0 first: behind all that lead to it; a box that nothing leads to, just before its next."""
    ahead = _forward(names, arrows)
    layer = dict.fromkeys(names, 0)
    for _ in names:
        for arrow in ahead:
            layer[arrow.target] = max(layer[arrow.target], layer[arrow.source] + 1)
    led_to = {arrow.target for arrow in ahead}
    for name in names:
        following = [layer[arrow.target] for arrow in ahead if arrow.source == name]
        if name not in led_to and following:
            layer[name] = min(following) - 1
    return layer


def _forward(names: Sequence[str], arrows: Sequence[Arrow]) -> list[Arrow]:
    """The arrows with those that lead back turned round."""
    out: dict[str, list[str]] = {name: [] for name in names}
    for arrow in arrows:
        out[arrow.source].append(arrow.target)
    seen: dict[str, int] = {}
    back: set[tuple[str, str]] = set()
    for start in names:
        _walk(start, out, seen, back)
    ahead = [a for a in arrows if a.source != a.target]
    return [replace(a, source=a.target, target=a.source) if (a.source, a.target) in back else a for a in ahead]


def _walk(name: str, out: Mapping[str, Sequence[str]], seen: dict[str, int], back: set[tuple[str, str]]) -> None:
    if name in seen:
        return
    seen[name] = 1
    for target in out[name]:
        if seen.get(target) == 1:
            back.add((name, target))
        _walk(target, out, seen, back)
    seen[name] = 2


def _stacked(
    boxes: Sequence[Box], arrows: Sequence[Arrow], layer: Mapping[str, int], at_most: int
) -> tuple[list[Box], dict[str, int]]:
    """The boxes with a zone a run of layers, and their layers: each zone is walked as far as it goes, then the next."""
    before: dict[str, set[str]] = {box.name: set() for box in boxes}
    for arrow in _forward([box.name for box in boxes], arrows):
        before[arrow.target].add(arrow.source)
    left = {box.name: box for box in boxes}
    out: dict[str, tuple[str, int]] = {}
    run, here, number, row = 0, "", -1, list[str]()
    while left:
        free = [box for box in left.values() if not before[box.name] & set(left)]
        box = min(free, key=lambda b: (b.zone != here, layer[b.name]))
        if box.zone != here or len(row) == at_most or before[box.name] & set(row):
            run, here, number, row = run + (box.zone != here), box.zone, number + 1, []
        row.append(box.name)
        out[box.name] = f"{box.zone}{_RUN}{run}", number
        del left[box.name]
    return [replace(box, zone=out[box.name][0]) for box in boxes], {name: at for name, (_, at) in out.items()}


# --- lanes ------------------------------------------------------------------------------------------------------


@dataclass
class _Drawing:
    """One order of the zones, with the items in their layers and what it costs."""

    items: list[_Item]
    rows: list[list[int]]
    """Items by layer, in order."""
    chains: list[list[int]]
    """Items that each arrow runs through."""
    lanes: Mapping[str, int]
    cost: float
    spacing: Spacing
    weights: list[float]

    def placed(self, boxes: Sequence[Box]) -> Placed:
        """The places, by a linear programme."""
        middle, frames, breadth = _middles(self)
        routes = tuple(tuple((self.items[i].layer, middle[i]) for i in chain) for chain in self.chains)
        return Placed(
            {box.name: self.items[i].layer for i, box in enumerate(boxes)},
            {box.name: middle[i] for i, box in enumerate(boxes)},
            routes, frames, breadth,
        )  # fmt: skip


def _orders(
    boxes: Sequence[Box], arrows: Sequence[Arrow], layer: Mapping[str, int], spacing: Spacing
) -> Iterator[_Drawing]:
    """Drawings with better and better orders of the zones: neighbours, then any two, are exchanged while that helps."""
    zones = sorted({box.zone for box in boxes}, key=lambda z: min(layer[b.name] for b in boxes if b.zone == z))
    best = _drawing(boxes, arrows, layer, zones, spacing)
    yield best
    improved = True
    while improved:
        improved = False
        for i in range(len(zones)):
            for j in range(i + 1, len(zones)):
                other = [*zones]
                other[i], other[j] = other[j], other[i]
                drawing = _drawing(boxes, arrows, layer, other, spacing)
                if drawing.cost < best.cost - 1e-9:
                    best, zones, improved = drawing, other, True
                    yield best


def _drawing(
    boxes: Sequence[Box], arrows: Sequence[Arrow], layer: Mapping[str, int], zones: Sequence[str], spacing: Spacing
) -> _Drawing:
    lanes = {zone: lane for lane, zone in enumerate(zones)}
    items = [_Item(layer[b.name], b.zone, float(lanes[b.zone]), b.breadth, box=True) for b in boxes]
    code = {box.name: i for i, box in enumerate(boxes)}
    chains = []
    for arrow in arrows:
        chain = [code[arrow.source]]
        chain += _bends(items, items[chain[0]], items[code[arrow.target]], spacing.bend)
        chains.append([*chain, code[arrow.target]])
    rows: list[list[int]] = [[] for _ in range(max(layer.values(), default=0) + 1)]
    for i, item in enumerate(items):
        rows[item.layer].append(i)
    weights = [arrow.weight for arrow in arrows]
    cost = _sorted_rows(items, rows, chains, weights)
    return _Drawing(items, rows, chains, lanes, cost, spacing, weights)


def _bends(items: list[_Item], source: _Item, target: _Item, breadth: float) -> list[int]:
    """New items where an arrow passes layers: in its own zone, or beside the zone that it leads to."""
    step = 1 if target.layer > source.layer else -1
    inside = source.zone == target.zone
    zone, side = (source.zone, 0.0) if inside else ("", 0.5 if source.lane > target.lane else -0.5)
    new = []
    for number in range(source.layer + step, target.layer, step):
        items.append(_Item(number, zone, target.lane + side, breadth, box=False))
        new.append(len(items) - 1)
    return new


def _sorted_rows(items: list[_Item], rows: list[list[int]], chains: list[list[int]], weights: list[float]) -> float:
    """Each row put in order, lanes first, within them by where neighbours are; returns what crosses."""
    links: dict[int, list[tuple[int, float]]] = {i: [] for i in range(len(items))}
    pairs = _links(chains, weights)
    for a, b, weight in pairs:
        links[a].append((b, weight + 0.1))
        links[b].append((a, weight + 0.1))
    at: dict[int, float] = {i: n for row in rows for n, i in enumerate(row)}
    best, kept = float("inf"), [list(row) for row in rows]
    for sweep in range(2 * _SWEEPS):
        for row in rows if sweep % 2 == 0 else reversed(rows):
            wished = {i: _mean(links[i], at, at[i]) for i in row}
            row.sort(key=lambda i: (items[i].lane, wished[i]))
            at.update({i: n - (len(row) - 1) / 2 for n, i in enumerate(row)})
        if (cost := _crossings(items, pairs, at)) < best:
            best, kept = cost, [list(row) for row in rows]
    rows[:] = kept
    return best


def _links(chains: Sequence[Sequence[int]], weights: Sequence[float]) -> list[tuple[int, int, float]]:
    """From item to item, along every chain."""
    return [(a, b, w) for chain, w in zip(chains, weights, strict=True) for a, b in pairwise(chain)]


def _mean(links: Sequence[tuple[int, float]], at: Mapping[int, float], otherwise: float) -> float:
    total = sum(weight for _, weight in links)
    return sum(at[i] * weight for i, weight in links) / total if total else otherwise


def _crossings(items: Sequence[_Item], pairs: Sequence[tuple[int, int, float]], at: Mapping[int, float]) -> float:
    """How many pairs of links cross, and a little for how far all go across."""
    by_layer: dict[int, list[tuple[float, float]]] = {}
    across = 0.0
    for a, b, weight in pairs:
        low, high = (a, b) if items[a].layer <= items[b].layer else (b, a)
        by_layer.setdefault(items[low].layer, []).append((at[low], at[high]))
        across += (0.1 + weight) * abs(items[a].lane - items[b].lane)
    crossed = 0
    for ends in by_layer.values():
        for i, (here, there) in enumerate(ends):
            crossed += sum(1 for other in ends[:i] if (other[0] - here) * (other[1] - there) < 0)
    return crossed + 0.2 * across


# --- places -----------------------------------------------------------------------------------------------------


def _middles(drawing: _Drawing) -> tuple[list[float], tuple[Frame, ...], float]:
    """The middle of every item along its layer, the frames, and the breadth of all."""
    items, spacing = drawing.items, drawing.spacing
    zones = {zone: k for k, zone in enumerate(drawing.lanes)}
    links = _links(drawing.chains, drawing.weights)
    n, z = len(items), len(zones)
    top, bottom, bend, end = n, n + z, n + 2 * z, n + 2 * z + len(links)
    rows: list[list[tuple[int, float]]] = []
    limits: list[float] = []

    def apart(before: int, after: int, distance: float) -> None:
        """`after` lies at least so far behind `before`."""
        rows.append([(before, 1.0), (after, -1.0)])
        limits.append(-distance)

    spans = _spans(drawing)
    for row in drawing.rows:
        for a, b in pairwise(row):
            gap = spacing.gap if items[a].box or items[b].box else 0.1
            apart(a, b, (items[a].breadth + items[b].breadth) / 2 + gap)
    for i, item in enumerate(items):
        for zone, k in zones.items():
            if item.zone == zone:
                apart(top + k, i, item.breadth / 2 + spacing.pad + spacing.head)
                apart(i, bottom + k, item.breadth / 2 + spacing.pad)
            elif not item.zone and spans[zone][0] <= item.layer <= spans[zone][1]:
                ends = (i, top + k) if item.lane < drawing.lanes[zone] else (bottom + k, i)
                apart(*ends, item.breadth / 2 + 0.15)
        apart(i, end, item.breadth / 2)
    for one, k in zones.items():
        apart(bottom + k, end, 0.0)
        for other, m in zones.items():
            if drawing.lanes[one] < drawing.lanes[other] and _meet(spans[one], spans[other]):
                apart(bottom + k, top + m, spacing.between)
    cost = np.zeros(end + 1)
    cost[top:bottom], cost[bottom:bend], cost[end] = -_NARROW, _NARROW, 1e3 if spacing.narrow else 5 * _NARROW
    for j, (a, b, weight) in enumerate(links):
        bends = 2 - items[a].box - items[b].box
        cost[bend + j] = (0.15 + weight) * (1.0, _BESIDE_NODE, _BETWEEN)[bends]
        for sign in (1.0, -1.0):
            rows.append([(a, sign), (b, -sign), (bend + j, -1.0)])
            limits.append(0.0)
    found = _solved(cost, rows, limits)
    frames = tuple(
        Frame(zone.partition(_RUN)[0], *spans[zone], found[top + k], found[bottom + k]) for zone, k in zones.items()
    )
    return list(found[:n]), frames, found[end]


def _spans(drawing: _Drawing) -> dict[str, tuple[int, int]]:
    """By zone, the first and the last layer in which it has boxes or bends of its own."""
    layers: dict[str, list[int]] = {}
    for item in drawing.items:
        if item.zone:
            layers.setdefault(item.zone, []).append(item.layer)
    return {zone: (min(found), max(found)) for zone, found in layers.items()}


def _meet(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return one[0] <= other[1] and other[0] <= one[1]


def _solved(cost: Floats, rows: Sequence[Sequence[tuple[int, float]]], limits: Sequence[float]) -> list[float]:
    """The cheapest x of 0 or more with rows . x <= limits."""
    matrix = np.zeros((len(rows), cost.size))
    for number, row in enumerate(rows):
        for column, value in row:
            matrix[number, column] += value
    solved = linprog(cost, A_ub=matrix, b_ub=np.array(limits), bounds=(0, None), method="highs")
    if solved.x is None:
        raise AssertionError(f"a drawing has always a solution: {solved.message}")
    return [float(x) for x in solved.x]
