"""What visits wait for next, by their last milestone: the situations that a present is drawn by."""

from __future__ import annotations

SITUATIONS: tuple[str, ...] = ("triage", "provider", "decision", "departure", "bed", "ward")
TRIAGE, PROVIDER, DECISION, DEPARTURE, BED, WARD = range(len(SITUATIONS))
BEGINS: dict[str, int] = {
    "Triaged": PROVIDER, "SeenByProvider": DECISION, "DecidedToDischarge": DEPARTURE, "DecidedToAdmit": BED,
}  # fmt: skip
"""The situation that each milestone begins."""
