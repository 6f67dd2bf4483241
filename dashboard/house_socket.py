"""How a command asks the running house that holds the data: one process holds them, so it does the work itself.

    data/asked/house.sock     a socket in a folder that its owner alone may enter; beside no house it is not there

A question is one line of JSON, `{"do": "backup", ..}`, and so is its answer: `{"value": {..}}`, or `{"fault": "a
sentence"}` that the command prints as its own. Whoever may open the data may ask; nobody else can, and nothing of it
can be reached over a network.
"""

from __future__ import annotations

import json
import logging
import os
import socket
import socketserver
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from dashboard.errors import CommandError
from ingest.errors import EdtwinError

logger = logging.getLogger(__name__)

FOLDER = "asked"
_NAME = "house.sock"
_LONGEST_QUESTION = 64 * 1024
_PATIENCE_S = 30.0
"""How long a question may take to come."""
_POLL_S = 0.2
"""How soon it notices that the house ends."""
LONGEST_ANSWER_S = 3600.0
"""How long a command waits: a backup of many years takes its time."""
Answer = Callable[[dict[str, Any]], Mapping[str, Any]]


class Asked:
    """Answers commands while the house runs. `start` it, `stop` it."""

    def __init__(self, data: Path, answers: Mapping[str, Answer]) -> None:
        self._folder, self._answers = data / FOLDER, dict(answers)
        self._server: socketserver.BaseServer | None = None

    def start(self) -> None:
        """Begin to listen; where that cannot be, the house goes on without, and says so in its log."""
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            self._folder.chmod(0o700)
            (self._folder / _NAME).unlink(missing_ok=True)  # of a house that was killed: we hold the data now
            with _reached(self._folder) as place:
                self._server = _Listening(place, self._answers)
        except OSError as error:
            logger.warning("commands cannot ask this house: %s", error.strerror or error)
            return
        threading.Thread(target=self._server.serve_forever, args=(_POLL_S,), name="asked", daemon=True).start()

    def stop(self) -> None:
        """Listen no more; what is being answered goes on in its thread."""
        if self._server is None:
            return
        self._server.shutdown()
        self._server.server_close()
        with suppress(OSError):
            (self._folder / _NAME).unlink()


class _Listening(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, place: str, answers: Mapping[str, Answer]) -> None:
        self.answers = answers
        super().__init__(place, _Question)


class _Question(socketserver.StreamRequestHandler):
    timeout = _PATIENCE_S
    server: _Listening

    def handle(self) -> None:
        """Answer one question; a command that has gone meanwhile hears nothing."""
        with suppress(OSError):
            line = self.rfile.readline(_LONGEST_QUESTION)
            self.wfile.write(json.dumps(_answered(line, self.server.answers)).encode() + b"\n")


def _answered(line: bytes, answers: Mapping[str, Answer]) -> dict[str, Any]:
    try:
        question = json.loads(line)
        answer = answers.get(str(question.get("do"))) if isinstance(question, dict) else None
    except ValueError:
        answer = None
    if answer is None:
        return {"fault": f"a running house can be asked for {', '.join(sorted(answers))}"}
    try:
        return {"value": dict(answer(question))}
    except EdtwinError as error:
        return {"fault": str(error)}
    except Exception as error:
        logger.exception("a command could not be answered")
        return {"fault": f"the running house could not do it: {type(error).__name__}"}


def ask(data: Path, do: str, **told: Any) -> dict[str, Any] | None:
    """What the running house of a folder answers; None where none listens. Raises CommandError with its sentence."""
    try:
        with _reached(data / FOLDER) as place, socket.socket(socket.AF_UNIX) as line:
            line.settimeout(LONGEST_ANSWER_S)
            line.connect(place)
            line.sendall(json.dumps({"do": do, **told}).encode() + b"\n")
            with line.makefile("rb") as answer:
                said = json.loads(answer.readline())
    except (FileNotFoundError, ConnectionRefusedError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        raise CommandError(f"the running house of {data} gave no answer: {error}") from error
    if "fault" in said:
        raise CommandError(said["fault"])
    value: dict[str, Any] = said["value"]
    return value


@contextmanager
def _reached(folder: Path) -> Iterator[str]:
    """The socket's address. One may have 107 bytes and a folder more, so Linux is shown the folder by its number."""
    by_number = Path("/proc/self/fd")
    if not by_number.is_dir():
        yield str(folder / _NAME)
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield str(by_number / str(handle) / _NAME)
    finally:
        os.close(handle)
