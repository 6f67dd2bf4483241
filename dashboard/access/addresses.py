"""Where a request comes from: its address, through proxies that are trusted, and the page that sent it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

from flask import Request

SAFE = ("GET", "HEAD", "OPTIONS")
"""Methods that change nothing."""
_OURS = ("same-origin", "none")


def is_within(address: str | None, networks: Sequence[str]) -> bool:
    """Is the address in one of the networks? What is no address is in none."""
    try:
        found = ip_address(address or "")
    except ValueError:
        return False
    return any(found in ip_network(network) for network in networks)


def _is_loopback(address: str | None) -> bool:
    return is_within(address, ("127.0.0.0/8", "::1/128"))


@dataclass(frozen=True)
class Way:
    """How people reach the house: at `url` through proxies in `proxies`, or on this machine alone."""

    url: str | None = None
    proxies: tuple[str, ...] = ()

    @property
    def is_encrypted(self) -> bool:
        """Do people's browsers speak TLS?"""
        return self.url is not None and self.url.startswith("https://")

    def is_ours(self, request: Request) -> bool:
        """Did it come by a way on which people may sign in: a trusted proxy, or this machine; any, where no proxy is
        named."""
        return not self.proxies or self.is_by_proxy(request) or _is_loopback(request.remote_addr)

    def is_by_proxy(self, request: Request) -> bool:
        """Did a trusted proxy hand it on?"""
        return is_within(request.remote_addr, self.proxies)

    def address_of(self, request: Request) -> str:
        """Who asked: for a trusted proxy the last that it names, which the proxy itself has seen."""
        last = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
        return last if last and self.is_by_proxy(request) else request.remote_addr or ""

    def is_foreign(self, request: Request) -> bool:
        """Was it sent by a page of another site? Browsers say so by Sec-Fetch-Site, and by Origin where the link is in
        the clear; what says neither is no page."""
        if request.method in SAFE:
            return False
        site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
        if site is not None:
            return site not in _OURS
        return origin is not None and urlsplit(origin).netloc not in self._hosts(request)

    def _hosts(self, request: Request) -> tuple[str, ...]:
        return (request.host, *([urlsplit(self.url).netloc] if self.url else []))
