"""Which hosts are this machine itself: only these may be spoken to in the clear without being asked for."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit


def is_this_machine(host: str) -> bool:
    """True for a name or an address of this machine that nobody else reaches."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def is_network(text: str) -> bool:
    """Is it an address, or a network without loose bits, such as 10.1.2.0/24?"""
    try:
        ip_network(text)
    except ValueError:
        return False
    return True


def is_safe(address: str) -> bool:
    """Is it an address that is reached by TLS, or on this machine?"""
    parts = urlsplit(address)
    return parts.scheme == "https" or (parts.scheme == "http" and is_this_machine(parts.hostname or ""))
