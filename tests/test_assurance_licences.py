"""The page of licences: what is installed, as the packages say; nothing that could not be handed on."""

from __future__ import annotations

import pytest

from tests.assurance.licences import DOCUMENT, NOT_READ, asks_for, declared, document, refused, told
from tests.assurance.locks import Pin, runtime_pins

HERE = Pin("pytz", "2026.6", None, ("a" * 64,), ("edtwin",))
ELSEWHERE = Pin("not-installed-anywhere", "1.0", None, ("b" * 64,), ("edtwin",))


def test_the_page_is_current() -> None:
    page = DOCUMENT.read_text(encoding="utf-8")
    assert page == document(runtime_pins(), told(page)), "make licences"


def test_every_package_may_be_handed_on() -> None:
    assert refused(DOCUMENT.read_text(encoding="utf-8")) == []


def test_a_page_that_is_behind_is_seen() -> None:
    page = document((HERE,), {})
    assert told(page) == {"pytz": "MIT"}
    assert page != document((Pin("pytz", "2027.1", None, HERE.hashes, HERE.wanted_by),), told(page))
    assert page != document((HERE, ELSEWHERE), told(page))
    forged = page.replace("| MIT |", "| BSD |")
    assert forged != document((HERE,), told(forged))


def test_what_is_not_installed_here_keeps_what_was_told() -> None:
    assert told(document((ELSEWHERE,), {})) == {"not-installed-anywhere": NOT_READ}
    page = document((ELSEWHERE,), {"not-installed-anywhere": "MIT"})
    assert page == document((ELSEWHERE,), told(page))


@pytest.mark.parametrize(
    ("licence", "asks"),
    [
        ("MIT", "notice"),
        ("BSD License, Apache Software License", "notice"),
        ("MPL-2.0", "source of the package itself"),
        ("GNU Lesser General Public License v2 or later (LGPLv2+)", "source of the package itself"),
        ("GPL-3.0-only", "source of all"),
        ("GNU Affero General Public License v3", "source of all"),
        ("MIT AND AGPL-3.0-or-later", "source of all"),
        ("Dual License", "unknown"),
        (NOT_READ, "unknown"),
    ],
)
def test_what_a_licence_asks_for(licence: str, asks: str) -> None:
    assert asks_for(licence) == asks


def test_a_licence_that_cannot_stay_is_refused() -> None:
    page = document((ELSEWHERE, HERE), {"not-installed-anywhere": "GPL-3.0-only"})
    assert refused(page) == ["not-installed-anywhere: GPL-3.0-only"]
    assert refused(page.replace("GPL-3.0-only", "see the file").replace("source of all", "unknown")) != []


def test_the_clearest_word_of_a_package_is_taken() -> None:
    """python-dateutil's own word is "Dual License", which says nothing; its classifiers say which two."""
    assert declared("python-dateutil") == "Apache Software License, BSD License"
    assert declared("not-installed-anywhere") is None
