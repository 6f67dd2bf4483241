"""Messages to recipients: real servers on this machine, each message once, tried again, given up, and nobody named."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from forecast import alert_deliveries
from forecast.alert_deliveries import PAUSES, Carrier, Postman, deliver, due, tried
from forecast.alert_log import AlarmLog, Step
from forecast.alert_mail import MailCarrier
from forecast.alert_message import subject, text
from forecast.alert_rules import Mail, Recipient
from forecast.alert_webhook import WebhookCarrier, signature, verified
from forecast.errors import UndeliveredError
from ingest.clock import SimulatedClock
from tests.alert_worlds import MIN, NOON, Department, department
from tests.ports import free_port

SECRET = "a-long-secret"
Carriers = Mapping[str, Carrier]


@dataclass
class Taker:
    """Carries by writing down; the first answers may be faults."""

    faults: list[UndeliveredError] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)

    def carry(self, step: Step) -> None:
        if self.faults:
            raise self.faults.pop(0)
        self.taken.append(step.key)


def everybody(**others: Taker) -> dict[str, Taker]:
    return {"shift": Taker(), "manager": Taker(), "hub": Taker(), **others}


def raised() -> Step:
    """The message of an alarm at noon."""
    with department() as d:
        d.after(0, 0.5)
        return d.alerts.log.steps()[0]


# --- once


def keys(carriers: Mapping[str, Taker]) -> list[str]:
    return [key for one in carriers.values() for key in one.taken]


def delivered_across_restarts(path: Path, log: type[AlarmLog] = AlarmLog) -> list[str]:
    """What recipients took of one alarm, delivered every minute in a house that starts again every time."""
    carriers = everybody()
    for minute in range(0, 40, 5):
        with department(path=path) as d:
            d.after(minute, 0.5)
            deliver(log(d.database), carriers, d.clock.now())
            deliver(log(d.database), carriers, d.clock.now())
    return keys(carriers)


def test_every_recipient_gets_an_alarm_once_whatever_restarts(tmp_path: Path) -> None:
    alarm = f"crowded-{NOON:%Y%m%dT%H%M%SZ}"
    told = [f"{alarm}/raised/0/shift", f"{alarm}/escalated/1/manager", f"{alarm}/escalated/1/hub"]
    assert delivered_across_restarts(tmp_path / "a.duckdb") == told


def test_a_house_that_does_not_write_down_what_it_sent_sends_it_again(tmp_path: Path) -> None:
    """The mutant."""

    class Careless(AlarmLog):
        def add(self, *_: object) -> None:
            """Nothing is kept."""

    assert len(delivered_across_restarts(tmp_path / "a.duckdb", Careless)) > 3


def test_one_that_died_between_sending_and_writing_sends_once_more_with_the_same_key() -> None:
    """What no log can rule out; the key lets the receiver know it again."""
    with department() as d:
        d.after(0, 0.5)
        carriers = everybody()
        with pytest.MonkeyPatch.context() as dying:
            dying.setattr(d.alerts.log, "add", lambda *_: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                deliver(d.alerts.log, carriers, NOON)
        deliver(d.alerts.log, carriers, NOON)
        deliver(d.alerts.log, carriers, NOON)
        assert len(carriers["shift"].taken) == 2
        assert len(set(carriers["shift"].taken)) == 1


# --- tried again


def test_a_message_that_is_not_taken_is_tried_again_with_growing_pauses_and_given_up() -> None:
    step, at, tries = raised(), NOON, []
    while step.next_at is not None:
        assert due([step], at - timedelta(seconds=1)) == []
        [found] = due([step], at)
        step = tried(found, at, UndeliveredError("busy"))
        tries.append(round((at - NOON) / timedelta(seconds=1)))
        at = step.next_at or at
    assert tries == [0, 15, 75, 315, 1215, 4815]
    assert len(tries) == len(PAUSES) + 1
    assert (step.outcome, step.error) == ("dead", "busy")


def test_what_will_never_be_taken_is_given_up_at_once_and_counted() -> None:
    with department() as d:
        d.after(0, 0.5)
        d.after(15, 0.5)
        busy = Taker([UndeliveredError("busy")] * 2)
        gone = Taker([UndeliveredError("gone", final=True)])
        carriers = everybody(manager=busy, hub=gone)
        for seconds in (0, 10, 20, 60, 95, 200):
            deliver(d.alerts.log, carriers, NOON + 15 * MIN + timedelta(seconds=seconds))
        tally = {r.name: r for r in alert_deliveries.tallies(d.rules, d.alerts.log.steps())}
        assert [(r.sent, r.waiting, r.dead) for r in tally.values()] == [(1, 0, 0), (1, 0, 0), (0, 0, 1)]
        assert tally["hub"].last_error == "gone"


def test_a_recipient_that_is_no_more_gets_nothing_and_that_is_said() -> None:
    with department() as d:
        d.after(0, 0.5)
        deliver(d.alerts.log, {}, NOON)
        [step] = d.alerts.log.steps()
        assert (step.outcome, step.error) == ("dead", "is no recipient any more")


def test_one_that_cannot_be_told_holds_up_nobody() -> None:
    with department() as d:
        d.after(0, 0.5)
        d.after(15, 0.5)
        carriers = everybody(shift=Taker([UndeliveredError("busy")] * 9))
        assert deliver(d.alerts.log, carriers, NOON + 15 * MIN) == 2


def test_the_postman_tells_the_next_ones_between_two_forecasts_and_nobody_of_a_replay() -> None:
    for mode, taken in (("live", 3), ("replay", 0)):
        with department() as d:
            d.alerts.place = replace(d.alerts.place, mode=mode)
            carriers = everybody()
            postman = Postman(d.alerts, carriers, d.clock, threading.Event())
            d.after(0, 0.5)
            postman.turn()
            d.clock.advance_to(NOON + 16 * MIN)
            postman.turn()
            assert len(keys(carriers)) == taken
            assert [line.split()[1] for line in d.log] == ["raised", "escalated"]


# --- what is said


def test_what_is_read_in_both_languages() -> None:
    step = raised()
    assert subject(step, "en") == "[edtwin] ALERT: Crowded department: 5 in 10 to exceed 60 present before 20:00"
    assert subject(step, "fr") == (
        "[edtwin] ALERTE\xa0: Urgences pleines\xa0: 5 chances sur 10 de dépasser 60 présents avant 20\xa0h"
    )
    said = text(step, "en")
    assert "Most often from 14:00 on (between 13:00 and 16:00).\nHighest: between 50 and 66, around 15:00." in said
    fabricated = replace(step, message={**step.message, "mode": "fabricated"})
    assert subject(fabricated, "en").startswith("[edtwin] FABRICATED DATA: ALERT: ")
    over = replace(step, what="cleared", message={**step.message, "what": "cleared"})
    assert subject(over, "en") == "[edtwin] Alert over: Crowded department"
    assert "At 12:00: 5 in 10." in text(over, "en")


# --- by e-mail


class Mailbox:
    """What a server took; `answers` are given in place of taking."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.was_tls: list[bool] = []
        self.answers: list[str] = []

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if self.answers:
            return self.answers.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        parsed = BytesParser(policy=default).parsebytes(envelope.content)
        assert isinstance(parsed, EmailMessage)
        self.mails.append(parsed)
        self.was_tls.append(session.ssl is not None)
        return "250 taken"


