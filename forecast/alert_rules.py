"""What is watched, from when on it is an alarm, and who is told: a TOML file that the head of a department can read.

    [rule.crowded]
    fr = "Urgences pleines"
    en = "Crowded department"
    measure = "ed_census"
    over = 60               # a number, "p95" of the site's own last weeks, or "spaces"
    within_h = 8            # or until_h = 20, the next 20:00 of the hospital
    p_alert = 0.4           # four in ten: an alarm
    p_watch = 0.2

The shipped file is `alerts.toml`; the setting `alerts` names a site's own, which is read in place of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field

from ingest.configuration import Checked, Fault, Judged, load
from ingest.hosts import is_this_machine

SHIPPED = Path(__file__).with_name("alerts.toml")
MEASURES = ("ed_census", "ed_waiting", "ed_boarders", "ed_arrivals", "ed_departures", "admissions")
"""Measures of the department that a rule may watch."""
DERIVED = ("nedocs", "beds_free")
"""And those that are made of them, member by member."""
OF_A_WARD = ("census:", "beds_free:", "wait_min:")
_SHARE = re.compile(r"p(\d{1,2}(?:\.\d)?)")

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
"""What a rule or a recipient is called: it becomes part of addresses and keys."""
Level = Literal["normal", "watch", "alert"]
LEVELS: tuple[Level, ...] = ("normal", "watch", "alert")
"""From well to ill."""


class Rule(Checked):
    """One thing that is watched. Exactly one of `over` and `under` is given."""

    fr: Annotated[str, Field(min_length=1, max_length=60)]
    en: Annotated[str, Field(min_length=1, max_length=60)]
    measure: str
    over: float | str | None = None
    """What it must not exceed: a number, "p95" (95 in 100 instants of the last weeks were not above), "spaces"."""
    under: float | str | None = None
    """What it must not fall below."""
    lasts_min: Annotated[float, Field(ge=0, le=720)] = 30.0
    """How long it must last to count."""
    within_h: Annotated[float, Field(gt=0, le=48)] = 8.0
    until_h: Annotated[int, Field(ge=0, le=23)] | None = None
    """A local hour in place of `within_h`: up to the next time that it comes."""
    p_alert: Annotated[float, Field(gt=0, le=1)] = 0.4
    p_watch: Annotated[float, Field(gt=0, le=1)] = 0.2
    false_a_week: Annotated[float, Field(gt=0, le=50)] | None = None
    """False alarms a week that are bearable: with it, `p_alert` is set from the site's own history once that is long
    enough, and `p_watch` with it."""
    falls_at: Annotated[float, Field(gt=0, le=1)] = 0.7
    """A level is left only below this share of the chance at which it is entered, so that it does not flutter."""
    dwell_min: Annotated[float, Field(ge=0, le=1440)] = 30.0
    """And not before so many minutes in it."""
    escalate_min: Annotated[float, Field(gt=0, le=1440)] = 15.0
    """Not acknowledged for so long, the next one is told."""
    tell: tuple[tuple[str, ...], ...] | None = None
    """Who is told, step by step; none: as `tell` of the file says."""

    def faults(self) -> Iterator[Fault]:
        """What contradicts itself."""
        if (self.over is None) == (self.under is None):
            yield ("over",), "exactly one of over and under must be given", self.over
        for name, value in (("over", self.over), ("under", self.under)):
            if isinstance(value, str) and value != "spaces" and not _SHARE.fullmatch(value):
                yield (name,), 'must be a number, "spaces", or a share of the past such as "p95"', value
        if self.p_watch > self.p_alert:
            yield ("p_watch",), f"must be p_alert ({self.p_alert:g}) or less", self.p_watch
        if self.measure not in (*MEASURES, *DERIVED) and not self.measure.startswith(OF_A_WARD):
            allowed = ", ".join((*MEASURES, *DERIVED, *(f"{one}NAME" for one in OF_A_WARD)))
            yield ("measure",), f"must be one of {allowed}", self.measure

    @property
    def bound(self) -> float | str:
        """What must not be crossed, as the file has it."""
        return self.over if self.over is not None else self.under if self.under is not None else 0.0

    def share(self) -> float | None:
        """The share of the past that the bound stands for, 0 to 1; None where it is no share."""
        found = _SHARE.fullmatch(self.bound) if isinstance(self.bound, str) else None
        return float(found[1]) / 100 if found else None


class Recipient(Checked):
    """Who is told, by e-mail or by a webhook."""

    email: Annotated[str, Field(pattern=r"^[^@\s,;<>]+@[^@\s,;<>]+$")] | None = None
    webhook: str | None = None
    """An address that takes a POST of JSON; https, or http on this machine."""
    secret_file: Path | None = None
    """File whose first line signs what is sent to a webhook."""
    ca: Path | None = None
    """Authority of a webhook's certificate; none: the system's."""
    language: Literal["fr", "en"] = "fr"

    def faults(self) -> Iterator[Fault]:
        """What contradicts itself."""
        if (self.email is None) == (self.webhook is None):
            yield ("email",), "exactly one of email and webhook must be given", self.email
        if self.webhook is None:
            return
        parts = urlsplit(self.webhook)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            yield ("webhook",), "must be an address such as https://hub.example/hook", self.webhook
        elif parts.scheme == "http" and not is_this_machine(parts.hostname):
            yield ("webhook",), "must be https beyond this machine", self.webhook
        if self.secret_file is None:
            yield ("secret_file",), "must be given for a webhook", None


class Mail(Checked):
    """The server that e-mails go out by."""

    host: str
    port: Annotated[int, Field(ge=1, le=65535)] = 587
    sender: Annotated[str, Field(pattern=r"^[^@\s,;<>]+@[^@\s,;<>]+$")]
    starttls: bool = True
    """Without it only on this machine."""
    ca: Path | None = None
    """Authority of its certificate; none: the system's."""
    user: str | None = None
    password_file: Path | None = None

    def faults(self) -> Iterator[Fault]:
        """What contradicts itself."""
        if not self.starttls and not is_this_machine(self.host):
            yield ("starttls",), f"must be true beyond this machine ({self.host})", self.starttls
        if (self.user is None) != (self.password_file is None):
            yield ("user",), "user and password_file must be given together, or not at all", self.user


