"""The page of the floor in a real browser: drawn, played, dragged, touched, and left alone while it is filled anew."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from forecast.floor_view import FloorView
from tests.boards import ordinary
from tests.chromium import IN_CHROMIUM, page_of, without_policy
from tests.floor_views import FLOORS, day_json, overfull_floor, played
from tests.pictures import SCREENS, served
from tests.test_dashboard_browser import SIDEWAYS, watched

pytestmark = IN_CHROMIUM
LONGEST_MS = 60_000
SEEN = "() => document.querySelectorAll('.floor-layer .floor-dot:not(.hidden)').length"
IN_ZONES = """() => {
    const out = {};
    const yards = [...document.querySelectorAll('.floor-zone[data-zone]')]
        .map(zone => [zone.dataset.zone, zone.getBoundingClientRect()]);
    for (const dot of document.querySelectorAll('.floor-layer .floor-dot:not(.hidden)')) {
        const r = dot.getBoundingClientRect();
        const x = (r.left + r.right) / 2, y = (r.top + r.bottom) / 2;
        const zone = yards.find(([, b]) => b.left <= x && x <= b.right && b.top <= y && y <= b.bottom);
        const name = zone ? zone[0] : 'nowhere';
        out[name] = (out[name] || 0) + 1;
    }
    return out; }"""
ON_HEADS = """() => {
    const dots = [...document.querySelectorAll('.floor-layer .floor-dot:not(.hidden)')]
        .map(dot => dot.getBoundingClientRect());
    const meets = (r, b) => r.top < b.bottom - 1 && r.bottom > b.top + 1 && r.left < b.right && r.right > b.left;
    return [...document.querySelectorAll('.floor-plan .floor-zone-head')]
        .filter(head => dots.some(dot => meets(dot, head.getBoundingClientRect()))).length; }"""
CUT_OFF = """() => [...document.querySelectorAll(
        '.floor .card, .floor-act, .floor-zone-head, .floor-told td, .floor-strip-said')]
    .filter(e => e.scrollWidth > e.clientWidth + 1).map(e => e.className)"""
MORE = "() => [...document.querySelectorAll('.floor-more')].reduce((n, e) => n + Number(e.textContent.slice(1)), 0)"


class Shelf:
    """Holds what the server shows, so that a test can change it; knows which days were asked for."""

    def __init__(self, name: str) -> None:
        self.view: FloorView = FLOORS[name]()
        self.told = day_json(name)
        self.asked: list[date | None] = []

    def day(self, day: date | None) -> bytes:
        self.asked.append(day)
        return self.told


@contextmanager
def shown(
    context: BrowserContext,
    name: str,
    screen: str = "wall",
    language: str = "en",
    at_first: Callable[[Page], object] = lambda _: None,
) -> Iterator[tuple[Page, Shelf, list[str]]]:
    """An example's page once its zones are drawn, and what it complained of; it asks no stranger. `at_first`: what
    happens to it before it is opened."""
    shelf = Shelf(name)
    width, height = SCREENS[screen]
    with served(ordinary, {"floor": lambda *_: shelf.view}, day=shelf.day) as (url, _):
        page = page_of(context, width, height)
        complaints, asked = watched(page)
        at_first(page)
        page.goto(f"{url}floor?lang={language}")
        page.locator(".floor-plan .floor-count").first.wait_for(timeout=LONGEST_MS)
        yield page, shelf, complaints
        assert [one for one in asked if not one.startswith((url, "data:", "blob:"))] == []
        page.close()


def still(page: Page) -> None:
    """Until every dot has come to where it goes."""
    page.wait_for_timeout(1200)


def at(page: Page) -> int:
    """The minute of the day that is drawn."""
    return int(page.locator(".floor-range").input_value())


def frame(minute: int) -> dict[str, int]:
    return dict(Counter(dot.zone for dot in played().frame(minute)))


@pytest.mark.parametrize("screen", ["wall", *(pytest.param(one, marks=pytest.mark.soak) for one in ("4k", "phone"))])
def test_it_is_whole_on_every_screen_and_dots_lie_in_their_zones(context: BrowserContext, screen: str) -> None:
    with shown(context, "ordinary", screen, "fr") as (page, _, complaints):
        still(page)
        assert (screen, page.evaluate(SIDEWAYS), page.evaluate(CUT_OFF)) == (screen, 0, [])
        assert page.evaluate(IN_ZONES) == frame(1440)
        assert page.evaluate(ON_HEADS) == 0
        expect(page.locator(".floor-status")).to_have_text("Maintenant\xa0: tel que connu à 14\xa0h\xa034")
        assert complaints == []


def test_dots_that_stray_are_seen(context: BrowserContext) -> None:
    """The mutant moves the layer."""
    with shown(context, "ordinary", at_first=without_policy) as (page, _, _complaints):
        page.add_style_tag(content=".floor-layer { translate: 0 -3rem; }")
        still(page)
        assert page.evaluate(IN_ZONES) != frame(1440) or page.evaluate(ON_HEADS) > 0


def test_it_plays_and_stops_and_every_frame_is_the_days(context: BrowserContext) -> None:
    with shown(context, "ordinary") as (page, _, complaints):
        page.locator(".floor-speed").select_option("60")
        page.get_by_role("button", name="Play").click()
        page.wait_for_function("() => Number(document.querySelector('.floor-range').value) > 120", timeout=LONGEST_MS)
        page.get_by_role("button", name="Pause").click()
        stopped = at(page)
        still(page)
        assert at(page) == stopped < 1440
        assert page.evaluate(IN_ZONES) == frame(stopped)
        expect(page.locator(".floor-status")).to_contain_text("Played: ")
        page.get_by_role("button", name="Now", exact=True).click()
        still(page)
        assert page.evaluate(IN_ZONES) == frame(1440)
        assert complaints == []


@pytest.mark.soak
def test_playing_ends_at_the_end_of_the_day(context: BrowserContext) -> None:
    with shown(context, "ordinary") as (page, _, _complaints):
        page.locator(".floor-range").press("End")
        for _ in range(4):
            page.locator(".floor-range").press("ArrowLeft")
        assert at(page) == 1420
        page.locator(".floor-speed").select_option("60")
        page.get_by_role("button", name="Play").click()
        page.wait_for_function("() => Number(document.querySelector('.floor-range').value) === 1440")
        expect(page.locator(".floor-act", has_text="Play")).to_be_visible()


def test_the_slider_is_dragged_by_hand_and_moved_by_keys(context: BrowserContext) -> None:
    with shown(context, "ordinary") as (page, _, _complaints):
        slider = page.locator(".floor-range")
        box = slider.bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + box["width"] - 8, box["y"] + box["height"] / 2)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=6)
        page.mouse.up()
        dragged = at(page)
        assert 600 < dragged < 850
        still(page)
        assert page.evaluate(IN_ZONES) == frame(dragged)
        slider.press("ArrowRight")
        assert at(page) == dragged + 5
        slider.press("Home")
        assert at(page) == 0
        assert slider.get_attribute("aria-valuetext") == "Monday 23 Nov, 14:34"


def test_every_control_is_reached_by_the_keyboard(context: BrowserContext) -> None:
    with shown(context, "ordinary") as (page, _, _complaints):
        page.get_by_role("button", name="Now", exact=True).focus()
        reached = []
        for _ in range(9):
            reached.append(page.evaluate("() => document.activeElement.className"))
            page.keyboard.press("Tab")
        assert {"floor-act", "floor-range", "floor-day", "floor-speed"} <= {name.split()[0] for name in reached}


def test_a_touched_zone_says_how_many_the_longest_and_what_is_usual(context: BrowserContext) -> None:
    with shown(context, "ordinary") as (page, _, _complaints):
        page.locator('.floor-zone[data-zone="boxes"]').click()
        dots = [dot for dot in played().frame(1440) if dot.zone == "boxes"]
        longest = int(max(dot.elapsed_min for dot in dots if dot.stage == "decision"))
        said = page.locator(".floor-said")
        expect(said).to_contain_text(f"Boxes: {len(dots)} patients here; In care: ")
        expect(said).to_contain_text(f"the longest {longest // 60}\xa0h\xa0{longest % 60:02d} (usually half less than ")
        page.locator('.floor-zone[data-zone="imaging"]').click()
        expect(said).to_have_text("Imaging: the log does not tell who is here.")
        page.locator('.floor-zone[data-zone="imaging"]').click()
        expect(said).to_have_text("Touch a zone: it says how many, for how long, and what is usual.")


@pytest.mark.soak
def test_what_does_not_fit_is_a_number(context: BrowserContext) -> None:
    """On a telephone: dots and numbers together are all who are there."""
    with shown(context, "overfull", "phone") as (page, _, _complaints):
        still(page)
        more = page.evaluate(MORE)
        assert more > 0
        assert page.evaluate(SEEN) + more == len(overfull_floor().dots)
        assert page.evaluate(SIDEWAYS) == 0


def test_two_hours_on_another_picture_takes_the_place_of_the_plan(context: BrowserContext) -> None:
    with shown(context, "ordinary") as (page, _, _complaints):
        expect(page.locator(".floor-likely")).to_be_hidden()
        page.get_by_role("button", name="In 2 h").click()
        expect(page.locator(".floor-likely")).to_be_visible()
        expect(page.locator(".floor-plan")).to_be_hidden()
        expect(page.locator(".floor-now")).to_be_hidden()
        expect(page.locator(".floor-likely")).to_contain_text("Likely at 16:34, not known: a forecast.")
        page.get_by_role("button", name="Now", exact=True).click()
        expect(page.locator(".floor-plan")).to_be_visible()


def test_a_page_that_is_filled_anew_takes_nothing_from_the_finger(context: BrowserContext) -> None:
    """Slider, dots and what is played stay the same elements while a new board comes."""
    with shown(context, "ordinary") as (page, shelf, complaints):
        page.locator(".floor-range").press("Home")
        page.locator(".floor-range").focus()
        page.evaluate("() => { document.querySelector('.floor-range').dataset.mine = 'yes'; "
                      "document.querySelector('.floor-layer .floor-dot').dataset.mine = 'yes'; }")  # fmt: skip
        asked = len(shelf.asked)
        later = timedelta(minutes=10)
        assert shelf.view.as_of is not None
        shelf.view = replace(shelf.view, made_at=shelf.view.made_at + later, as_of=shelf.view.as_of + later)
        page.locator(".asof", has_text="14:44").wait_for(timeout=LONGEST_MS)
        page.wait_for_timeout(1500)
        assert len(shelf.asked) > asked  # a newer day was asked for
        assert page.locator(".floor-range").get_attribute("data-mine") == "yes"
        assert page.locator('.floor-layer .floor-dot[data-mine="yes"]').count() == 1
        assert page.evaluate("() => document.activeElement.className") == "floor-range"
        assert at(page) == 0
        assert complaints == []


@pytest.mark.soak
def test_another_day_is_asked_for_by_its_date(context: BrowserContext) -> None:
    with shown(context, "ordinary") as (page, shelf, _):
        page.locator(".floor-day").fill("2026-11-20")
        page.locator(".floor-day").dispatch_event("change")
        page.wait_for_timeout(800)
        assert date(2026, 11, 20) in shelf.asked
        assert page.locator(".floor-day").get_attribute("min") == "2026-11-01"
        page.get_by_role("button", name="Now", exact=True).click()
        page.wait_for_timeout(500)
        assert shelf.asked[-1] is None


@pytest.mark.soak
def test_off_shows_nobody_and_can_still_be_played(context: BrowserContext) -> None:
    with shown(context, "off") as (page, _, _complaints):
        still(page)
        assert page.evaluate(SEEN) == 0
        expect(page.locator(".floor-status")).to_contain_text("Not known now: no data come in.")
        assert set(page.locator(".floor-plan .floor-count").all_inner_texts()) == {"\u2014"}
        page.locator(".floor-range").press("Home")
        still(page)
        assert page.evaluate(SEEN) == sum(frame(0).values()) > 0


def test_stale_is_dimmed_and_empty_is_empty(context: BrowserContext) -> None:
    with shown(context, "stale") as (page, _, _complaints):
        expect(page.locator(".floor-status")).to_have_text("Last known: at 13:42")
        assert "grayscale" in page.evaluate("() => getComputedStyle(document.querySelector('.floor-plan')).filter")
    with shown(context, "empty") as (page, _, complaints):
        assert page.evaluate(SEEN) == 0
        expect(page.locator(".floor-now")).to_contain_text("Nobody is in the department.")
        assert complaints == []


@pytest.mark.soak
def test_whoever_wishes_less_motion_has_none(context: BrowserContext) -> None:
    moves = "() => getComputedStyle(document.querySelector('.floor-layer .floor-dot')).transitionDuration"
    with shown(context, "ordinary", at_first=lambda page: page.emulate_media(reduced_motion="reduce")) as (page, _, _):
        assert set(page.evaluate(moves).split(", ")) == {"0s"}
    with shown(context, "ordinary") as (page, _, _complaints):
        assert "0.8s" in page.evaluate(moves)
