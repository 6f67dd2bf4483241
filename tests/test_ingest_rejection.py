"""A rejected row says why and where, and keeps what it was given to keep."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ingest.log import Rejected
from ingest.rejection import REASONS, rejection

INGEST = Path(__file__).parent.parent / "ingest"


def test_a_rejection_tells_reason_place_and_what_is_kept() -> None:
    assert rejection("x.csv", 7, "in_future", "left is after the extract", {"visit": "abc", "sex": None}) == Rejected(
        position=7, place="x.csv:row 7", reason="in_future", text="left is after the extract (visit abc)"
    )
    assert rejection("x.csv", 7, "malformed", "too many cells", {}).text == "too many cells"


def test_a_reason_that_nobody_explains_is_a_bug() -> None:
    with pytest.raises(AssertionError):
        rejection("x.csv", 1, "odd", "odd", {})


@pytest.mark.parametrize("module", ["wide.py", "long.py"])
def test_every_rule_has_a_reason_that_is_explained(module: str) -> None:
    used = set(re.findall(r'break_\(\s*"(\w+)"', (INGEST / module).read_text()))
    assert used
    assert used <= set(REASONS)
