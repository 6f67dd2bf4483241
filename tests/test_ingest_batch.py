"""The pieces of a batch: whole tables of events, verdicts, what was seen before, accounts that add up."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from ingest.batch import NOTHING_READ, Batch, Seen, Verdicts, event_ids, events_table, fingerprints, instants
from ingest.columns import SCHEMA
from ingest.local_times import ABSENT
from ingest.log import Account, Rejected

PAIRS = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 2)), max_size=30)


def by_hand(pairs: list[tuple[int, int]]) -> list[str]:
    """The first of a key stands; a later one repeats it or contradicts it."""
    first: dict[int, int] = {}
    verdicts = []
    for key, said in pairs:
        verdicts.append("new" if key not in first else "repeats" if first[key] == said else "contradicts")
        first.setdefault(key, said)
    return verdicts


@given(PAIRS, st.integers(1, 10))
def test_the_first_of_a_key_stands_in_whatever_chunks_it_comes(pairs: list[tuple[int, int]], size: int) -> None:
    seen, verdicts = Seen(), list[str]()
    for start in range(0, len(pairs), size):
        keys, contents = (np.array(c, dtype=np.uint64) for c in zip(*pairs[start : start + size], strict=True))
        repeats, contradicts = seen.compare(keys, contents)
        verdicts += [
            "repeats" if r else "contradicts" if c else "new" for r, c in zip(repeats, contradicts, strict=True)
        ]
    assert verdicts == by_hand(pairs)


def test_equal_content_has_equal_fingerprints() -> None:
    numbers = np.array([1, 1, 2, 1])
    words = pa.array(["a", "a", "a", None], pa.string())
    made = fingerprints([numbers, words]).tolist()
    assert made[0] == made[1]
    assert len(set(made)) == 3
    assert made[3] == fingerprints([numbers[3:], words[3:]])[0], "whatever stands around it"


def test_the_first_broken_rule_counts() -> None:
    verdicts = Verdicts(3)
    verdicts.break_("missing_key", "no number", np.array([False, True, False]))
    verdicts.break_("in_future", "too late", np.array([False, True, True]))
    assert verdicts.good.tolist() == [True, False, False]
    assert verdicts.broken() == [(1, "missing_key", "no number"), (2, "in_future", "too late")]


def test_pieces_make_one_table_of_the_vocabulary() -> None:
    piece = {
        "kind": pa.array(["Arrived"]), "event_id": event_ids("er", pa.array(["v"]), "Arrived", "0"),
        "occurred_at": instants(np.array([0])), "known_at": instants(np.array([ABSENT])), "source": pa.array(["er"]),
        "position": pa.array([1]), "visit": pa.array(["v"]),
    }  # fmt: skip
    table = events_table([piece, piece])
    assert table.schema == SCHEMA
    assert table["event_id"].to_pylist() == ["er/v/Arrived/0"] * 2
    assert table["known_at"].null_count == table["unit"].null_count == 2
    assert events_table([]).schema == SCHEMA


def test_accounts_add_up() -> None:
    batch = Batch(
        table=SCHEMA.empty_table(), read=9, repeated=1, ignored=2, flags={"missing": 1},
        rejected=[Rejected(position=2, place="x", reason="in_future")], ignored_by_name={"Coffee": 2},
    )  # fmt: skip
    became = Account(read=9, stored=4, duplicate=2, ignored=2, rejected=1)
    total = NOTHING_READ.with_batch(batch, became).with_batch(batch, became)
    assert (total.read, total.stored, total.duplicate, total.ignored, total.rejected) == (18, 8, 4, 4, 2)
    assert (total.reasons, total.ignored_by_name, total.flags) == ({"in_future": 2}, {"Coffee": 4}, {"missing": 2})
