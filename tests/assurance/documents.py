"""What is generated for readers: HAZARDS.md, ASVS.md and the table of promises in README.md. `make assurance`."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from tests.assurance.locks import ROOT
from tests.assurance.proofs import Soak, known_tests, links, missing
from tests.assurance.tables import (
    FOLDER,
    Group,
    Hazard,
    Promise,
    Requirement,
    chapters,
    every_hazard,
    hazard_groups,
    promises,
)

BLOCKING_SEVERITY = 4
"""A hazard this grave with nothing built against it is a reason not to release 1.0."""

BEGIN, END = (
    "<!-- promises: made from tests/assurance/promises.toml by `make assurance` -->\n",
    "<!-- end of promises -->",
)

HAZARDS_HEAD = """# Hazard log

What may go wrong, what is done about it, the test that would turn red if it no longer were, and the last figure. Made
from `hazards.toml` by `make assurance`; `tests/test_assurance_hazards.py` proves that every test named here exists and
that this page is current. Severity: 1 a nuisance, 2 a delay, 3 work lost or a decision made late, 4 a wrong number,
5 could mislead a decision on capacity so that patients come to harm. A test marked *soak* is run by `make soak`. A
mutant is a variant known to be wrong that the check must see. edtwin is no medical device (what it is for is told in
README.md and on the page /about); the log follows the habits of those who make them.

"""

ASVS_HEAD = """# The application security verification standard, levels 1 and 2

Where edtwin stands against OWASP's ASVS 5.0.0: the numbers are the standard's, the words ours and short, so read the
standard beside it. Made from `asvs.toml` by `make assurance`; `tests/test_assurance_asvs.py` proves that all 253
requirements are here and that every test named exists. It was filled in by those who write edtwin; nobody from outside
has looked at it yet. What is said of sign-in, sessions and roles holds where `access` is set: as it is shipped nobody
signs in, and the house listens on its own machine.

"""


def hazard_page(groups: tuple[Group, ...], known: Mapping[str, Soak]) -> str:
    """The hazard log as a page."""
    every = [hazard for group in groups for hazard in group.hazard]
    counts = Counter(hazard.status for hazard in every)
    told = ", ".join(f"{counts[status]} {status}" for status in ("tested", "in part", "not built"))
    grave = [hazard for hazard in every if hazard.severity >= BLOCKING_SEVERITY]
    blocking, in_part = ([h.id for h in grave if h.status == status] for status in ("not built", "in part"))
    summary = f"{len(every)} hazards: {told}. "
    summary += f"Not built and grave, so that 1.0 waits for them: {', '.join(blocking) or 'none'}. "
    summary += f"Grave and in part: {', '.join(in_part) or 'none'}.\n"
    return HAZARDS_HEAD + summary + "".join(_hazard_table(group, known) for group in groups)


def asvs_page(by_chapter: Mapping[str, tuple[Requirement, ...]], known: Mapping[str, Soak]) -> str:
    """The table of the ASVS as a page."""
    every = [row for rows in by_chapter.values() for row in rows]
    parts = [ASVS_HEAD, "| level | asked | met | in part | not built | not applicable |\n|---|---|---|---|---|---|\n"]
    for level in (1, 2):
        counts = Counter(row.status for row in every if row.level == level)
        figures = [sum(counts.values()), *(counts[s] for s in ("met", "in part", "not built", "not applicable"))]
        parts.append(f"| {level} | " + " | ".join(map(str, figures)) + " |\n")
    for name, rows in by_chapter.items():
        parts.append(f"\n## {name}\n\n| number | level | asked | status | test, or why |\n|---|---|---|---|---|\n")
        parts += [_asvs_row(row, known) for row in rows]
    return "".join(parts)


def promise_table(rows: tuple[Promise, ...], known: Mapping[str, Soak]) -> str:
    """The table of promises for README.md."""
    head = "| | promise | asked | last measured | status | tests | mutants |\n|---|---|---|---|---|---|---|\n"
    return head + "".join(_promise_row(row, known) for row in rows)


def with_promises(readme: str, table: str) -> str:
    """README.md with its table of promises exchanged; raises ValueError where it has no place for it."""
    if BEGIN not in readme or END not in readme.split(BEGIN)[1]:
        raise ValueError(f"README.md must have the lines {BEGIN.strip()!r} and {END!r}, but has not")
    before, rest = readme.split(BEGIN)
    return before + BEGIN + table + END + rest.split(END, 1)[1]


def unproved() -> list[str]:
    """The tests that a table names and that do not exist, each with the row that names it."""
    known = known_tests()
    named = [
        *((hazard.id, hazard.tests + hazard.mutants) for hazard in every_hazard()),
        *((promise.id, promise.tests + promise.mutants) for promise in promises()),
        *((row.number, row.tests) for rows in chapters().values() for row in rows),
    ]
    return [f"{row}: {test}" for row, tests in named for test in missing(tests, known)]


def pages() -> dict[Path, str]:
    """Every generated page with what it should hold."""
    known = known_tests()
    readme = ROOT / "README.md"
    return {
        FOLDER / "HAZARDS.md": hazard_page(hazard_groups(), known),
        FOLDER / "ASVS.md": asvs_page(chapters(), known),
        readme: with_promises(readme.read_text(encoding="utf-8"), promise_table(promises(), known)),
    }


def main() -> int:
    """Write every page; status 2, with a sentence, where a row is not as it must be or names no test that exists."""
    try:
        made, faults = pages(), unproved()
    except ValueError as error:
        print(f"assurance: {error}", file=sys.stderr)
        return 2
    for fault in faults:
        print(f"assurance: a test that is named must exist, but not {fault}", file=sys.stderr)
    if faults:
        return 2
    for path, text in made.items():
        path.write_text(text, encoding="utf-8")
        print(path.relative_to(ROOT))
    return 0


def _hazard_table(group: Group, known: Mapping[str, Soak]) -> str:
    head = "| | severity | hazard | what is done | status | tests | mutants | last figure |\n" + "|---" * 8 + "|\n"
    return f"\n## {group.name}\n\n{head}" + "".join(_hazard_row(hazard, known) for hazard in group.hazard)


def _hazard_row(hazard: Hazard, known: Mapping[str, Soak]) -> str:
    status = hazard.status + (f"; missing: {hazard.lacks}" if hazard.lacks else "")
    cells = [
        hazard.id,
        str(hazard.severity),
        hazard.hazard,
        hazard.done or "nothing yet",
        status,
        links(hazard.tests, known),
        links(hazard.mutants, known),
        hazard.figure,
    ]
    return _row(cells)


def _asvs_row(row: Requirement, known: Mapping[str, Soak]) -> str:
    proof = "; ".join(part for part in (links(row.tests, known), row.note) if part)
    return _row([row.number, str(row.level), row.asked, row.status, proof])


def _promise_row(row: Promise, known: Mapping[str, Soak]) -> str:
    last = f"{row.last} ({row.source})" if row.last else "not measured"
    status = row.status + (f"; missing: {row.lacks}" if row.lacks else "")
    tests, mutants = (links(names, known, up="") or "none" for names in (row.tests, row.mutants))
    return _row([row.id, row.promise, row.asked, last, status, tests, mutants])


def _row(cells: list[str]) -> str:
    return re.sub(r" +", " ", "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |") + "\n"


if __name__ == "__main__":
    sys.exit(main())
