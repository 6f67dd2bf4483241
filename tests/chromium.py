"""Debian's chromium, which `make test` installs where it can: how it is launched, and the marks of what needs it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
from playwright.sync_api import Browser, Playwright, sync_playwright

Tested = TypeVar("Tested", bound=Callable[..., Any])

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
IN_CHROMIUM = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"there is no chromium at {CHROMIUM}"),
]
"""The marks of a module whose tests need it."""


def in_chromium(test: Tested) -> Tested:
    """The marks of one test."""
    needs, skips = IN_CHROMIUM
    marked: Tested = needs(skips(test))
    return marked


def launch(playwright: Playwright) -> Browser:
    """One more of it."""
    return playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One for the tests of a module."""
    with sync_playwright() as playwright:
        chromium = launch(playwright)
        yield chromium
        chromium.close()
