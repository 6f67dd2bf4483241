"""A port of loopback that nobody listens on."""

from __future__ import annotations

import socket


def free_port() -> int:
    """Free now; whoever needs it takes it at once."""
    with socket.create_server(("127.0.0.1", 0)) as ear:
        return int(ear.getsockname()[1])
