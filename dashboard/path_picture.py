"""The path as a picture: an SVG of boxes in their zones, arrows as wide as the number who go there, and colours by what
is queued for.

A wide screen reads it from left to right, a narrow one from top to bottom. Lengths are in letters of the page (rem).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import sqrt
from xml.sax.saxutils import escape

from dashboard.path_layout import Arrow, Box, Frame, Placed, Spacing, place
from dashboard.site_words import lasting, name_of, pool_name, share
from dashboard.svg import breadth_of, curve, fitted, rect, text_at
from dashboard.theme import FONT, Theme, colours
from dashboard.words import Reader
from twin.explanation import ABOVE, OUT, WARDS, Explained, Step

UNSEEN = "\N{EM DASH}unseen"
"""The box of those who leave because they wait too long; no stage can have this name."""
WIDEST, THINNEST = 0.75, 0.07
"""Breadth of an arrow that everybody goes, and of one that hardly anybody does."""
HUES = 6
"""Colours there are for pools of staff and equipment; where these are more, some share the last."""
MOST_DRAWN = 40
"""Stages of a path that is drawn whole."""
RARE = 0.02
"""Share of the visits below which a stage of a longer path is not drawn."""


@dataclass(frozen=True)
class Shape:
    """How long boxes are along the way (a layer's depth) and across, how far layers stand apart, how letters are."""

    down: bool
    depth: float
    breadth: float
    apart: float
    for_shares: float
    """More room behind a layer from which ways part, for their shares."""
    letter: float
    spacing: Spacing
    at_most: int | None = None


WIDE = Shape(False, depth=4.7, breadth=3.5, apart=0.95, for_shares=1.35, letter=0.78,
             spacing=Spacing(gap=0.75, head=1.0, between=0.6))  # fmt: skip
NARROW = Shape(True, depth=3.4, breadth=12.0, apart=1.2, for_shares=1.0, letter=1.25,
               spacing=Spacing(gap=0.5, between=0.6, bend=0.5, narrow=True), at_most=2)  # fmt: skip
HEAD = 1.6
"""Room for a zone's name above its first layer, where the picture is read downwards."""


@dataclass(frozen=True)
class Sketch:
    """A picture and its extent in letters."""

    svg: str
    width: float
    height: float


@dataclass(frozen=True)
class Legend:
    """What is queued for, in the colours of the picture: by pool the class of its colour."""

    hue: Mapping[str, str] = field(default_factory=dict)

    @staticmethod
    def of(explained: Explained) -> Legend:
        """Beds and spaces have a colour each, and staff and equipment, in the order of the path; where these are more
        than there are colours, those whom fewest patients queue for share the last.
        """
        pools = list(dict.fromkeys(pool for step in explained.steps for pool in step.queues_for))
        asked = {pool: explained.pool(pool) for pool in pools}
        of_staff = _hues(explained, [one.en for one in asked.values() if one.kind in _STAFF])
        hue = {
            pool: of_staff[one.en] if one.kind in _STAFF else "pool-spaces" if one.kind == "spaces" else "pool-beds"
            for pool, one in asked.items()
        }
        return Legend(hue)

    def of_step(self, step: Step) -> list[str]:
        """The colours of a stage, that of what is asked for last the last."""
        return list(dict.fromkeys(self.hue[pool] for pool in step.queues_for)) or ["pool-none"]

    def shown(self, explained: Explained, reader: Reader) -> list[tuple[str, str]]:
        """Colour and words of each entry: pools by name, all beds and all spaces as one."""
        out: dict[str, str] = {}
        for pool, hue in self.hue.items():
            words = {"pool-beds": reader.say("a bed"), "pool-spaces": reader.say("a space")}
            if self._shares(explained, hue):
                words[hue] = reader.say("other staff or equipment")
            if hue not in out or explained.pool(pool).kind == "staff":
                out[hue] = words.get(hue) or pool_name(explained, pool, reader)
        return list(out.items())

    def _shares(self, explained: Explained, hue: str) -> bool:
        """Do several kinds of staff have this colour?"""
        mine = (explained.pool(pool) for pool, colour in self.hue.items() if colour == hue)
        return len({asked.en for asked in mine if asked.kind in _STAFF}) > 1


def _hues(explained: Explained, staff: Sequence[str]) -> dict[str, str]:
    """The colour of each kind of staff or equipment: a doctor and the places in her care are one."""
    names = list(dict.fromkeys(staff))
    a_day = dict.fromkeys(names, 0.0)
    for step in explained.steps:
        for asked in map(explained.pool, step.queues_for):
            if asked.en in a_day:
                a_day[asked.en] += step.a_day
    own = names if len(names) <= HUES else sorted(names, key=lambda name: -a_day[name])[: HUES - 1]
    mine = [name for name in names if name in own]
    return {name: f"pool-{mine.index(name) + 1 if name in own else HUES}" for name in names}


def sketch(explained: Explained, reader: Reader, *, narrow: bool, note: Mapping[str, str] | None = None) -> Sketch:
    """The picture of a path; `note` is what stands at a zone's head beside its name, such as how many are there now."""
    shape = NARROW if narrow else WIDE
    shown = _Shown.of(explained)
    unseen = shown.unseen_at
    boxes = [Box(step.name, step.zone, shape.breadth) for step in shown.steps]
    arrows = [Arrow(way.source, way.target, way.weight) for way in shown.ways]
    if shown.unseen and unseen == UNSEEN:
        boxes.append(Box(UNSEEN, UNSEEN, shape.breadth))
    arrows += [Arrow(name, unseen, 0.02) for name in shown.unseen]
    placed = place(tuple(boxes), tuple(arrows), shape.spacing, at_most=shape.at_most)
    return _Pen(explained, reader, shape, shown, placed, note or {}).drawn()


# --- what is shown ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Way:
    source: str
    target: str
    share: float
    weight: float
    """Of all who come into the department."""


@dataclass(frozen=True)
class _Shown:
    """Stages without those that are only a turning (over at once, one way on): their ways lead to what follows.

    Of a long path, what happens beyond the doors of the wards and what hardly anybody comes to is not drawn: the
    sentences tell it.
    """

    steps: tuple[Step, ...]
    ways: tuple[_Way, ...]
    unseen: tuple[str, ...]

    @property
    def unseen_at(self) -> str:
        """Where those go who wait too long: a stage of the path, or a box of their own."""
        return next((step.name for step in self.steps if step.is_unseen), UNSEEN)

    @staticmethod
    def of(explained: Explained) -> _Shown:
        skipped = {step.name: step.ways[0].to for step in explained.steps if step.is_turning}
        hidden = {step.name for step in explained.steps if explained.learned and step.a_day <= 0}
        hidden |= _told_alone(explained) if len(explained.steps) > MOST_DRAWN else set()
        hidden -= {step.name for step in explained.steps if step.is_unseen}
        steps = tuple(step for step in explained.steps if step.name not in skipped and step.name not in hidden)
        scale = max(explained.arrivals_a_day, max((s.a_day for s in steps), default=0.0), 1e-9)
        ways: dict[tuple[str, str], _Way] = {}
        for step in steps:
            for way in step.ways:
                target = _end(way.to, skipped)
                if target in hidden:
                    continue
                before = ways.get((step.name, target), _Way(step.name, target, 0.0, 0.0))
                more = _Way(step.name, target, before.share + way.share, before.weight + way.a_day / scale)
                ways[step.name, target] = more
        ways = {pair: way for pair, way in ways.items() if way.share > 0 or not explained.learned}
        return _Shown(steps, tuple(ways.values()), tuple(step.name for step in steps if step.leaves_unseen))


def _told_alone(explained: Explained) -> set[str]:
    """Stages in wards that nobody comes to from the department, what wards ask for, and what few come to."""
    wards = {WARDS, *(place.name for place in explained.places if place.ward)}
    turned = {step.name: step.ways[0].to for step in explained.steps if step.is_turning}
    inside = [step for step in explained.steps if step.zone not in wards]
    entered = {_end(way.to, turned) for step in inside for way in step.ways}
    beyond = {step.name for step in explained.steps if step.zone in wards and step.name not in entered}
    rare = {step.name for step in explained.steps if step.a_day < RARE * explained.arrivals_a_day and step.ways}
    return beyond | rare | {step.name for step in explained.steps if step.enters == "asked"}


def _parts(way: _Way) -> bool:
    """Do only some go this way?"""
    return 0 < way.share < 0.9995


def _end(name: str, skipped: Mapping[str, str]) -> str:
    seen = {name}
    while name in skipped and skipped[name] not in seen:
        name = skipped[name]
        seen.add(name)
    return name


def zone_name(explained: Explained, zone: str, reader: Reader) -> str:
    """What stands at a zone's head."""
    words = {WARDS: reader.say("Wards"), OUT: reader.say("Ways out"), ABOVE: reader.say("Emergency department")}
    return words.get(zone) or name_of(explained.place(zone), reader)


# --- the drawing ------------------------------------------------------------------------------------------------


@dataclass
class _Pen:
    explained: Explained
    reader: Reader
    shape: Shape
    shown: _Shown
    placed: Placed
    note: Mapping[str, str]

    def drawn(self) -> Sketch:
        """Frames, then arrows, then boxes, then what stands on arrows."""
        along = self.along(self.placed.layers - 1) + self.shape.depth + 0.6
        across = self.placed.breadth + 0.4
        width, height = (across, along) if self.shape.down else (along, across)
        heads: list[str] = []
        labels: list[str] = []
        parts = [*self.frames(heads), *self.arrows(labels), *self.boxes(), *heads, *labels]
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.2f} {height:.2f}" '
            f'font-family="{escape(FONT, {chr(34): chr(39)})}" font-size="{self.shape.letter}">'
        )
        return Sketch(f"{head}{_styles(self.reader.theme)}{''.join(parts)}</svg>", width, height)

    @cached_property
    def starts(self) -> list[float]:
        """Where each layer begins, on the way."""
        shape, layer = self.shape, self.placed.layer
        parting = {layer[way.source] for way in self.shown.ways if _parts(way)}
        heads = {frame.first for frame in self.placed.frames if frame.zone != UNSEEN} if shape.down else set()
        out, at = [], 0.3
        for number in range(self.placed.layers):
            at += HEAD if number in heads else 0.0
            out.append(at)
            at += shape.depth + shape.apart + (shape.for_shares if number in parting else 0.0)
        return out

    def along(self, layer: int) -> float:
        """Where a layer begins, on the way."""
        return self.starts[layer]

    def at(self, along: float, across: float) -> tuple[float, float]:
        """A point of the picture."""
        return (across, along) if self.shape.down else (along, across)

    # frames

    def frames(self, heads: list[str]) -> Iterator[str]:
        for frame in (frame for frame in self.placed.frames if frame.zone != UNSEEN):
            start, end = self.along(frame.first) - 0.3, self.along(frame.last) + self.shape.depth + 0.3
            if self.shape.down:
                start -= HEAD - 0.3
            (x0, y0), (x1, y1) = self.at(start, frame.top), self.at(end, frame.bottom)
            yield rect(x0, y0, x1 - x0, y1 - y0, "zone", 0.4)
            heads.append(self.head(frame, x0, y0, x1 - x0))

    def head(self, frame: Frame, x: float, y: float, width: float) -> str:
        size = self.shape.letter * 0.95
        name = zone_name(self.explained, frame.zone, self.reader)
        note = self.note.get(frame.zone)
        text = f"{name} · {note}" if note else name
        size = min(size, (width - 0.4) / max(breadth_of(text), 1e-9))
        ground = rect(x + 0.1, y + 0.08, breadth_of(text) * size + 0.3, size * 1.25, "head", 0.2)
        return ground + text_at(x + 0.3, y + size * 1.05, text, "zone-name", size, "start")

    # arrows

    def arrows(self, labels: list[str]) -> Iterator[str]:
        ends = self.ends()
        for number, route in enumerate(self.placed.routes):
            way = self.shown.ways[number] if number < len(self.shown.ways) else None
            breadth = THINNEST if way is None else max(WIDEST * sqrt(way.weight), THINNEST)
            points = self.points(route, *ends[number])
            kind = "unseen" if way is None else "way"
            yield f'<path class="{kind}" d="{curve(points, down=self.shape.down)}" stroke-width="{breadth:.3f}"/>'
            yield self.tip(points[-1], points[-2], breadth, kind)
            if way is not None and _parts(way):
                labels.append(self.label(points[0], share(way.share, self.reader)))

    def ends(self) -> list[tuple[float, float]]:
        """By arrow, how far from the middle of a box it leaves and comes, so that none lies on another."""
        starts, comes = [0.0] * len(self.placed.routes), [0.0] * len(self.placed.routes)
        out: dict[str, list[int]] = {}
        into: dict[str, list[int]] = {}
        for number, (source, target) in enumerate(self.pairs()):
            out.setdefault(source, []).append(number)
            into.setdefault(target, []).append(number)
        for groups, offsets, end in ((out, starts, 1), (into, comes, -2)):
            for numbers in groups.values():
                numbers.sort(key=lambda n: self.placed.routes[n][end][1])
                room = min(self.shape.breadth * 0.8, (len(numbers) - 1) * (3.1 if self.shape.down else 0.95))
                for i, n in enumerate(numbers):
                    offsets[n] = (i / (len(numbers) - 1) - 0.5) * room if len(numbers) > 1 else 0.0
        return list(zip(starts, comes, strict=True))

    def pairs(self) -> Iterator[tuple[str, str]]:
        yield from ((way.source, way.target) for way in self.shown.ways)
        yield from ((name, self.shown.unseen_at) for name in self.shown.unseen)

    def points(self, route: Sequence[tuple[int, float]], leaves: float, comes: float) -> list[tuple[float, float]]:
        """From the end of a box, past every layer between, to the beginning of the next."""
        depth = self.shape.depth
        points = []
        back = route[0][0] >= route[-1][0]
        for number, (layer, middle) in enumerate(route):
            start = self.along(layer)
            if number == 0:
                points.append(self.at(start + (0.0 if back else depth), middle + leaves))
            elif number == len(route) - 1:
                points.append(self.at(start - 0.28 + (depth + 0.56 if back else 0.0), middle + comes))
            else:
                near, far = (start + depth, start) if back else (start, start + depth)
                points += [self.at(near, middle), self.at(far, middle)]
        return points

    def tip(self, end: tuple[float, float], before: tuple[float, float], breadth: float, kind: str) -> str:
        half, ahead = max(breadth * 0.75, 0.2), 0.28
        x, y = end
        if self.shape.down:
            ahead = ahead if y >= before[1] else -ahead
            corners = [(x - half, y), (x + half, y), (x, y + ahead)]
        else:
            ahead = ahead if x >= before[0] else -ahead
            corners = [(x, y - half), (x, y + half), (x + ahead, y)]
        return f'<polygon class="{kind}-tip" points="{" ".join(f"{a:.2f},{b:.2f}" for a, b in corners)}"/>'

    def label(self, start: tuple[float, float], text: str) -> str:
        size = self.shape.letter * 0.86
        width = breadth_of(text) * size + 0.12
        x, y = (start[0], start[1] + size * 0.75) if self.shape.down else (start[0] + width / 2 + 0.04, start[1])
        ground = rect(x - width / 2, y - size * 0.56, width, size * 1.12, "label", 0.15)
        return ground + text_at(x, y + size * 0.36, text, "share", size, "middle")

    # boxes

    def boxes(self) -> Iterator[str]:
        legend = Legend.of(self.explained)
        for step in self.shown.steps:
            name = name_of(step, self.reader)
            detail = lasting(step.lasts_min, self.reader) if step.lasts_min is not None else ""
            never = step.a_day <= 0 and step.name != self.shown.unseen_at
            yield from self.box(step.name, name, detail, legend.of_step(step), never=never)
        if self.shown.unseen and self.shown.unseen_at == UNSEEN:
            yield from self.box(UNSEEN, self.reader.say("Leaves without being seen"), "", ["pool-none"], never=False)

    def box(self, key: str, name: str, detail: str, hues: Sequence[str], *, never: bool) -> Iterator[str]:
        shape = self.shape
        x, y = self.at(self.along(self.placed.layer[key]), self.placed.middle[key] - shape.breadth / 2)
        width, height = (shape.breadth, shape.depth) if shape.down else (shape.depth, shape.breadth)
        yield f'<g class="stage{" never" if never else ""}"><title>{escape(name)}</title>'
        yield rect(x, y, width, height, "box", 0.3)
        for i, hue in enumerate(hues):
            yield rect(x + 0.38 * i, y, 0.32, height, hue, 0.15)
        left = x + 0.38 * len(hues)
        yield from self.words(name, detail, (left + x + width) / 2, y, x + width - left - 0.12, height)
        yield "</g>"

    def words(self, name: str, detail: str, middle: float, top: float, width: float, height: float) -> Iterator[str]:
        size, lines = fitted(name, width, height, self.shape.letter, detail)
        leading = size * 1.12
        block = leading * (len(lines) + bool(detail))
        y = top + (height - block) / 2 + size * 0.85
        for line in lines:
            yield text_at(middle, y, line, "name", size, "middle")
            y += leading
        if detail:
            yield text_at(middle, y, detail, "detail", size, "middle")


