"""The pages of an exercise in a real browser: nothing sticks out, and the instructor puts in, plans and cancels."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, expect

from dashboard.app import Pages
from dashboard.drill_script import inject_of
from tests.boards import ordinary
from tests.chromium import IN_CHROMIUM, page_of
from tests.drills import DOCTORS, SCRIPT, Held
from tests.pictures import LONGEST_MS, served

pytestmark = [
    *IN_CHROMIUM,
    pytest.mark.timeout(400),  # the compiled engine may have to be compiled first
]
SCREENS = [(1920, 1080), (390, 844)]


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Held]:
    held = Held(tmp_path_factory.mktemp("drill"), (*SCRIPT, inject_of({"kind": "outage", "hours": 1, "at_min": 900})))
    held.play(5, {0.6: DOCTORS})
    yield held
    held.database.close()


@pytest.fixture(scope="module")
def url(held: Held) -> Iterator[str]:
    pages: Pages = {"instructor": held.exercise.view, "debrief": held.exercise.view}
    with served(ordinary, pages, exercise=held.exercise) as (address, _):
        yield address


@pytest.mark.parametrize(("width", "height"), SCREENS)
def test_the_instructor_plans_and_cancels(
    context: BrowserContext, url: str, held: Held, width: int, height: int
) -> None:
    page = page_of(context, width, height)
    page.goto(f"{url}instructor?lang=en")
    page.wait_for_selector(".inject-cancel", timeout=LONGEST_MS)
    before = len(held.exercise.view().scheduled)
    page.fill("#inject-later", "45")
    page.click("#inject-outage")
    expect(page.locator("#inject-said")).to_contain_text("It comes in")
    expect(page.locator(".inject-cancel")).to_have_count(before + 1)
    planned = next(one for one in held.exercise.view().scheduled if one.by == "instructor")
    page.click(f".inject-cancel[data-number='{planned.number}']")
    expect(page.locator("#inject-said")).to_contain_text("It was cancelled")
    expect(page.locator(".inject-cancel")).to_have_count(before)
    assert [one.number for one in held.exercise.view().scheduled if one.by == "instructor"] == []
    injects = len(held.exercise.view().injects)
    page.fill("#inject-later", "0")
    page.click("#inject-absent")
    expect(page.locator("#inject-said")).to_contain_text("It is in")
    assert len(held.exercise.view().injects) == injects + 1
