"""The state followed along the log: each call folds in what became known since the last.

A state is begun at a fixed date of knowledge, the same however one came to the instant: so a house that has run for
months, one just started and a replay have the same state, and what it holds stays bounded. One that starts again reads
the last snapshot (`twin/state_snapshot.py`) and folds in what became known since.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ingest.events import BY_KIND, CensusObserved, SupplyEvent, VisitEvent
from ingest.log import EventLog
from twin.state import State, fold
from twin.state_snapshot import from_bytes, to_bytes

KEEP_DAYS = 120.0
"""Days of knowledge that a state holds at least: the window of a calibration and the longest stays in wards."""
RENEWED = timedelta(days=30)
"""How much more it may hold before it is begun anew."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
KINDS: tuple[str, ...] = tuple(name for name, cls in BY_KIND.items() if cls is not CensusObserved)
"""What a state is made of: no aggregate counts, which know no patients and may come by the million."""
PLACE_KINDS: tuple[str, ...] = tuple(name for name in KINDS if not issubclass(BY_KIND[name], VisitEvent | SupplyEvent))
"""Beds, staff and resources stay as they were last told, however long ago; of stocks, no more than of visits."""
SAVED_EVERY = timedelta(hours=6)
"""How much knowledge may lie between two snapshots."""
_SNAPSHOT = "twin.state"
_SNAPSHOTS = 2


class Memory:
    """The state as known at one instant after the other; going forward is cheap, but once in 30 days it begins anew.

    It begins from the last snapshot in the log that is still true, where there is one. With `saves` it leaves some.
    """

    def __init__(self, log: EventLog, *, keep_days: float = KEEP_DAYS, saves: bool = False) -> None:
        self._log, self._keep, self._saves = log, timedelta(days=keep_days), saves
        self._state = State()
        self._begun_at: datetime | None = None
        self._known_at: datetime | None = None
        self._saved_at: datetime | None = None
        self._seen = 0

    @property
    def seen(self) -> int:
        """The length of the log before the last state was read from it."""
        return self._seen

    def at(self, known_at: datetime) -> State:
        """The state of what was known at the instant.

        1. Begin anew where nothing is held that leads there, or where the log has since learned what should be in it.
        2. Fold in what became known since.
        3. Leave a snapshot, if the last is old.
        """
        seen = self._log.length()  # before anything is read: what is stored meanwhile is looked for the next time
        begun_at = known_at - self._keep - (known_at - self._keep - _EPOCH) % RENEWED
        held_at = self._known_at if self._leads_to(known_at, begun_at) else None
        if held_at is None:
            held_at = self._begin(begun_at, known_at)  # 1
        if known_at > held_at:
            self._state = fold(self._state, self._log.read_versions(held_at, known_at, KINDS))  # 2
        self._known_at, self._seen = known_at, seen
        if self._saves and (self._saved_at is None or known_at - self._saved_at >= SAVED_EVERY):
            self._save(begun_at, known_at)  # 3
        return self._state

    def _leads_to(self, known_at: datetime, begun_at: datetime) -> bool:
        if self._known_at is None or known_at < self._known_at or begun_at != self._begun_at:
            return False
        return not self._log.has_learned(self._seen, self._known_at)

    def _begin(self, begun_at: datetime, known_at: datetime) -> datetime:
        """Hold a state of this beginning; the instant of which it is."""
        self._begun_at = begun_at
        snapshot = self._log.latest_snapshot(_SNAPSHOT, known_at)
        state = from_bytes(snapshot.blob) if snapshot is not None and snapshot.at == begun_at else None
        if snapshot is not None and state is not None:
            self._state, self._saved_at = state, snapshot.known_at
            return snapshot.known_at
        self._state, self._saved_at = fold(State(), self._log.read(known_at=begun_at, kinds=PLACE_KINDS)), None
        return begun_at

    def _save(self, begun_at: datetime, known_at: datetime) -> None:
        told = to_bytes(self._state)
        self._log.save_snapshot(_SNAPSHOT, begun_at, known_at, told, seen=self._seen, keep=_SNAPSHOTS)
        self._saved_at = known_at
