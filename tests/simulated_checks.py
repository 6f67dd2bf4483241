"""What must hold of a simulated house, checked against what was sent and never against what it says of itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from forecast.board import Board
from ingest.events import Arrived, Departed, Event, LeftDuringCare, LeftWard, LeftWithoutBeingSeen
from ingest.log import EventLog
from twin.state import State, fold

if TYPE_CHECKING:
    from tests.simulated_house import House, World

SILENT = timedelta(hours=2)
"""A feed that was silent for so long must not be shown as live."""
VIEWS_LOOKED_AT = 6
"""So many of the views that cycles had are made again at the end."""


def _hash_of(log: EventLog, at: datetime) -> str:
    return fold(State(), log.read_versions(None, at)).hash


def check_board(board: Board, world: World) -> None:
    """What was not heard of for long is not shown as live."""
    world.note(f"board {board.feed.state}")
    silent = world.clock.now() - world.heard_at
    if silent > SILENT and board.feed.state == "live":
        world.wrong(f"the board says live, but nothing was heard for {silent}")


def check_journal(house: House, world: World) -> None:
    """Each message once, in the order of their instants."""
    records = house.told()
    offsets = Counter(record.position.offset for record in records)
    for sent in world.coming:
        if offsets[sent.offset] != 1:
            world.wrong(f"message {sent.offset} is {offsets[sent.offset]} times in the journal")
    stored = [record.stored_at for record in records]
    if stored != sorted(set(stored)):
        world.wrong("records of the journal are not in the order of their instants")


def check_log(house: House, world: World) -> None:
    """Each event once and no other; garbage in the quarantine; the census of what was told."""
    table = house.log.read_table()
    ids = Counter(table.column("event_id").to_pylist())
    expected = set(world.events)
    for lost in sorted(expected - set(ids)):
        world.wrong(f"event {lost} was told and is not in the log")
    for extra in sorted(set(ids) - expected):
        world.wrong(f"event {extra} is in the log and was never told")
    for event_id, count in ids.items():
        if count > 1:
            world.wrong(f"event {event_id} is {count} times in the log")
    rejected = sum(w.count for w in house.log.traffic().waiting())
    poison = sum(one.event_id is None for one in world.coming)
    if rejected != poison:
        world.wrong(f"{poison} messages could not be read, but the quarantine has {rejected}")
    census = len(fold(State(), house.log.read_versions(None, world.clock.now())).present(world.clock.now()))
    if census != (truly := _present(world.events.values(), world.clock.now())):
        world.wrong(f"{census} are present by the log, but {truly} by what was told")


def _present(events: Iterable[Event], at: datetime) -> int:
    """Who came and has not left, by what was told."""
    came = {e.visit for e in events if isinstance(e, Arrived) and e.occurred_at <= at}
    left = (Departed, LeftDuringCare, LeftWard, LeftWithoutBeingSeen)
    return len(came - {e.visit for e in events if isinstance(e, left) and e.occurred_at <= at})


def check_views(house: House, world: World) -> None:
    """What a cycle saw is seen again, whatever became known since."""
    for at, seen in world.views[:: max(len(world.views) // VIEWS_LOOKED_AT, 1)]:
        if _hash_of(house.log, at) != seen:
            world.wrong(f"the view at {at} is another than it was")
