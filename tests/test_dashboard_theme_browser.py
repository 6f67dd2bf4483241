"""Light and dark in a real browser: who chooses, what follows, what never does; each with a script made wrong."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from dashboard import app
from dashboard.app import Pages
from dashboard.known_door import KnownDoor
from dashboard.pages.beside import Place
from dashboard.theme import Theme, colours
from dashboard.words import Reader
from tests import chromium
from tests.alert_views import ordinary_alerts
from tests.boards import ordinary
from tests.chromium import IN_CHROMIUM
from tests.feed_views import overfull_feeds
from tests.known_views import busy
from tests.page_checks import theme_of
from tests.pictures import LONGEST_MS, served
from tests.replay_views import VIEWS as REPLAYS
from tests.trust_views import VIEWS as TRUSTS

pytestmark = IN_CHROMIUM
PAGES: Pages = {
    "feeds": overfull_feeds, "alerts": lambda *_: ordinary_alerts(), "replay": lambda *_: REPLAYS["ordinary"](),
    "trust": lambda *_: TRUSTS["ordinary"](),
}  # fmt: skip
WITHOUT_MEMORY = (
    "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no', 'SecurityError'); } })"
)
LINE = "document.querySelector('.replay-graph .js-plotly-plot')?.data?.find(one => one.name === 'median').line.color"
SCHEME = "document.documentElement.dataset.mantineColorScheme"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with served(ordinary, PAGES, known=KnownDoor(busy(), "t")) as (address, _):
        yield address


class Device:
    """A device that nobody has chosen anything on: what it prefers, and what happens to each of its pages at first."""

    def __init__(self, context: BrowserContext, prefers: Theme) -> None:
        self.context = context
        self.prefers = prefers
        self.at_first: list[Callable[[Page], object]] = []

    def new_page(self) -> Page:
        """A page on which nothing stands yet."""
        page = chromium.page_of(self.context)
        page.emulate_media(color_scheme=self.prefers)
        for happens in self.at_first:
            happens(page)
        return page

    def add_script(self, script: str) -> None:
        """Run it in each page before anything else."""
        self.at_first.append(lambda page: page.add_init_script(script))


@pytest.fixture
def device(context: BrowserContext) -> Callable[[Theme], Device]:
    """The device, by what it prefers."""
    return partial(Device, context)


def page_of(device: Device, address: str) -> Page:
    """A page with what stands on it."""
    page = device.new_page()
    go(page, address)
    return page


def go(page: Page, address: str) -> None:
    page.goto(address)
    page.wait_for_selector(".wall .header, .beside .header", timeout=LONGEST_MS)


def spoilt(device: Device, script: str, sound: str, wrong: str) -> None:
    """From now on the device gets a script of ours with a fault in it."""
    device.at_first.append(lambda page: chromium.spoil(page, script, sound, wrong))


def becomes(page: Page, told: str, value: str) -> None:
    """Wait until something of the page has a value; the page's policy forbids it to look by itself."""
    for _ in range(LONGEST_MS // 100):
        if page.evaluate(told) == value:
            return
        page.wait_for_timeout(100)
    assert page.evaluate(told) == value


def is_shown(page: Page, theme: Theme) -> None:
    """It is, or becomes, light or dark, and the switch says the other one."""
    expect(page.locator("html")).to_have_attribute("data-theme", theme)
    assert theme_of(page, theme) == []
    expect(page.get_by_role("button", name={"light": "Dark", "dark": "Light"}[theme], exact=True)).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_desk_is_as_its_device_prefers_and_follows_it(
    theme: Theme, device: Callable[[Theme], Device], url: str
) -> None:
    page = page_of(device(theme), f"{url}feeds?lang=en")
    is_shown(page, theme)
    assert page.evaluate(SCHEME) == theme
    page.evaluate("window.same = true")
    other: Theme = "dark" if theme == "light" else "light"
    page.emulate_media(color_scheme=other)
    is_shown(page, other)
    becomes(page, SCHEME, other)
    assert page.evaluate("window.same"), "nothing is loaded again"


def test_the_wall_and_the_telephones_page_stay_dark_on_a_light_device_and_have_no_switch(
    device: Callable[[Theme], Device], url: str
) -> None:
    mine = device("light")
    mine.add_script("localStorage.setItem('edtwin-theme', 'light')")
    page = page_of(mine, url)
    for path in ("", "wall", "nowhere", "phone"):
        go(page, f"{url}{path}?lang=en")
        assert theme_of(page, None) == [], path
        expect(page.locator("button.theme")).to_have_count(0)


def test_a_wall_that_follows_its_device_is_seen(device: Callable[[Theme], Device], url: str) -> None:
    mine = device("light")
    spoilt(mine, "theme.js", "return follow.includes(", "return true || follow.includes(")
    assert len(theme_of(page_of(mine, url), None)) == 2


def test_the_choice_is_remembered_and_wins_over_the_device(device: Callable[[Theme], Device], url: str) -> None:
    mine = device("light")
    page = page_of(mine, f"{url}feeds?lang=en")
    page.get_by_role("button", name="Dark", exact=True).focus()
    page.keyboard.press("Enter")
    is_shown(page, "dark")
    expect(page.get_by_role("button", name="Light", exact=True)).to_be_focused()
    go(page, f"{url}alerts?lang=en")
    is_shown(page, "dark")
    page.emulate_media(color_scheme="dark")
    page.emulate_media(color_scheme="light")
    is_shown(page, "dark")
    page.close()
    is_shown(page_of(mine, f"{url}feeds?lang=en"), "dark")


def test_a_choice_that_is_not_remembered_is_seen(device: Callable[[Theme], Device], url: str) -> None:
    mine = device("light")
    spoilt(mine, "theme.js", "window.localStorage.setItem(KEY, theme);", "window.forgotten = theme;")
    page = page_of(mine, f"{url}feeds?lang=en")
    page.locator("button.theme").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "light")