def _styles(theme: Theme) -> str:
    """The picture's own stylesheet: it is shown as an image, which the page's does not reach."""
    c = colours(theme)
    hues = [f"pool-{i}" for i in range(1, HUES + 1)] + ["pool-beds", "pool-spaces", "pool-none"]
    rules = [
        f".zone{{fill:{c['zone']};stroke:{c['line']};stroke-width:.06}}",
        f".head{{fill:{c['zone']};fill-opacity:.8}}",
        f".zone-name{{fill:{c['muted']};font-weight:600}}",
        f".way{{fill:none;stroke:{c['way']};stroke-opacity:.8}}.way-tip{{fill:{c['way']}}}",
        f".unseen{{fill:none;stroke:{c['warn']};stroke-dasharray:.3 .25}}.unseen-tip{{fill:{c['warn']}}}",
        f".box{{fill:{c['box']};stroke:{c['line']};stroke-width:.06}}.never{{opacity:.45}}",
        f".label{{fill:{c['ground']};fill-opacity:.85}}.share{{fill:{c['text']}}}",
        f".name{{fill:{c['text']};font-weight:600}}.detail{{fill:{c['muted']}}}",
        *(f".{hue}{{fill:{c[hue]}}}" for hue in hues),
    ]
    return f"<style>{''.join(rules)}</style>"


_STAFF = ("staff", "care")
