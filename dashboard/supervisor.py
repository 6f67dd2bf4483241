"""What the house tells systemd, where it runs under it: that it is ready to be looked at, and that it is not stuck.

The watchdog is fed by whoever gets an answer from the log, which every writer and reader needs: a thread of the web
server may well answer while nothing can be stored any more. A log that answers that it takes no write feeds it too: to
be started again frees no disk, and the wall must stay. Without systemd (no `NOTIFY_SOCKET`) nothing is told to anybody.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Mapping

from dashboard.readiness import Readiness

logger = logging.getLogger(__name__)

FED_EVERY_S = 10.0
READY, FED, ENDING = "READY=1", "WATCHDOG=1", "STOPPING=1"


def tell_systemd(state: str, environment: Mapping[str, str] = os.environ) -> None:
    """Tell it; where it does not listen, go on."""
    place = environment.get("NOTIFY_SOCKET")
    if not place:
        return
    address = f"\0{place[1:]}" if place.startswith("@") else place
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
            line.sendto(state.encode(), address)
    except OSError as error:
        logger.warning("systemd cannot be told: %s", error.strerror or error)


def feed_watchdog(readiness: Readiness, stop: threading.Event, environment: Mapping[str, str] = os.environ) -> None:
    """Until the house ends, each time the log has answered."""
    while environment.get("NOTIFY_SOCKET") and not stop.is_set():
        readiness.answer()
        tell_systemd(FED, environment)
        stop.wait(FED_EVERY_S)
