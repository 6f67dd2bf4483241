"""An alarm by e-mail: SMTP, with STARTTLS beyond this machine."""

from __future__ import annotations

import hashlib
import smtplib
import ssl
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path

from forecast.alert_log import Step
from forecast.alert_message import subject, text
from forecast.alert_rules import Mail, Recipient
from forecast.errors import UndeliveredError

LONGEST_S = 20.0


class MailCarrier:
    """E-mails to one recipient."""

    def __init__(self, mail: Mail, recipient: Recipient) -> None:
        self._mail, self._recipient = mail, recipient

    def carry(self, step: Step) -> None:
        """Hand the message to the server; its `Message-ID` is made of the step's key.

        1. Connect, and go over to TLS before anything is said.
        2. Sign in, where the file says as whom.
        3. Send.
        Raises UndeliveredError; final where the server will not take it however often.
        """
        message = self._message(step)
        try:
            with smtplib.SMTP(self._mail.host, self._mail.port, "edtwin", LONGEST_S) as server:  # 1
                if self._mail.starttls:
                    server.starttls(context=ssl.create_default_context(cafile=_text(self._mail.ca)))
                if self._mail.user is not None and self._mail.password_file is not None:  # 2
                    server.login(self._mail.user, first_line(self._mail.password_file))
                server.send_message(message)  # 3
        except (smtplib.SMTPException, OSError) as error:
            raise UndeliveredError(_why(error), final=_is_final(error)) from error

    def _message(self, step: Step) -> EmailMessage:
        language = self._recipient.language
        message = EmailMessage(SMTP.clone(max_line_length=400))  # a folded subject begins with a space in some programs
        message["Subject"] = subject(step, language)
        message["From"], message["To"] = self._mail.sender, str(self._recipient.email)
        message["Date"] = format_datetime(datetime.fromisoformat(step.message["at"]))
        message["Message-ID"] = f"<{hashlib.sha256(step.key.encode()).hexdigest()[:32]}@edtwin>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(text(step, language))
        return message


def first_line(file: Path) -> str:
    """The first line of a file that holds a secret. Raises UndeliveredError where it has none."""
    try:
        line = file.read_text(encoding="utf-8").split("\n", 1)[0].strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UndeliveredError(f"{file.name} cannot be read") from error
    if not line:
        raise UndeliveredError(f"{file.name} has no first line")
    return line


def _why(error: Exception) -> str:
    """What went wrong, without the addresses that servers like to repeat."""
    if isinstance(error, smtplib.SMTPResponseException):
        return f"the mail server answered {error.smtp_code}"
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = ", ".join(sorted({str(code) for code, _ in error.recipients.values()}))
        return f"the mail server refused the recipient with {codes}"
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return "the mail server offers no STARTTLS, or no way to sign in"
    if isinstance(error, ssl.SSLError):
        return "the certificate of the mail server cannot be trusted"
    return f"the mail server cannot be reached: {type(error).__name__}"


def _is_final(error: Exception) -> bool:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(code >= 500 for code, _ in error.recipients.values())
    refused = isinstance(error, smtplib.SMTPDataError | smtplib.SMTPSenderRefused)
    return refused and getattr(error, "smtp_code", 0) >= 500


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)
