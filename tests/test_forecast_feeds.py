"""The sources of a house: what was measured of each becomes a state, by one rule, quickly, and never too well."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from forecast import feeds as module
from forecast.board import FeedState
from forecast.feeds import Feeds, overall
from ingest.clock import SimulatedClock, stopwatch
from ingest.database import Database
from ingest.events import Arrived, Event, EventId, Moved, UnitId, VisitId
from ingest.links import LinkNow
from ingest.log import EventLog, Intake, Position, Rejected
from ingest.sources.kafka_places import source_of
from tests.histories import hospital

NOW = datetime(2026, 11, 24, 13, 30, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
MLLP = LinkNow(name="mllp", kind="mllp")


@dataclass
class Site:
    """A log, its clock, and the links that the feeds are told of."""

    log: EventLog
    clock: SimulatedClock
    links: list[LinkNow]
    number: int = 0

    def feeds(self) -> Feeds:
        return Feeds(self.log.traffic(), hospital(), lambda: self.links)

    def past(self, days: int = 14, an_hour: int = 20, source: str = "mllp", until: datetime = NOW) -> None:
        """So many messages an hour for so many days, as an extract would tell them."""
        step, events, at = HOUR / an_hour, list[Event](), until - days * DAY
        while at <= until:
            events.append(self.event(at, source, known_at=at))
            at += step
        self._store(events, source)

    def message(self, at: datetime, source: str = "mllp", **said: Any) -> None:
        self.clock.advance_to(at)
        self._store([self.event(at, source, **said)], source)

    def event(self, at: datetime, source: str, **said: Any) -> Event:
        self.number += 1
        unit = said.pop("unit", None)
        given = {"event_id": EventId(f"{source}{self.number}"), "occurred_at": at, "source": source,
                 "position": self.number, "visit": VisitId(f"v{self.number}"), **said}  # fmt: skip
        return Moved(unit=UnitId(unit), **given) if unit else Arrived(**given)

    def _store(self, events: Sequence[Event], source: str) -> None:
        self.log.append(events, Position(source=source, offset=self.number))


@pytest.fixture
def site() -> Iterator[Site]:
    with Database.open(None, threads=1) as database:
        clock = SimulatedClock(NOW - 30 * DAY)
        clock.advance_to(NOW)
        yield Site(EventLog(database, clock), clock, [MLLP])


def state(feeds: Feeds, at: datetime) -> FeedState:
    return feeds.feed(at).state


def test_a_feed_goes_from_live_to_off_as_its_silence_lasts(site: Site) -> None:
    site.past()
    site.message(NOW)
    feeds = site.feeds()
    feeds.learn(NOW)
    said = [state(feeds, NOW + minutes * MINUTE) for minutes in (0.5, 5, 27, 29, 82, 86, 239, 241)]
    assert said == ["live", "quiet", "quiet", "late", "late", "stale", "stale", "off"]
    assert feeds.feed(NOW + 29 * MINUTE).limit / MINUTE == pytest.approx(27.6, abs=0.3)


def test_what_is_better_must_be_so_twice(site: Site) -> None:
    site.past()
    feeds = site.feeds()
    feeds.learn(NOW)
    assert state(feeds, NOW + 100 * MINUTE) == "stale"
    site.message(NOW + 101 * MINUTE)
    assert [state(feeds, NOW + (101 + n) * MINUTE) for n in (0.1, 0.2)] == ["stale", "live"]


def test_no_silence_is_shown_as_live_and_a_mutant_is(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def worst_of(make: Callable[[], Feeds]) -> set[FeedState]:
        feeds = make()
        feeds.learn(NOW)
        return {state(feeds, NOW + minutes * MINUTE) for minutes in range(100, 600, 50)}

    site.past()
    site.message(NOW)
    assert worst_of(site.feeds) <= {"stale", "off"}
    # the mutant: the time of asking taken for the time of hearing
    monkeypatch.setattr(module, "_last_event_at", lambda link, known, now: now)
    assert worst_of(site.feeds) == {"live"}


def test_an_extract_that_is_loaded_now_is_as_old_as_what_it_tells(site: Site) -> None:
    site.past(source="adt.csv", until=NOW - 2 * DAY)
    site.links = []
    feeds = site.feeds()
    feeds.learn(NOW)
    feed = feeds.feed(NOW)
    assert (feed.state, feed.heard_at) == ("off", NOW - 2 * DAY)


def test_a_message_that_brings_nothing_new_is_heard_all_the_same(site: Site) -> None:
    site.clock.advance_to(NOW)
    rejected = [Rejected(position=1, place="mllp@1", reason="no_msh")]
    site.log.append([], Position(source="mllp", offset=1), intake=Intake(read=1, rejected=rejected))
    feeds = site.feeds()
    feed = feeds.feed(NOW + MINUTE / 2)
    assert (feed.state, feed.rejected) == ("live", {"no_msh": 1})


def test_a_source_that_is_new_is_judged_by_what_came_before_it_where_it_is_alone(site: Site) -> None:
    site.past(source="adt.csv", an_hour=100)
    site.message(NOW)
    feeds = site.feeds()
    feeds.learn(NOW)
    assert feeds.feed(NOW).limit / MINUTE == pytest.approx(5.5, abs=0.1)
    site.links = [MLLP, LinkNow(name="site", kind="fhir")]
    assert feeds.feed(NOW).limit == 30 * MINUTE


def test_a_replay_goes_on_from_the_history_that_it_was_given(site: Site) -> None:
    site.past(source="history", until=NOW - MINUTE)
    site.links = [LinkNow(name="replay", kind="events")]
    assert site.feeds().feed(NOW).age == MINUTE


# --- several sources


def test_a_dead_source_among_live_ones_makes_what_is_known_the_last_known(site: Site) -> None:
    site.links = [MLLP, LinkNow(name="lab", kind="fhir")]
    site.message(NOW, source="lab")
    site.message(NOW + 5 * HOUR)
    feeds = site.feeds()
    feed = feeds.feed(NOW + 5 * HOUR)
    assert (feed.state, feed.source) == ("stale", "lab")
    assert {look.link.name: look.state for look in feeds.look(NOW + 5 * HOUR)} == {"mllp": "live", "lab": "off"}
    assert state(feeds, NOW + 12 * HOUR) == "off"


def test_a_source_that_was_never_heard_does_not_darken_those_that_are(site: Site) -> None:
    site.links = [MLLP, LinkNow(name="lab", kind="fhir")]
    site.message(NOW)
    assert state(site.feeds(), NOW) == "live"
    site.links = [LinkNow(name="lab", kind="fhir")]
    feeds = site.feeds()
    feed = feeds.feed(NOW)
    assert (feed.state, feed.age) == ("off", None)
    site.message(NOW + MINUTE, source="lab")
    assert state(feeds, NOW + MINUTE) == "live"  # at once


def test_what_came_by_a_topic_is_counted_with_it(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """By all its partitions, under the names that the journal has for them, and by no other topic."""
    kafka = LinkNow(name="kafka:ed", kind="kafka", heartbeat_at=NOW)
    site.links = [kafka, replace(kafka, name="kafka:ed.labs")]
    for n, (topic, partition) in enumerate([("ed", 0), ("ed", 1), ("ed.labs", 0)]):
        site.message(NOW + n * MINUTE, source=source_of(topic, partition, "48c1f0aa"))

    def stored() -> dict[str, int]:
        _, views, files = site.feeds().sources(NOW + HOUR)
        return {view.name: view.tally.stored for view in views} | {name: told.stored for name, told in files}

    assert stored() == {"kafka:ed": 2, "kafka:ed.labs": 1}
    # the mutant: the names that a topic's partitions once had
    monkeypatch.setattr(
        LinkNow, "tells", lambda self, source: source.startswith(f"{self.name.removeprefix('kafka:')}[")
    )
    assert stored()["kafka:ed"] == 0


def test_a_link_that_is_down_a_backlog_and_a_heartbeat_are_seen(site: Site) -> None:
    kafka = LinkNow(name="kafka:ed", kind="kafka", heartbeat_at=NOW)
    site.message(NOW, source=source_of("ed", 0, "48c1f0aa"))
    at = NOW + 10 * MINUTE
    site.links = [replace(kafka, heartbeat_at=at)]
    assert state(site.feeds(), at) == "quiet"
    site.links = [replace(kafka, heartbeat_at=at, down_since=at - 3 * MINUTE)]
    assert state(site.feeds(), at) == "stale"
    feeds = site.feeds()
    for minutes, backlog in ((0, 1600), (1, 1000)):
        site.links = [replace(kafka, heartbeat_at=at + minutes * MINUTE, backlog=backlog)]
        feed = feeds.feed(at + minutes * MINUTE)
    assert (feed.state, feed.backlog, feed.eta) == ("catching_up", 1000, timedelta(seconds=100))


def test_a_feed_that_has_worked_off_an_outage_is_late_no_more(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its last messages are prompt; those of the outage came only minutes ago."""
    for n in range(40):
        site.message(NOW + n * MINUTE / 60, recorded_at=NOW - (200 - 5 * n) * MINUTE)
    assert state(site.feeds(), NOW + MINUTE) == "late"
    for n in range(60):
        site.message(NOW + MINUTE + n * MINUTE / 12, recorded_at=NOW + MINUTE + (n / 12 - 1) * MINUTE)
    assert state(site.feeds(), NOW + 6 * MINUTE) == "live"
    monkeypatch.setattr(module, "LAG_OF", 10_000)  # the mutant: half an hour is remembered
    assert state(site.feeds(), NOW + 6 * MINUTE) == "late"


