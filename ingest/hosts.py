"""Which hosts are this machine itself: only these may be spoken to in the clear without being asked for."""

from __future__ import annotations

from ipaddress import ip_address


def is_this_machine(host: str) -> bool:
    """True for a name or an address of this machine that nobody else reaches."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
