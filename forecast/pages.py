"""One frozen value for each page beside the wall.

A panel is a pure function of its page's value and queries nothing. All instants are aware UTC; what is absent is None
and is shown as absent, never as zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol

from forecast.board import Alarm, Feed, FeedState
from forecast.sheet import Sheet
from twin.check_values import Check
from twin.explanation import Explained


class PageView(Protocol):
    """What every page knows of itself: when it was made, where, of what, and whether it is real."""

    @property
    def made_at(self) -> datetime:
        """The house's time at which the view was made."""

    @property
    def zone(self) -> str:
        """Where its readers are."""

    @property
    def hospital(self) -> str:
        """Whose it is."""

    @property
    def mode(self) -> str:
        """ "live", "replay", "fabricated" or "exercise": said on every page when not live."""


# --- the page of the feeds ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Hour:
    """One hour of a source: when it began, how many messages came, how many are usual; the last hour is not over."""

    at: datetime
    count: int
    usual: float | None


@dataclass(frozen=True)
class SilentPart:
    """A unit, or a kind of event, that is not heard of while its source is."""

    what: Literal["unit", "kind"]
    name: str
    name_fr: str
    name_en: str
    age: timedelta


@dataclass(frozen=True)
class Tally:
    """What became of what was read: read = stored + duplicate + ignored + rejected."""

    read: int
    stored: int
    duplicate: int
    ignored: int
    rejected: int


@dataclass(frozen=True)
class SourceView:
    """How one source does. What is not known is None."""

    name: str
    kind: Literal["mllp", "kafka", "fhir", "events", "extracts"]
    state: FeedState
    heard_at: datetime | None
    age: timedelta | None
    limit: timedelta
    worse_after: tuple[tuple[FeedState, timedelta], ...]
    rate_now: int | None
    """Messages of the last 60 minutes."""
    usual_now: float | None
    """Messages an hour that are usual at this hour."""
    hours: tuple[Hour, ...]
    """The last 24, oldest first."""
    lag: timedelta | None
    skew: timedelta | None
    """How far its clock is ahead; behind: negative."""
    is_skew_warned: bool
    silent: tuple[SilentPart, ...]
    tally: Tally
    backlog: int
    eta: timedelta | None
    connections: int | None
    broken: tuple[str, ...]
    fault: str | None
    is_lagging: bool = False
    """Whether `lag` is too long."""


@dataclass(frozen=True)
class Published:
    """What became of the forecasts that were to go out on a topic."""

    topic: str
    published: int = 0
    failed: int = 0
    overtaken: int = 0
    """Left out, since a newer one was ready."""
    last_at: datetime | None = None
    """When the last one was taken; None before."""
    last_error: str | None = None
    """Why the last one was not taken, in a word; None where it was."""


@dataclass(frozen=True)
class FeedsView:
    """The page of the feeds, whole."""

    made_at: datetime
    zone: str
    hospital: str
    mode: str
    feed: Feed
    sources: tuple[SourceView, ...]
    files: tuple[tuple[str, Tally], ...]
    """What was read of sources that do not run now, such as extracts, by name."""
    published: Published | None = None
    """What becomes of our own forecasts on a topic of Kafka; None where none is named."""


# --- the page of the quarantine -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ReasonView:
    """What waits of one source for one reason: how many, when the first and the last came, some places."""

    source: str
    reason: str
    count: int
    first_at: datetime
    last_at: datetime
    places: tuple[str, ...]


@dataclass(frozen=True)
class DoubtView:
    """What was doubtful about messages of a source that were taken all the same, and how many they are."""

    source: str
    code: str
    count: int


@dataclass(frozen=True)
class QuarantineView:
    """The page of the quarantine, whole: most frequent first."""

    made_at: datetime
    zone: str
    hospital: str
    mode: str
    reasons: tuple[ReasonView, ...]
    doubts: tuple[DoubtView, ...] = ()

    @property
    def total(self) -> int:
        """How many wait."""
        return sum(reason.count for reason in self.reasons)