def test_late_messages_and_a_clock_that_is_wrong_are_seen(site: Site) -> None:
    for n in range(24):
        site.message(NOW + n * MINUTE / 4, recorded_at=NOW + n * MINUTE / 4 - 7 * MINUTE)
    feed = site.feeds().feed(NOW + 6 * MINUTE)
    assert (feed.state, feed.lag) == ("late", 7 * MINUTE)
    for n in range(24):
        at = NOW + 50 * MINUTE + n * MINUTE / 4
        site.message(at, recorded_at=at + 25 * MINUTE)
    feed = site.feeds().feed(NOW + 56 * MINUTE)
    assert (feed.state, feed.skew) == ("inconsistent", 25 * MINUTE)


def test_a_unit_that_is_not_heard_of_while_others_are_is_silent(site: Site) -> None:
    units = ("surgery", "medicine")
    instants = [NOW - 10 * DAY + n * 20 * MINUTE for n in range(10 * 72)]
    told = [(at, units[n % 2] if at < NOW - 2 * DAY else "medicine") for n, at in enumerate(instants)]
    site._store([site.event(at, "mllp", known_at=at, unit=unit) for at, unit in told], "mllp")
    site.message(NOW)
    feeds = site.feeds()
    feeds.learn(NOW)
    _, (view,), _ = feeds.sources(NOW)
    assert [(part.what, part.name) for part in view.silent] == [("unit", "surgery")]
    assert feeds.feed(NOW).silent_units == 1


