"""Licences of what edtwin runs on, as each package declares its own: `make licences` writes LICENCES.md beside it.

Nothing is fetched: licences are read from the metadata of the packages that are installed. One that is not installed
on this Python or platform keeps what the document said before.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

from tests.assurance.locks import ROOT, Pin, runtime_pins, versions

DOCUMENT = ROOT / "tests" / "assurance" / "LICENCES.md"
NOT_READ = "not read: not installed where this was made"
ROW = re.compile(r"^\| `(?P<name>[^`]+)` \| (?P<versions>[^|]+) \| (?P<licence>[^|]+) \| (?P<asks>[^|]+) \|$")

STRONG = r"\bA?GPL|GNU (Affero )?General Public"
WEAK = r"\bLGPL|\bMPL|Lesser General Public|Mozilla Public"
FREE = r"\bMIT\b|BSD|Apache|PSF|Python Software Foundation|ISC|Zlib|ZPL|Zope Public|CC0|Unlicense|HPND"

HEAD = """# Licences

What edtwin runs on, package by package (`requirements.lock`), with the licence that each declares in its own metadata.
Made by `make licences`; `tests/test_assurance_licences.py` holds it to what is installed, without a network. edtwin
itself is Apache-2.0. Packages are installed beside it as they are and none is changed; what a licence asks:

- *notice*: keep the notice of copyright, which each wheel brings along;
- *source of the package itself*: who hands on a changed package hands on its source; nothing is asked of edtwin's own;
- *source of all*: none is allowed, and the test turns red.

| package | versions | licence, as declared | asks for |
|---|---|---|---|
"""


def declared(name: str) -> str | None:
    """The licence that an installed package declares, on one line; None where the package is not installed."""
    try:
        told = metadata(name)
    except PackageNotFoundError:
        return None
    classes = [line.split(" :: ")[-1] for line in told.get_all("Classifier") or [] if line.startswith("License ::")]
    expression, free_text = (str(told.json.get(key, "")) for key in ("license_expression", "license"))
    short = free_text if len(free_text) <= 40 and "\n" not in free_text else ""
    said = [text for text in (expression, short, ", ".join(sorted(classes))) if text]
    return next((text for text in said if asks_for(text) != "unknown"), said[0] if said else "none declared")


def asks_for(licence: str) -> str:
    """What a licence asks of who hands the package on; "unknown" is for a person to look at."""
    if licence == NOT_READ:
        return "unknown"
    if re.search(STRONG, re.sub(WEAK, "", licence)):
        return "source of all"
    if re.search(WEAK, licence):
        return "source of the package itself"
    return "notice" if re.search(FREE, licence) else "unknown"


def document(pins: tuple[Pin, ...], told_before: Mapping[str, str]) -> str:
    """The page of licences; `told_before` is for packages that are not installed here."""
    rows = []
    for name, locked in sorted(versions(pins).items()):
        licence = declared(name) or told_before.get(name, NOT_READ)
        rows.append(f"| `{name}` | {', '.join(locked)} | {licence} | {asks_for(licence)} |\n")
    return HEAD + "".join(rows)


def told(page: str) -> dict[str, str]:
    """Package to licence, as a page has it."""
    return {row["name"]: row["licence"] for row in map(ROW.match, page.splitlines()) if row}


def refused(page: str) -> list[str]:
    """The packages of a page whose licence edtwin may not be handed on with, or which nobody understands."""
    rows = [row for row in map(ROW.match, page.splitlines()) if row]
    return [
        f"{row['name']}: {row['licence']}"
        for row in rows
        if row["asks"] not in ("notice", "source of the package itself") and row["licence"] != NOT_READ
    ]


def main() -> int:
    """Write the page; status 2, with a sentence, where a licence cannot stay."""
    before = told(_page(DOCUMENT))
    page = document(runtime_pins(), before)
    DOCUMENT.write_text(page, encoding="utf-8")
    print(f"{DOCUMENT.relative_to(ROOT)}: {len(told(page))} packages")
    for fault in refused(page):
        print(
            f"licences: a package must not ask for the source of all, nor be unknown, but is {fault}", file=sys.stderr
        )
    return 2 if refused(page) else 0


def _page(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


if __name__ == "__main__":
    sys.exit(main())