# --- the page of the path -----------------------------------------------------------------------------------------

PathSource = Literal["learned", "site", "shipped"]
"""Where the path and its numbers come from: the log, the site's own file, or what is shipped."""


@dataclass(frozen=True)
class PathView:
    """The page of the path, whole."""

    made_at: datetime
    zone: str
    hospital: str
    mode: str
    source: PathSource
    explained: Explained | None
    """None where neither the log nor the site's file tell a path that suits the hospital."""
    learned_at: datetime | None = None
    learned_visits: int | None = None
    lacks: tuple[str, ...] = ()
    """What the site's file would have to add to be whole."""
    now: Mapping[str, int] | None = None
    """People by unit (wards) and by zone (`ABOVE`, the department, and `WARDS`), where the log tells."""


# --- the page of what was learned -----------------------------------------------------------------------------------


AtStart = Literal["kept", "code", "machine", "hospital", "outside", "log", "damaged"]
"""What a house that was started made of what had been learned before: it was kept, or learned anew, since this was
another: the code, the machine, the hospital's file or settings, series from outside, the events of the log; or since it
was damaged."""


@dataclass(frozen=True)
class LearnedView:
    """The page of what was learned, whole."""

    made_at: datetime
    zone: str
    hospital: str
    mode: str
    next_at: datetime
    """When it is learned anew."""
    fault: str | None = None
    """Why nothing could be learned the last time; the parameters from before are in use."""
    learned_at: datetime | None = None
    seconds: float | None = None
    """How long it took."""
    days_added: int = 0
    """Days that were read for it and not before."""
    report: Mapping[str, Any] | None = None
    """The account of the calibration (`twin/README.md` explains every key); None before the first."""
    changes: tuple[Mapping[str, Any], ...] = ()
    """What differs from the time before, the largest difference first: `what`, `before`, `now`."""
    changed_since: datetime | None = None
    at_start: AtStart | None = None
    """How a house that was started came by it; None once it was learned since, or where there was nothing kept."""
    described: Mapping[str, Any] | None = None
    """Where the path is the one that the site's file says: `source`, `days` of the `needed`, `level`, `keeps_path`."""


# --- the page of the model's checks ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class ModelChecks:
    """The page of the model's checks, whole: the last run, and how far the one that is on has come."""

    made_at: datetime
    zone: str
    hospital: str
    mode: str
    ran_at: datetime | None
    """When the last run ended; None before the first."""
    version: str | None
    checks: tuple[Check, ...]
    done: int | None
    """How many parts of `of` the run that is on has done; None while none is on."""
    of: int


# --- the page of the alerts -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Measured:
    """How one way to forecast would have done as an alarm, over a period, at the budget; intervals hold 95 in 100."""

    name: str
    """ "edtwin", or a rival."""
    p_alert: float | None
    """The chance from which on it would have been an alarm; None where no chance keeps to the budget."""
    hits: int
    events: int
    hit_rate: tuple[float, float, float] | None
    """With the ends of its interval; None without an event."""
    false_a_week: tuple[float, float, float] | None
    notice_min: tuple[float, float, float] | None
    """The middle of how long before the event it would have been raised; None without a hit."""


@dataclass(frozen=True)
class AlertSetting:
    """What a rule's chance was set to from the site's own history, and how it would have done."""

    set_at: datetime
    days: float
    false_a_week: float
    """The budget."""
    own: Measured
    rivals: tuple[Measured, ...] = ()


@dataclass(frozen=True)
class RuleView:
    """One rule: what it says now, and from which chance on it is an alarm."""

    name: str
    name_fr: str
    name_en: str
    level: Literal["normal", "watch", "alert"]
    sentence_fr: str | None
    """None where nothing tells its measure, or its threshold."""
    sentence_en: str | None
    p: float | None
    p_alert: float
    false_a_week: float | None = None
    """The budget of false alarms, where it has one."""
    setting: AlertSetting | None = None