@contextmanager
def mail_server(box: Mailbox, tls: ssl.SSLContext | None = None, password: bytes | None = None) -> Iterator[int]:
    def signed_in(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        return AuthResult(success=data.password == password, handled=False)

    more: dict[str, Any] = {"authenticator": signed_in, "auth_required": True} if password else {}
    server = Controller(
        box, hostname="127.0.0.1", port=free_port(), tls_context=tls, require_starttls=bool(tls), **more
    )
    server.start()
    try:
        yield server.port
    finally:
        server.stop()


def mail(port: int, **more: Any) -> Mail:
    return Mail.model_validate({"host": "127.0.0.1", "port": port, "sender": "edtwin@valmont.example", **more})


SHIFT = Recipient(email="shift@valmont.example", language="en")


def test_an_e_mail_goes_by_starttls_signed_in_and_bears_its_key(tmp_path: Path) -> None:
    authority, box = trustme.CA(), Mailbox()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    (tmp_path / "password").write_text("right\n")
    with mail_server(box, context, b"right") as port:
        how = mail(port, ca=tmp_path / "ca.pem", user="edtwin", password_file=tmp_path / "password")
        step = raised()
        MailCarrier(how, SHIFT).carry(step)
        MailCarrier(how, SHIFT).carry(step)
        MailCarrier(how, SHIFT).carry(replace(step, key="another"))
        (tmp_path / "password").write_text("wrong\n")
        with pytest.raises(UndeliveredError, match="the mail server answered 535"):
            MailCarrier(how, SHIFT).carry(step)
        with pytest.raises(UndeliveredError, match="certificate of the mail server cannot be trusted"):
            MailCarrier(how.model_copy(update={"ca": None}), SHIFT).carry(step)
    assert box.was_tls == [True] * 3
    first, again, other = (one["Message-ID"] for one in box.mails)
    assert first == again != other
    assert (box.mails[0]["To"], box.mails[0]["Subject"]) == ("shift@valmont.example", subject(step, "en"))
    assert box.mails[0].get_content().splitlines() == text(step, "en").splitlines()


def test_a_server_without_starttls_gets_nothing() -> None:
    box = Mailbox()
    with mail_server(box) as port, pytest.raises(UndeliveredError, match="offers no STARTTLS"):
        MailCarrier(mail(port), SHIFT).carry(raised())
    assert box.mails == []


@pytest.mark.parametrize(
    ("answer", "final"), [("550 5.1.1 shift@valmont.example is unknown", True), ("451 try later", False)]
)
def test_a_refusal_is_final_or_not_and_names_no_address(answer: str, final: bool) -> None:
    box = Mailbox()
    box.answers = [answer]
    with mail_server(box) as port, pytest.raises(UndeliveredError) as caught:
        MailCarrier(mail(port, starttls=False), SHIFT).carry(raised())
    assert (caught.value.final, "shift" in str(caught.value)) == (final, False)


def test_a_server_that_is_away_is_tried_again() -> None:
    with pytest.raises(UndeliveredError, match="cannot be reached: ConnectionRefusedError") as caught:
        MailCarrier(mail(free_port(), starttls=False), SHIFT).carry(raised())
    assert not caught.value.final


# --- by webhook


@dataclass
class Hook:
    """What a server was sent, and what it answers next (200 where nothing is said)."""

    got: list[tuple[Mapping[str, str], bytes]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)


@contextmanager
def web_server(hook: Hook) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            hook.got.append((dict(self.headers), body))
            status = hook.answers.pop(0) if hook.answers else 200
            self.send_response(status)
            if status == 307:
                self.send_header("Location", "/elsewhere")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Not on standard error."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hook?of=ed"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def webhook(tmp_path: Path, hook: Hook) -> Iterator[WebhookCarrier]:
    (tmp_path / "secret").write_text(f"{SECRET}\n")
    with web_server(hook) as address:
        yield WebhookCarrier(Recipient(webhook=address, secret_file=tmp_path / "secret"), SimulatedClock(NOON + MIN))


def test_a_webhook_gets_signed_json_with_its_key(tmp_path: Path) -> None:
    hook, step = Hook(), raised()
    with webhook(tmp_path, hook) as carrier:
        carrier.carry(step)
    [(headers, body)] = hook.got
    shown, stamp = headers["X-Edtwin-Signature"], headers["X-Edtwin-Timestamp"]
    assert (headers["Idempotency-Key"], stamp) == (step.key, (NOON + MIN).isoformat())
    assert verified(SECRET, stamp, body, shown)
    for forged in (
        (SECRET, stamp, body + b" "), (SECRET, (NOON + 2 * MIN).isoformat(), body), ("other", stamp, body),
    ):  # fmt: skip
        assert not verified(*forged, shown)
    told = json.loads(body)
    assert (told["id"], told["alarm"], told["what"], told["said"]["p"]) == (step.key, step.alarm, "raised", 0.5)
    assert told["said"]["en"] == "5 in 10 to exceed 60 present before 20:00"


def test_the_signature_is_the_one_that_is_documented() -> None:
    """By hand: printf '%s' '2026-11-24T11:00:00+00:00.{}' | openssl dgst -sha256 -hmac a-long-secret."""
    stamp = "2026-11-24T11:00:00+00:00"
    assert signature(SECRET, stamp, b"{}") == "v1=" + _DIGEST


_DIGEST = "263c06b77008764f4720a93ac3d39c2c7e692edf1751f36ed23fcdfcc6cad610"


@pytest.mark.parametrize(
    ("status", "final"), [(500, False), (503, False), (429, False), (408, False), (400, True), (404, True), (307, True)]
)
def test_answers_are_final_or_tried_again_and_redirections_are_not_followed(
    tmp_path: Path, status: int, final: bool
) -> None:
    hook = Hook(answers=[status])
    with webhook(tmp_path, hook) as carrier, pytest.raises(UndeliveredError, match=f"answered {status}") as caught:
        carrier.carry(raised())
    assert (caught.value.final, len(hook.got)) == (final, 1)


def test_a_webhook_that_is_busy_gets_it_later_under_the_same_key(tmp_path: Path) -> None:
    hook = Hook(answers=[503, 503])
    with webhook(tmp_path, hook) as carrier, department() as d:
        told_to_the_hub(d)
        for seconds in (0, 15, 75, 80):
            deliver(d.alerts.log, {**everybody(), "hub": carrier}, NOON + 15 * MIN + timedelta(seconds=seconds))
        assert [headers["Idempotency-Key"] for headers, _ in hook.got] == [hook.got[0][0]["Idempotency-Key"]] * 3
        assert [s.outcome for s in d.alerts.log.steps() if s.recipient == "hub"] == ["sent"]


def told_to_the_hub(d: Department) -> None:
    d.after(0, 0.5)
    d.after(15, 0.5)


def test_a_secret_that_is_not_there_is_said_without_its_folder(tmp_path: Path) -> None:
    carrier = WebhookCarrier(
        Recipient(webhook="http://127.0.0.1:9/", secret_file=tmp_path / "gone"), SimulatedClock(NOON)
    )
    with pytest.raises(UndeliveredError, match=r"^gone cannot be read$"):
        carrier.carry(raised())
