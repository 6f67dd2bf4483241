"""Who may send: by address, and by what a message says of its sender."""

from __future__ import annotations

import pytest

from ingest.errors import SenderError
from ingest.sources.mllp_senders import Senders

NAMED = Senders(["GAM^CHU@10.1.0.0/16", "@192.168.5.7", "LAB@10.2.0.1", "^CHU@fd00::/8"])


@pytest.mark.parametrize(
    ("address", "application", "facility", "may"),
    [
        ("10.1.2.3", "GAM", "CHU", True),
        ("10.1.2.3", "GAM", "OTHER", False),
        ("10.1.2.3", "LAB", "CHU", False),
        ("10.2.0.1", "LAB", "ANY", True),
        ("10.2.0.2", "LAB", "ANY", False),
        ("192.168.5.7", "", "", True),
        ("192.168.5.8", "GAM", "CHU", False),
        ("fd12::1", "X", "CHU", True),
        ("::ffff:10.1.2.3", "GAM", "CHU", True),
        ("fe80::1%eth0", "X", "CHU", False),
        ("127.0.0.1", "GAM", "CHU", False),
    ],
)
def test_who_may_send(address: str, application: str, facility: str, may: bool) -> None:
    assert NAMED.may_send(address, application, facility) is may
    if may:
        assert NAMED.may_connect(address)


def test_whoever_is_in_no_network_may_not_even_connect() -> None:
    assert [NAMED.may_connect(a) for a in ("10.1.9.9", "10.3.0.1", "127.0.0.1")] == [True, False, False]


def test_where_nobody_is_named_this_machine_may_send() -> None:
    assert [Senders().may_send(a, "X", "Y") for a in ("127.0.0.1", "::1", "10.0.0.1")] == [True, True, False]


@pytest.mark.parametrize("text", ["GAM", "GAM@", "GAM^CHU@10.1.0.0/99", "@host.example", ""])
def test_a_sender_that_cannot_be_read_is_told(text: str) -> None:
    with pytest.raises(SenderError, match="a sender must be like APPLICATION"):
        Senders([text])
