"""What is logged: a line or an object, with where it went wrong, and with nobody's name in it."""

from __future__ import annotations

import argparse
import io
import json
import logging
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dashboard import logs
from dashboard.commands.typed import settings_of
from dashboard.logs import JsonLines, Lines
from ingest.errors import EdtwinError
from tests.commands import Run, runs
from tests.hl7_canaries import CANARIES, everywhere

NAME, NUMBER = CANARIES[0], CANARIES[80]
FORMS = [Lines, JsonLines]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    return runs(capsys)


@contextmanager
def heard(form: logging.Formatter) -> Iterator[io.StringIO]:
    """Everything that is logged inside the block, down to the last detail."""
    out, root = io.StringIO(), logging.getLogger()
    handler, before = logging.StreamHandler(out), root.level
    handler.setFormatter(form)
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield out
    finally:
        root.removeHandler(handler)
        root.setLevel(before)


def log_what_names_somebody() -> None:
    """A name in every place of a line that is not the house's own to fill."""
    for name in ("waitress", "kafka.conn", "flask.app", "dash.dash"):
        foreign = logging.getLogger(name)
        foreign.warning("Exception on %s", f"/?patient={NAME}")
        foreign.warning(f"Exception while serving /{NAME}")
        foreign.error({"patient": NAME})
    ours = logging.getLogger("forecast.loop")
    for error in (ValueError(f"invalid literal {NAME!r}"), KeyError(NUMBER), OSError(2, "No such file", f"/x/{NAME}")):
        try:
            try:
                raise error
            except Exception as first:
                raise RuntimeError(f"of patient {NUMBER}") from first
        except RuntimeError:
            ours.exception("the cycle failed")
    try:
        int(NAME)
    except ValueError:
        ours.warning("it could not be read", exc_info=True)


@pytest.mark.parametrize("form", FORMS)
def test_nobody_is_named_whoever_logs(form: type[logging.Formatter]) -> None:
    with heard(form()) as out:
        log_what_names_somebody()
    said = out.getvalue()
    assert NAME not in said
    assert NUMBER not in said
    assert "waitress" in said
    assert "the cycle failed" in said
    assert "ValueError" in said
    assert "log_what_names_somebody" in said, "where it went wrong is told"
    assert "No such file" in said, "and what the system says is wrong with a file"


def test_the_usual_lines_would_name_them() -> None:
    """The mutant: Python's own formatter."""
    with heard(logging.Formatter("%(message)s")) as out:
        log_what_names_somebody()
    assert NAME in out.getvalue()
    assert NUMBER in out.getvalue()


@pytest.mark.parametrize("form", FORMS)
def test_the_words_of_the_house_are_kept_whole(form: type[logging.Formatter]) -> None:
    with heard(form()) as out:
        try:
            raise EdtwinError("the disk of /data must have 512 MB free, but has 3 MB")
        except EdtwinError:
            logging.getLogger("ingest.pipeline").exception("%s: messages are refused until it can", "the journal")
    assert "the journal: messages are refused until it can" in out.getvalue()
    assert "the disk of /data must have 512 MB free, but has 3 MB" in out.getvalue()


def test_json_is_one_object_a_line_whatever_is_said() -> None:
    with heard(JsonLines()) as out:
        log_what_names_somebody()
        logging.getLogger("dashboard.x").warning("two\nlines, “quotes” and é")
    told = [json.loads(line) for line in out.getvalue().splitlines()]
    assert all({"at", "level", "logger", "said"} <= set(one) for one in told)
    assert told[-1]["said"] == "two\nlines, “quotes” and é"
    fault = next(one["fault"] for one in told if "fault" in one)
    assert [one["type"] for one in fault] == ["RuntimeError", "ValueError"]
    assert fault[0]["said"] is None
    assert fault[0]["at"][0].startswith("test_dashboard_logs.py:")


def test_messages_that_nobody_can_read_are_logged_without_what_they_say(run: Run, tmp_path: Path) -> None:
    """Names in any field of good and broken HL7, read by the command into a log."""
    frames = [frame for n, canary in enumerate(CANARIES[::50]) for frame in everywhere(canary, n)]
    (tmp_path / "adt.hl7").write_bytes(b"\r".join(frames))
    with heard(JsonLines()) as out:
        said = run(
            "ingest", tmp_path / "adt.hl7", "--format", "hl7", "--mapping", "hl7_default", "--data", tmp_path / "d",
            "--json",
        )  # fmt: skip
    assert said.status == 0, said.err
    assert said.json["rejected"] > 0
    logged = out.getvalue() + said.out + said.err
    assert [canary for canary in CANARIES if canary in logged] == []


def test_after_the_end_of_a_house_the_next_one_is_heard_again() -> None:
    """A filter that is left on a logger would silence every later house of the process, and nobody would know."""
    end, logger = threading.Event(), logging.getLogger("forecast.loop")
    with heard(Lines()) as out:
        with logs.heard_until(end, "forecast.loop"):
            logger.error("while it runs")
            end.set()
            logger.error("while it ends")
        logger.error("in the next")
    said = [line.rpartition(": ")[2] for line in out.getvalue().splitlines()]
    assert said == ["while it runs", "in the next"]


@pytest.mark.parametrize(("is_set_up", "lines"), [(False, 1), (True, 0)])
def test_requests_that_wait_are_no_lines(is_set_up: bool, lines: int) -> None:
    """The web server's queue tells of each of them: under load a log would hold nothing else."""
    queue = logging.getLogger("waitress.queue")
    queue.setLevel(logging.NOTSET)
    if is_set_up:
        logs.set_up()
    with heard(Lines()) as out:
        queue.warning("Task queue depth is %d", 7)
    assert out.getvalue().count("\n") == lines


# --- which form it has ----------------------------------------------------------------------------------------------


def test_the_form_is_that_of_the_setting(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "c.toml").write_text('log_format = "json"\n')
    with heard(Lines()) as out:
        settings_of(argparse.Namespace(config=tmp_path / "c.toml"))
        logging.getLogger("dashboard.x").warning("said in the form that was asked for")
        logs.tell("the wall is at http://127.0.0.1:1/")
        settings_of(argparse.Namespace(config=None))
        logging.getLogger("dashboard.x").warning("and as usual again")
        logs.tell("the wall is at http://127.0.0.1:2/")
    first, second = out.getvalue().splitlines()
    assert json.loads(first)["said"] == "said in the form that was asked for"
    assert second.endswith("WARNING dashboard.x: and as usual again")
    told, plain = capsys.readouterr().err.splitlines()
    assert json.loads(told)["said"] == "the wall is at http://127.0.0.1:1/"
    assert plain == "the wall is at http://127.0.0.1:2/"


def test_what_nobody_catches_is_a_line_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    logs.catch_the_rest()

    def falls() -> None:
        raise ValueError(NAME)

    with heard(JsonLines()) as out:
        thread = threading.Thread(target=falls)
        thread.start()
        thread.join()
        _uncaught(falls)
    told = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [one["level"] for one in told] == ["CRITICAL", "CRITICAL"]
    assert NAME not in out.getvalue()


def _uncaught(falls: Callable[[], None]) -> None:
    """As the interpreter does at the end of a process."""
    try:
        falls()
    except ValueError as error:
        sys.excepthook(type(error), error, error.__traceback__)