class SiteFacts(Checked):
    """What no log tells and tension needs; none: what the twin knows."""

    ed_beds: Annotated[int, Field(ge=1)] | None = None
    """Treatment spaces, for NEDOCS."""
    hospital_beds: Annotated[int, Field(ge=1)] | None = None
    ventilated: Annotated[int, Field(ge=0)] = 0
    """Patients on a ventilator in the department, as NEDOCS counts them: no message tells them."""
    het: dict[Literal["het1", "het2", "het3", "het4", "het5", "het6"], tuple[float, float]] = Field(
        default_factory=dict
    )
    """The two thresholds of each indicator; none: the mean of the last weeks and one and two standard deviations."""


class AlertRules(Judged):
    """All of the file."""

    rule: dict[Name, Rule] = Field(default_factory=dict)
    recipient: dict[Name, Recipient] = Field(default_factory=dict)
    mail: Mail | None = None
    site: SiteFacts = SiteFacts()
    tell: tuple[tuple[str, ...], ...] = ()
    """Who is told of every rule that does not say so itself: first those of the first list, then the next."""

    def faults(self) -> Iterator[Fault]:
        """What a rule, a recipient or the server contradicts; names that lead nowhere, an e-mail without a server."""
        parts: list[tuple[tuple[str, ...], Rule | Recipient | Mail]] = [
            *((("rule", name), rule) for name, rule in self.rule.items()),
            *((("recipient", name), one) for name, one in self.recipient.items()),
            *([(("mail",), self.mail)] if self.mail else []),
        ]
        for where, part in parts:
            yield from (((*where, *key), rule, value) for key, rule, value in part.faults())
        told = [(("tell",), self.tell), *((("rule", name, "tell"), r.tell or ()) for name, r in self.rule.items())]
        for place, steps in told:
            for name in sorted({one for step in steps for one in step} - set(self.recipient)):
                yield place, f"names {name}, who is no recipient of this file", list(steps)
        if self.mail is None and any(one.email for one in self.recipient.values()):
            yield ("mail",), "must be given where a recipient has an e-mail", None

    def steps(self, rule: str) -> tuple[tuple[str, ...], ...]:
        """Who is told of a rule's alarm, step by step."""
        own = self.rule[rule].tell if rule in self.rule else None
        return self.tell if own is None else own


def load_rules(path: Path | None) -> AlertRules:
    """The rules of a site's file, or the shipped ones; files that it names are relative to its folder.

    Raises UnreadableInputError, or ConfigurationError with every fault and its line.
    """
    rules = load(path or SHIPPED, AlertRules)
    folder = (path or SHIPPED).parent
    recipients = {
        name: one.model_copy(update={"secret_file": _beside(folder, one.secret_file), "ca": _beside(folder, one.ca)})
        for name, one in rules.recipient.items()
    }
    mail = rules.mail and rules.mail.model_copy(
        update={"ca": _beside(folder, rules.mail.ca), "password_file": _beside(folder, rules.mail.password_file)}
    )
    return rules.model_copy(update={"recipient": recipients, "mail": mail})


def _beside(folder: Path, path: Path | None) -> Path | None:
    return None if path is None else folder / path