@dataclass(frozen=True)
class AlarmLine:
    """One line of the alarm log."""

    at: datetime
    name_fr: str
    name_en: str
    what: Literal["watched", "raised", "escalated", "acknowledged", "snoozed", "cleared"]
    level: Literal["normal", "watch", "alert"]
    who: str | None
    note: str | None
    sentence_fr: str | None
    sentence_en: str | None
    until: datetime | None = None


@dataclass(frozen=True)
class RecipientView:
    """What became of the messages to one recipient."""

    name: str
    kind: Literal["email", "webhook"]
    sent: int
    waiting: int
    dead: int
    """Given up."""
    last_error: str | None = None


Lacking = Literal["beds", "spaces", "ages", "boarding", "simulated", "history", "horizon"]
"""What would be needed to tell an indicator: numbers of beds, of treatment spaces, ages of patients, decisions to
admit, that the simulation counts it, a longer log, a longer forecast."""


@dataclass(frozen=True)
class Indicator:
    """One of HET 1 to 6: the last one that is known, and the coming one as forecast."""

    name: Literal["het1", "het2", "het3", "het4", "het5", "het6"]
    now: float | None
    level_now: float | None
    """0 to 4; None where it is not told, or no threshold is known."""
    ahead: tuple[float, float, float] | None
    """10, 50 and 90 %."""
    level_ahead: float | None
    lacks: Lacking | None = None
    """Why nothing is told of what comes, or of it at all."""


@dataclass(frozen=True)
class Tension:
    """How tense the house is, by the indicators that authorities ask for."""

    indicators: tuple[Indicator, ...]
    nedocs: float | None
    nedocs_category: str | None
    nedocs_worst: tuple[float, float, float] | None
    """The highest of the next eight hours: 10, 50 and 90 %."""
    nedocs_lacks: Lacking | None
    bjml: float | None
    """The least number of beds that a day needs."""
    bjml_years: int
    bjml_offered: tuple[float, float, float] | None
    """Beds that the next 24 hours offer: taken by patients of the department, or free at their end."""
    bjml_p_missed: float | None
    bjml_lacks: Lacking | None
    elderly: float | None
    """Patients of 75 and over expected to be in the department from the coming midnight to 8 h."""
    elderly_p: float | None
    """That there is one at least."""
    elderly_lacks: Lacking | None

    @property
    def sum_now(self) -> float:
        """The sum of the levels that are known."""
        return sum(one.level_now or 0.0 for one in self.indicators)

    @property
    def sum_ahead(self) -> float:
        """The same of what comes."""
        return sum(one.level_ahead or 0.0 for one in self.indicators)


@dataclass(frozen=True)
class AlertsView:
    """The page of the alerts, whole."""

    made_at: datetime
    zone: str
    hospital: str
    mode: str
    alarms: tuple[Alarm, ...]
    rules: tuple[RuleView, ...]
    log: tuple[AlarmLine, ...]
    """The last lines, the newest first."""
    recipients: tuple[RecipientView, ...] = ()
    looked_at: datetime | None = None
    """When the rules were last judged; None before the first forecast."""
    held: bool = False
    """True while the data are too old for alarms to be raised or cleared."""
    sends: bool = True
    """False in a replay, of which nobody is told."""
    tension: Tension | None = None


# --- the page of the huddle sheets ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class HuddleView:
    """The page of the huddle sheets, whole."""

    made_at: datetime
    zone: str
    hospital: str
    mode: str
    hours: tuple[str, ...]
    """Local times at which sheets are made; none where none are."""
    sheets: tuple[Sheet, ...] = ()
    """The newest, newest first."""
    names: tuple[str, ...] = ()
    """Of all that are kept, newest first: the local day and time of each huddle."""
    fault: str | None = None
    """Why the last one could not be made."""
