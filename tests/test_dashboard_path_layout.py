"""Drawings of any path: no box on another, frames that hold their own and nothing else, ways that go forward."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard import path_layout
from dashboard.path_layout import Arrow, Box, Placed, Spacing, layers_of, place

SPACING = Spacing(head=1.0)


@st.composite
def graphs(draw: st.DrawFn) -> tuple[tuple[Box, ...], tuple[Arrow, ...]]:
    """Up to a dozen boxes in up to four zones; arrows mostly forward, some back, some to themselves."""
    n = draw(st.integers(1, 12))
    zones = draw(st.lists(st.sampled_from("abcd"), min_size=n, max_size=n))
    boxes = tuple(Box(f"s{i}", zone, 3.0) for i, zone in enumerate(zones))
    ends = st.tuples(st.integers(0, n - 1), st.integers(0, n - 1))
    pairs = draw(st.lists(ends, max_size=2 * n, unique=True))
    weight = st.floats(0, 1)
    return boxes, tuple(Arrow(f"s{a}", f"s{b}", draw(weight)) for a, b in pairs)


def faults(boxes: tuple[Box, ...], arrows: tuple[Arrow, ...], placed: Placed, *, apart: float) -> list[str]:
    """Boxes on each other or outside their frames, boxes in other zones' frames, ways that miss their ends."""
    out = []
    for one, other in combinations(boxes, 2):
        near = (
            abs(placed.middle[one.name] - placed.middle[other.name]) < (one.breadth + other.breadth) / 2 + apart - 1e-6
        )
        if near and placed.layer[one.name] == placed.layer[other.name]:
            out.append(f"{one.name} on {other.name}")
    for box in boxes:
        at, layer = placed.middle[box.name], placed.layer[box.name]
        frames = [f for f in placed.frames if f.first <= layer <= f.last and f.top < at < f.bottom]
        out += [f"{box.name} in {f.zone}" for f in frames if f.zone != box.zone]
        out += [f"{box.name} out of {box.zone}"] if not any(f.zone == box.zone for f in frames) else []
        if at - box.breadth / 2 < -1e-6 or at + box.breadth / 2 > placed.breadth + 1e-6:
            out.append(f"{box.name} off the sheet")
    for arrow, route in zip(arrows, placed.routes, strict=True):
        ends = [(placed.layer[n], placed.middle[n]) for n in (arrow.source, arrow.target)]
        if [route[0], route[-1]] != ends:
            out.append(f"{arrow} astray")
    return out


@settings(max_examples=60, deadline=None)
@given(graphs())
def test_a_wide_drawing_is_sound(graph: tuple[tuple[Box, ...], tuple[Arrow, ...]]) -> None:
    boxes, arrows = graph
    assert faults(boxes, arrows, place(boxes, arrows, SPACING), apart=SPACING.gap) == []


@settings(max_examples=60, deadline=None)
@given(graphs())
def test_a_narrow_drawing_is_sound_and_has_two_in_a_layer(graph: tuple[tuple[Box, ...], tuple[Arrow, ...]]) -> None:
    boxes, arrows = graph
    placed = place(boxes, arrows, SPACING, at_most=2)
    assert faults(boxes, arrows, placed, apart=SPACING.gap) == []
    layers = list(placed.layer.values())
    assert max(layers.count(number) for number in layers) <= 2


def test_boxes_that_lie_on_each_other_are_seen() -> None:
    """The mutant forgets how broad its boxes are."""
    boxes = (Box("a", "z", 3.0), Box("b", "z", 3.0), Box("c", "z", 3.0))
    arrows = (Arrow("a", "b", 1.0), Arrow("a", "c", 1.0))
    thin = tuple(Box(box.name, box.zone, 0.1) for box in boxes)
    assert faults(boxes, arrows, place(boxes, arrows, SPACING), apart=SPACING.gap) == []
    assert "b on c" in faults(boxes, arrows, place(thin, arrows, SPACING), apart=SPACING.gap)


def test_a_box_in_the_frame_of_another_zone_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mutant has frames that never meet; the box between two of another zone is then drawn in their frame."""
    boxes = (Box("one", "box", 3.0), Box("image", "imaging", 3.0), Box("two", "box", 3.0))
    arrows = (Arrow("one", "image", 1.0), Arrow("image", "two", 1.0))
    place.cache_clear()
    assert faults(boxes, arrows, place(boxes, arrows, SPACING), apart=SPACING.gap) == []
    monkeypatch.setattr(path_layout, "_meet", lambda one, other: False)
    place.cache_clear()
    assert "image in box" in faults(boxes, arrows, place(boxes, arrows, SPACING), apart=SPACING.gap)
    place.cache_clear()


def test_a_layer_is_behind_all_that_lead_to_it() -> None:
    arrows = [Arrow("a", "b", 1), Arrow("b", "c", 1), Arrow("a", "c", 1), Arrow("in", "c", 1), Arrow("c", "b", 1)]
    assert layers_of(["a", "b", "c", "in"], arrows) == {"a": 0, "b": 1, "c": 2, "in": 1}


def test_the_wide_way_is_the_straight_one() -> None:
    boxes = tuple(Box(name, "z", 3.0) for name in ("start", "much", "little", "end"))
    arrows = (
        *(Arrow("start", "much", 1.0), Arrow("start", "little", 0.01)),
        *(Arrow("much", "end", 1.0), Arrow("little", "end", 0.01)),
    )
    middle = place(boxes, arrows, SPACING).middle
    assert middle["start"] == pytest.approx(middle["much"]) == pytest.approx(middle["end"])
    assert abs(middle["little"] - middle["much"]) == pytest.approx(3.0 + SPACING.gap)


def test_a_zone_that_is_come_back_to_has_two_frames_on_a_narrow_screen() -> None:
    boxes = (Box("one", "box", 3.0), Box("image", "imaging", 3.0), Box("two", "box", 3.0))
    arrows = (Arrow("one", "image", 1.0), Arrow("image", "two", 1.0))
    placed = place(boxes, arrows, SPACING, at_most=2)
    assert [(f.zone, f.first, f.last) for f in placed.frames] == [("box", 0, 0), ("imaging", 1, 1), ("box", 2, 2)]
