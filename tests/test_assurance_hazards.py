"""The hazard log and the promises: every test that is named exists, and what is generated is current."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.assurance.documents import BEGIN, END, hazard_page, pages, promise_table, unproved, with_promises
from tests.assurance.proofs import known_tests, links, missing
from tests.assurance.tables import Group, Hazard, Promise, every_hazard, hazard_groups, promises

KINDS = {"D": 14, "M": 12, "T": 5, "K": 9, "F": 3, "S": 8, "C": 6, "I": 10, "W": 8, "V": 5, "U": 3}
"""How many hazards of each kind are known."""

TEST = "test_x.py::test_a_thing_holds"
TESTED = {"id": "D1", "severity": 4, "hazard": "It is lost", "done": "It is kept", "status": "tested", "tests": [TEST]}
MET = {
    "id": "P1",
    "promise": "It is kept",
    "asked": "0 lost",
    "last": "0 lost",
    "from": "`make soak`",
    "status": "met",
    "tests": [TEST],
    "mutants": ["test_x.py::test_a_mutant_is_seen"],
}


def test_every_test_that_a_table_names_exists() -> None:
    assert unproved() == []


def test_a_test_that_does_not_exist_is_seen(tmp_path: Path) -> None:
    (tmp_path / "test_x.py").write_text(
        "import pytest\n@pytest.mark.soak\ndef test_long(): ...\ndef helper(): ...\ndef test_short(): ...\n"
    )
    known = known_tests(tmp_path)
    assert known == {"test_x.py::test_long": True, "test_x.py::test_short": False}
    assert missing(["test_x.py::test_short", "test_x.py::helper", "test_y.py::test_long"], known) == [
        "test_x.py::helper",
        "test_y.py::test_long",
    ]
    assert links(["test_x.py::test_long"], known) == "[long](../../tests/test_x.py) (soak)"


def test_every_generated_page_is_current() -> None:
    stale = [path.name for path, text in pages().items() if path.read_text(encoding="utf-8") != text]
    assert stale == [], "make assurance"


def test_a_page_that_is_behind_is_seen() -> None:
    groups = hazard_groups()
    known = known_tests()
    page = hazard_page(groups, known)
    assert page != hazard_page(groups[:-1], known)
    assert page != hazard_page(groups, dict.fromkeys(known, True))
    readme = f"before\n{BEGIN}old\n{END}\nafter\n"
    mended = with_promises(readme, promise_table(promises(), known))
    assert mended != readme
    assert mended == with_promises(mended, promise_table(promises(), known))
    assert (mended.startswith("before\n"), mended.endswith("\nafter\n")) == (True, True)
    with pytest.raises(ValueError, match=r"README.md must have the lines"):
        with_promises("no place\n", "")


def test_every_known_hazard_and_every_promise_is_told_once() -> None:
    ids = [hazard.id for hazard in every_hazard()]
    assert sorted(ids) == sorted(f"{kind}{n}" for kind, count in KINDS.items() for n in range(1, count + 1))
    assert [promise.id for promise in promises()] == [f"P{n}" for n in range(1, 15)]


@pytest.mark.parametrize(
    "change",
    [
        {"tests": []},
        {"done": ""},
        {"lacks": "a test"},
        {"status": "in part"},
        {"status": "not built"},
        {"status": "fine"},
        {"severity": 6},
        {"id": "1"},
        {"tests": ["test_x.py"]},
        {"test": TEST},
    ],
)
def test_a_hazard_that_claims_more_than_it_shows_is_refused(change: dict[str, object]) -> None:
    assert Hazard.model_validate(TESTED).tests == (TEST,)
    with pytest.raises(ValueError, match=r"D1|Hazard"):
        Hazard.model_validate(TESTED | change)


@pytest.mark.parametrize(
    "change",
    [
        {"last": ""},
        {"tests": []},
        {"mutants": []},
        {"lacks": "700 kills"},
        {"status": "in part"},
        {"status": "not measured", "lacks": "weeks"},
        {"status": "not built"},
    ],
)
def test_a_promise_that_claims_more_than_it_shows_is_refused(change: dict[str, object]) -> None:
    assert Promise.model_validate(MET).last == "0 lost"
    with pytest.raises(ValueError, match="P1 is"):
        Promise.model_validate(MET | change)


def test_what_1_0_waits_for_is_said() -> None:
    open_one = Hazard(id="W2", severity=4, hazard="h", done="", status="not built", lacks="roles")
    mild = Hazard(id="W9", severity=3, hazard="h", done="", status="not built", lacks="x")
    page = hazard_page((Group(name="Pages", hazard=(open_one, mild)),), {})
    assert "2 hazards: 0 tested, 0 in part, 2 not built." in page
    assert "1.0 waits for them: W2. Grave and in part: none.\n" in page