@pytest.mark.soak
def test_what_is_chosen_in_one_tab_is_seen_in_all(device: Callable[[Theme], Device], url: str) -> None:
    mine = device("light")
    one, other = page_of(mine, f"{url}feeds?lang=en"), page_of(mine, f"{url}alerts?lang=en")
    wall = page_of(mine, url)
    one.locator("button.theme").click()
    is_shown(other, "dark")
    assert theme_of(wall, None) == []


def test_a_browser_that_keeps_nothing_has_the_choice_for_the_visit(device: Callable[[Theme], Device], url: str) -> None:
    mine = device("light")
    mine.add_script(WITHOUT_MEMORY)
    page = page_of(mine, f"{url}feeds?lang=en")
    is_shown(page, "light")
    page.locator("button.theme").click()
    is_shown(page, "dark")
    go(page, f"{url}alerts?lang=en")
    is_shown(page, "dark")


@pytest.mark.soak
def test_in_french_the_switch_has_its_words(device: Callable[[Theme], Device], url: str) -> None:
    page = page_of(device("light"), f"{url}feeds?lang=fr")
    page.get_by_role("button", name="Sombre", exact=True).click()
    expect(page.get_by_role("button", name="Clair", exact=True)).to_be_visible()


SEEN_FIRST = """() => { const seen = performance.getEntriesByType('paint').map(one => one.startTime);
    return [window.themedAt, Math.min(...seen)]; }"""
WATCHING = """new MutationObserver(() => { window.themedAt ??= performance.now(); })
    .observe(document, { subtree: true, attributes: true, attributeFilter: ['data-theme'] })"""


def themed_before_painted(mine: Device, url: str) -> bool:
    mine.add_script(WATCHING)
    page = page_of(mine, f"{url}feeds?lang=en")
    page.locator("button.theme").wait_for()
    themed_at, painted_at = page.evaluate(SEEN_FIRST)
    return bool(themed_at <= painted_at)


def test_a_page_has_its_theme_before_it_is_painted(device: Callable[[Theme], Device], url: str) -> None:
    assert themed_before_painted(device("light"), url)
    mutant = device("light")
    spoilt(
        mutant,
        "theme.js",
        "  apply();\n})();",
        "  window.addEventListener('load', () => setTimeout(apply, 500));\n})();",
    )
    assert not themed_before_painted(mutant, url), "the mutant: dark at first"


def test_charts_are_drawn_anew_in_the_theme_that_is_chosen(device: Callable[[Theme], Device], url: str) -> None:
    page = page_of(device("light"), f"{url}replay?lang=en")
    becomes(page, LINE, colours("light")["forecast"])
    page.evaluate("window.same = true")
    page.locator("button.theme").click()
    becomes(page, LINE, colours("dark")["forecast"])
    assert page.evaluate("window.same")


def test_a_house_that_gives_everybody_the_same_drawing_is_seen(
    monkeypatch: pytest.MonkeyPatch, device: Callable[[Theme], Device], url: str
) -> None:
    def version(word: str, reader: Reader, place: Place) -> str:
        return json.dumps([word, place.name, place.number, place.query, reader.language, reader.rem_px, reader.narrow])

    monkeypatch.setattr(app, "_version", version)  # the mutant: the theme is not in it
    page = page_of(device("light"), f"{url}replay?lang=en")
    becomes(page, LINE, colours("light")["forecast"])
    page.locator("button.theme").click()
    page.wait_for_timeout(3000)
    assert page.evaluate(LINE) == colours("light")["forecast"]


def test_what_people_know_follows_without_a_word_to_the_server(device: Callable[[Theme], Device], url: str) -> None:
    page = page_of(device("light"), f"{url}known?lang=en")
    is_shown(page, "light")
    page.locator("button.theme").click()
    is_shown(page, "dark")


def test_what_is_printed_is_dark_on_white_whatever_the_theme(device: Callable[[Theme], Device], url: str) -> None:
    page = page_of(device("dark"), f"{url}trust?lang=en")
    page.locator("img.trust-chart").first.wait_for(timeout=LONGEST_MS)
    told = """() => ['--panel', '--text'].map(name => getComputedStyle(document.documentElement).getPropertyValue(name))
        .concat(getComputedStyle(document.querySelector('img.trust-chart')).filter)"""
    assert page.evaluate(told) == [colours("dark")["panel"], colours("dark")["text"], "none"]
    page.emulate_media(media="print")
    panel, text, turned = page.evaluate(told)
    assert (panel, text) == (colours("light")["panel"], colours("light")["text"])
    assert "invert(1)" in turned, "what was drawn for the dark"
    page.emulate_media(media="print", color_scheme="light")
    becomes(page, "getComputedStyle(document.querySelector('img.trust-chart')).filter", "none")


@pytest.mark.soak
def test_pages_that_the_wall_turns_through_are_dark_on_its_screen_and_not_on_a_telephone(
    device: Callable[[Theme], Device],
) -> None:
    with served(ordinary, PAGES, rotation=("wall", "alerts")) as (url, _):
        page = page_of(device("light"), url)
        page.wait_for_selector(".alerts-page", timeout=LONGEST_MS)
        assert theme_of(page, None) == []
        expect(page.locator("button.theme")).to_be_hidden()
        narrow = device("light").new_page()
        narrow.set_viewport_size({"width": 390, "height": 844})
        go(narrow, f"{url}alerts?lang=en")
        is_shown(narrow, "light")
        go(page, f"{url}feeds?lang=en")
        is_shown(page, "light")
