"""No frame raises, hangs or costs more than its length; what is bent is accounted for like anything else."""

from __future__ import annotations

import tracemalloc
from collections import Counter

import numpy as np
import pytest

from ingest import hl7_text
from ingest.hl7 import Hl7
from ingest.hl7_reasons import IGNORED, REASONS
from ingest.hl7_text import MAX_FRAME_BYTES
from tests.hl7_hostile import SHAPES, bent, cost_s
from tests.hl7_messages import hl7, place

WHOLE, QUARTER = MAX_FRAME_BYTES - 1, MAX_FRAME_BYTES // 4
LINEAR = 4.0
"""How much more a frame of four times the length costs, if the cost is linear."""


def account(count: int, seed: int) -> Counter[str]:
    """What became of bent messages, kept and then read, and of what was kept and then bent."""
    form, chance = hl7(), np.random.default_rng(seed)
    became: Counter[str] = Counter()
    for number, frame in enumerate(bent(chance, count)):
        payload = frame if number % 4 == 0 else form.kept(frame).payload
        reading = form.read(payload, place(number))
        assert bool(reading.events) + (reading.ignored is not None) + (reading.rejected is not None) == 1
        became["applied" if reading.events else reading.ignored or reading.rejected or ""] += 1
    return became


def check(became: Counter[str], count: int) -> None:
    assert became.total() == count
    assert set(became) <= {"applied", *IGNORED, *REASONS}
    assert len(became) > 10
    assert became["applied"] > count / 10


def test_bent_messages_never_raise_and_the_account_balances() -> None:
    check(account(4_000, seed=20_261_125), 4_000)


@pytest.mark.soak
def test_fifty_thousand_bent_messages_never_raise() -> None:
    check(account(50_000, seed=1), 50_000)


def test_bytes_of_chance_never_raise() -> None:
    chance, form = np.random.default_rng(3), hl7()
    for length in chance.integers(0, 200, 500):
        noise = chance.integers(0, 256, length, dtype=np.uint8).tobytes()
        for frame in (noise, b"MSH" + noise, b"MSH|^~\\&" + noise, b"ZKF" + noise):
            reading = form.read(form.kept(frame).payload, place())
            assert reading.rejected or reading.ignored or reading.events
            assert form.read(frame, place()) is not None


def growth(form: Hl7, shape: str) -> float:
    """How much more a frame of the largest size costs than a quarter of it; costs under 20 ms count as 20."""
    return max(0.02, cost_s(form, SHAPES[shape](WHOLE))) / max(0.02, cost_s(form, SHAPES[shape](QUARTER)))


@pytest.mark.parametrize("shape", SHAPES)
def test_the_cost_of_a_frame_is_linear_in_its_length_and_small(shape: str) -> None:
    frame = SHAPES[shape](WHOLE)
    assert WHOLE * 0.9 < len(frame) <= MAX_FRAME_BYTES
    assert cost_s(hl7(), frame) < 0.25
    assert growth(hl7(), shape) < 2 * LINEAR


def test_a_splitter_that_looks_at_all_that_is_left_again_and_again_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = hl7_text._over_bounds

    def quadratic(lines: list[str], separators: hl7_text.Separators) -> str | None:
        for start in range(0, len(lines[-1]), 300):
            lines[-1][start:].count(separators.field)
        return honest(lines, separators)

    monkeypatch.setattr(hl7_text, "_over_bounds", quadratic)
    assert growth(hl7(), "one long field") > 2 * LINEAR


def peak_mb(frame: bytes) -> float:
    """The most memory that keeping and reading a frame takes at once."""
    form = hl7()
    tracemalloc.start()
    try:
        form.read(form.kept(frame).payload, place())
        return tracemalloc.get_traced_memory()[1] / 1e6
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("shape", ["lines", "many patients", "many times", "escapes in pairs"])
def test_a_frame_takes_little_memory(shape: str) -> None:
    assert peak_mb(SHAPES[shape](WHOLE)) < 64


@pytest.mark.soak
@pytest.mark.parametrize("shape", SHAPES)
def test_no_frame_takes_much_memory(shape: str) -> None:
    assert peak_mb(SHAPES[shape](WHOLE)) < 64
