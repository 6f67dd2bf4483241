"""What a member of a small hospital tells, mark by mark."""

from __future__ import annotations

from ingest.events import RANK
from twin.story import Story

MEDICINE, SURGERY = 1, 2
"""The wards of the small hospital, by code."""
KIND = {rank: kind for kind, rank in RANK.items()}
Told = list[tuple[float, str, int]]


def told(story: Story) -> Told:
    """(minute, kind, visit) in the order of the story."""
    return [
        (at, KIND[kind], visit)
        for at, kind, visit in zip(story.at_min.tolist(), story.kind.tolist(), story.visit.tolist(), strict=True)
    ]
