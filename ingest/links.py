"""How a source that runs stands at an instant, as the source itself knows it; the log tells the rest."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Kind = Literal["mllp", "kafka", "fhir", "events", "extracts"]
"""What a source is: HL7 over MLLP, a topic of Kafka, FHIR by HTTP, events of this process, files that were read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkNow:
    """A running source. What it does not have is None."""

    name: str
    """Its name in the log; a topic of Kafka is `kafka:TOPIC`, and `kafka:TOPIC[PARTITION]@ID` there."""
    kind: Kind
    heartbeat_at: datetime | None = None
    """When the other side last answered, whether it had something to say or not."""
    down_since: datetime | None = None
    backlog: int = 0
    """Messages that wait to be read."""
    connections: int | None = None
    is_whole: bool = True
    """Does it tell of every unit and kind that the log told of before? If not, none of these is missed."""
    fault: str | None = None
    """Why nothing more comes until a person does something; never a value that could name anyone."""

    def tells(self, source: str) -> bool:
        """Whether what the log calls so came by this link."""
        if self.kind == "kafka":
            return source.startswith(f"{self.name}[")
        return source == self.name
