"""Which hosts are this machine: a name that only begins like one of its own is not."""

from __future__ import annotations

import pytest

from ingest.hosts import is_this_machine


@pytest.mark.parametrize(("host", "here"), [("localhost", True), ("127.8.8.8", True), ("::1", True), ("kafka", False),
                                            ("localhost.evil", False), ("10.0.0.1", False)])  # fmt: skip
def test_only_what_nobody_else_reaches_is_this_machine(host: str, here: bool) -> None:
    assert is_this_machine(host) is here
