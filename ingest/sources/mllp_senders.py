"""Who may send: a network and, where stated, the application and facility that the message names (MSH-3, MSH-4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from ingest.errors import SenderError

LOOPBACK = ("@127.0.0.0/8", "@::1")
"""Who may send where nobody is named: programs of this machine."""
ANYONE = "*"


@dataclass(frozen=True, slots=True)
class Sender:
    """`application^facility@network`, each part free to be left out or `*`."""

    application: str
    facility: str
    network: IPv4Network | IPv6Network

    @classmethod
    def of(cls, text: str) -> Sender:
        """From text such as `GAM^CHU@10.1.0.0/16`. Raises SenderError."""
        names, _, network = text.strip().rpartition("@")
        application, _, facility = names.partition("^")
        try:
            return cls(application or ANYONE, facility or ANYONE, ip_network(network, strict=False))
        except ValueError as error:
            raise SenderError(
                f"a sender must be like APPLICATION^FACILITY@10.1.0.0/16 or @10.1.2.3, but is {text!r}"
            ) from error

    def reaches(self, address: str) -> bool:
        """Is the address one of its network?"""
        peer = ip_address(address.partition("%")[0])
        mapped = getattr(peer, "ipv4_mapped", None)
        return (mapped or peer) in self.network

    def is_named(self, application: str, facility: str) -> bool:
        """Is it this application and facility?"""
        return self.application in (ANYONE, application) and self.facility in (ANYONE, facility)


class Senders:
    """The senders that are let in."""

    def __init__(self, texts: Sequence[str] = ()) -> None:
        """Raises SenderError for one that cannot be read. Without any, only this machine may send."""
        self._senders = [Sender.of(text) for text in texts or LOOPBACK]

    def may_connect(self, address: str) -> bool:
        """May anyone at this address send?"""
        return any(sender.reaches(address) for sender in self._senders)

    def may_send(self, address: str, application: str, facility: str) -> bool:
        """May this application and facility send from this address?"""
        return any(s.reaches(address) and s.is_named(application, facility) for s in self._senders)
