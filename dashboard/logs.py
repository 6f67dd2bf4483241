"""What the house writes to standard error: lines for people, or one JSON object a line; in neither is anybody named.

    2026-11-27 08:12:00,123 WARNING dashboard.backups: no backup could be made
    {"at": "2026-11-27T08:12:00.123+00:00", "level": "WARNING", "logger": "dashboard.backups", "said": "no backup .."}

Who logs is trusted by an allow-list. What the house's own modules say is kept whole: none of them is given what a
message or a file says. Of anybody else's lines the place is kept, and the text before anything is filled in. Of an
exception its type and where it went by are kept, and its text only where it is ours (`EdtwinError`) or the system's
word for what is wrong with a file: any other text may repeat the value that it fell over, which may be a name.

Lines go to standard error alone. To keep, rotate and send them is the work of whatever runs the house.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from ingest.errors import EdtwinError

LogFormat = Literal["text", "json"]
OURS = ("ingest", "twin", "forecast", "dashboard", "__main__")
"""Packages whose lines are kept whole."""
_MOST_CAUSES = 5


class Lines(logging.Formatter):
    """Lines for people."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, and below it how an exception came about."""
        stamp = f"{self.formatTime(record)} {record.levelname} {record.name}: "
        return "\n".join([stamp + said(record), *_below(record)])


class JsonLines(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """The object; `fault` holds an exception and those that it came from."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        told: dict[str, Any] = {"at": at, "level": record.levelname, "logger": record.name, "said": said(record)}
        if (error := _error_of(record)) is not None:
            told["fault"] = [_fault(one) for one in _chain(error)]
        return json.dumps(told, ensure_ascii=False)


_FORMS: dict[LogFormat, type[Lines] | type[JsonLines]] = {"text": Lines, "json": JsonLines}


def set_up() -> None:
    """Begin to log, in lines for people; `use` says otherwise once the settings are read."""
    handler = logging.StreamHandler()
    handler.setFormatter(Lines())
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    logging.getLogger("apscheduler").setLevel(logging.ERROR)  # late and missed turns are counted on the wall
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # a line a request that waits: as many as come


def use(form: LogFormat) -> None:
    """Log in a form from here on."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler.formatter, Lines | JsonLines):
            handler.setFormatter(_FORMS[form]())


def tell(words: str) -> None:
    """Say something to whoever started the house: as it is, or as a line like all others where those are JSON."""
    forms = [handler.formatter for handler in logging.getLogger().handlers]
    if not any(isinstance(form, JsonLines) for form in forms):
        print(words, file=sys.stderr, flush=True)
        return
    record = logging.makeLogRecord({"name": __name__, "levelno": logging.INFO, "levelname": "INFO", "msg": words})
    print(JsonLines().format(record), file=sys.stderr, flush=True)


@contextmanager
def heard_until(end: threading.Event, name: str) -> Iterator[None]:
    """Within the block, nothing more of a logger's own lines once the end has begun; after it, as before."""

    def goes_on(record: logging.LogRecord) -> bool:
        return not end.is_set()

    logger = logging.getLogger(name)
    logger.addFilter(goes_on)
    try:
        yield
    finally:
        logger.removeFilter(goes_on)


def catch_the_rest() -> None:
    """What nobody catches, in any thread, becomes a line as well, and not a trace with whatever it fell over."""

    def caught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        logging.getLogger(__name__).critical("a fault that nobody had thought of", exc_info=(kind, error, trace))

    def in_a_thread(told: threading.ExceptHookArgs) -> None:
        if told.exc_value is not None:
            caught(told.exc_type, told.exc_value, told.exc_traceback)

    sys.excepthook, threading.excepthook = caught, in_a_thread


def said(record: logging.LogRecord) -> str:
    """What a record may say: whole where it is ours; of anybody else's the place, and the text without its values."""
    if record.name.partition(".")[0] in OURS:
        return record.getMessage()
    place = f"{Path(record.pathname).name}:{record.lineno}"
    return f"{record.msg} ({place})" if record.args and isinstance(record.msg, str) else place


def _error_of(record: logging.LogRecord) -> BaseException | None:
    return record.exc_info[1] if isinstance(record.exc_info, tuple) else None


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The exception, and those that it came from."""
    one: BaseException | None = error
    for _ in range(_MOST_CAUSES):
        if one is None:
            return
        yield one
        one = one.__cause__ or (None if one.__suppress_context__ else one.__context__)


def _fault(error: BaseException) -> dict[str, Any]:
    stack = traceback.extract_tb(error.__traceback__)
    where = [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in stack]
    return {"type": type(error).__name__, "said": _own_words(error), "at": where}


def _own_words(error: BaseException) -> str | None:
    if isinstance(error, EdtwinError):
        return str(error)
    return error.strerror if isinstance(error, OSError) else None


def _below(record: logging.LogRecord) -> Iterator[str]:
    error = _error_of(record)
    for fault in map(_fault, _chain(error)) if error is not None else ():
        yield f"  {fault['type']}: {fault['said'] or 'its text is not kept'}"
        yield from (f"    {place}" for place in fault["at"])