@pytest.mark.parametrize(("is_whole", "silent"), [(True, 1), (False, 0)])
def test_of_units_that_a_world_never_tells_of_nobody_is_warned(site: Site, is_whole: bool, silent: int) -> None:
    """A house's own source goes on from all that the log holds; that of an exercise may know fewer units."""
    instants = [NOW - 10 * DAY + n * 20 * MINUTE for n in range(10 * 72)]
    told = [(at, ("box", "medicine")[n % 2]) for n, at in enumerate(instants)]
    site._store([site.event(at, "history", known_at=at, unit=unit) for at, unit in told], "history")
    site.links = [LinkNow(name="exercise", kind="events", is_whole=is_whole)]
    feeds = site.feeds()
    feeds.learn(NOW)
    site.message(NOW + 2 * DAY, "exercise", unit="medicine")
    assert feeds.feed(NOW + 2 * DAY).silent_units == silent
    assert [state(feeds, NOW + 2 * DAY + minutes * MINUTE) for minutes in (0, 25)] == ["live", "quiet"]
    [view] = feeds.sources(NOW + 2 * DAY)[1]
    assert (view.usual_now is not None) is is_whole


# --- the page


def test_the_page_has_the_account_the_rate_and_a_day_of_hours(site: Site) -> None:
    site.past(an_hour=12)
    site.past(days=1, source="adt.csv")
    site.message(NOW)
    feeds = site.feeds()
    feeds.learn(NOW)
    feed, (view,), files = feeds.sources(NOW + MINUTE / 2)
    assert (feed.state, view.state, view.kind, view.name) == ("live", "live", "mllp", "mllp")
    assert view.tally.read == view.tally.stored + view.tally.duplicate + view.tally.ignored + view.tally.rejected
    assert view.rate_now == 13
    assert view.usual_now == pytest.approx(12, abs=0.5)
    assert [hour.at for hour in view.hours] == [NOW.replace(minute=0) - (23 - n) * HOUR for n in range(24)]
    assert {hour.count for hour in view.hours[:-1]} == {12}
    assert [name for name, _ in files] == ["adt.csv"]


def test_what_is_usual_is_learned_once_a_day(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[datetime] = []
    feeds = site.feeds()

    def nothing(_since: datetime, until: datetime) -> list[Any]:
        asked.append(until)
        return []

    monkeypatch.setattr(feeds._traffic, "by_hour", nothing)
    for hours in (0, 0.5, 2, 3):
        feeds.learn(NOW + hours * HOUR)
    assert asked == [NOW, NOW + 2 * HOUR, NOW + 3 * HOUR]  # hourly, as long as there is nothing to learn from


def test_a_look_takes_less_than_20_ms(site: Site) -> None:
    """With a week of a hundred messages an hour behind it; the quickest of twenty, as other work may go on."""
    site.past(days=7, an_hour=100)
    feeds = site.feeds()
    feeds.learn(NOW)
    feeds.feed(NOW)
    taken = []
    for n in range(20):
        site.message(NOW + n * MINUTE)
        began = stopwatch()
        feeds.feed(NOW + n * MINUTE)
        taken.append(stopwatch() - began)
    assert min(taken) < 0.02


def test_all_dead_is_off_and_the_worst_is_named(site: Site) -> None:
    site.message(NOW)
    looks = site.feeds().look(NOW + 5 * HOUR)
    assert overall(looks).state == "off"
    assert overall(looks).source is None
