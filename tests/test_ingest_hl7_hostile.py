"""No frame raises, hangs or costs more than its length; what is bent is accounted for like anything else."""

from __future__ import annotations

import tracemalloc
from collections import Counter

import numpy as np
import pytest

from ingest import hl7_text
from ingest.hl7_reasons import IGNORED, REASONS
from ingest.hl7_text import FAULTS, MAX_FRAME_BYTES, MAX_SEGMENTS
from tests.hl7_hostile import HEAD, SHAPES, bent, cost_s
from tests.hl7_messages import hl7, place

WHOLE, QUARTER = MAX_FRAME_BYTES - 1, MAX_FRAME_BYTES // 4
LINEAR = 4.0
"""How much more a frame of four times the length costs, if the cost is linear."""


def account(count: int, seed: int) -> Counter[str]:
    """What became of bent messages, kept and then read, and of what was kept and then bent."""
    form, chance = hl7(), np.random.default_rng(seed)
    became: Counter[str] = Counter()
    for number, frame in enumerate(bent(chance, count)):
        kept = form.kept(frame)
        reading = form.read(frame if number % 4 == 0 else kept.payload, place(number))
        assert number % 4 == 0 or kept.fault == (reading.rejected if reading.rejected in FAULTS else None)
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


def test_what_is_kept_of_a_frame_just_inside_the_bounds_can_be_read() -> None:
    frame = HEAD + b"\r".join([b"PV2|Salle Ren\xe9"] * (MAX_SEGMENTS - 4))
    kept = hl7().kept(frame)
    assert (kept.fault, hl7().read(kept.payload, place()).flags) == (None, ("charset_fallback", "unmapped_unit"))


def test_bytes_of_chance_never_raise() -> None:
    chance, form = np.random.default_rng(3), hl7()
    for length in chance.integers(0, 200, 500):
        noise = chance.integers(0, 256, length, dtype=np.uint8).tobytes()
        for frame in (noise, b"MSH" + noise, b"MSH|^~\\&" + noise, b"ZKF" + noise):
            reading = form.read(form.kept(frame).payload, place())
            assert reading.rejected or reading.ignored or reading.events
            assert form.read(frame, place()) is not None


def costs_s(shape: str) -> tuple[float, float]:
    """Processor time for a frame of the largest size, and of a quarter of it."""
    return cost_s(hl7(), SHAPES[shape](WHOLE)), cost_s(hl7(), SHAPES[shape](QUARTER))


def growth(whole_s: float, quarter_s: float) -> float:
    """How much more the larger costs; less than 20 ms, which a clock tells badly, counts as 20."""
    return max(0.02, whole_s) / max(0.02, quarter_s)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_cost_of_a_frame_is_linear_in_its_length_and_small(shape: str) -> None:
    assert WHOLE * 0.9 < len(SHAPES[shape](WHOLE)) <= MAX_FRAME_BYTES
    whole_s, quarter_s = costs_s(shape)
    assert whole_s < 0.25
    assert growth(whole_s, quarter_s) < 2 * LINEAR


def test_a_splitter_that_looks_at_all_that_is_left_again_and_again_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = hl7_text._over_bounds

    def quadratic(lines: list[str], separators: hl7_text.Separators) -> str | None:
        for start in range(0, len(lines[-1]), 600):
            lines[-1][start:].count(separators.field)
        return honest(lines, separators)

    monkeypatch.setattr(hl7_text, "_over_bounds", quadratic)
    assert growth(*costs_s("one long field")) > 2 * LINEAR


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
