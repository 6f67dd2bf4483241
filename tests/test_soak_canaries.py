"""One search for names in all that a living house writes, says and shows, after messages full of them."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import BrowserContext, Page

from dashboard.access.table import ROUTES
from ingest.sources.mllp_client import MllpClient
from tests.chromium import IN_CHROMIUM
from tests.examples import every_page
from tests.hl7_canaries import CANARIES, everywhere
from tests.pictures import LONGEST_MS
from tests.ports import free_port
from tests.test_dashboard_serve import ROOT, ends, get, running, wait_for

pytestmark = [*IN_CHROMIUM, pytest.mark.soak, pytest.mark.timeout(1_800)]
MAPPINGS = ROOT / "ingest" / "mappings"
PLANTED = CANARIES[::20]
SIGNS = {sign for one in PLANTED for sign in (one, quote(one), json.dumps(one)[1:-1], one.upper())}
"""A name as it is, and as addresses, JSON and systems that know no small letters write it."""
STORED = """async () => JSON.stringify([
    {...localStorage}, {...sessionStorage}, document.cookie, (await indexedDB.databases()).map(one => one.name),
    await caches.keys(), location.href, document.title, document.documentElement.outerHTML,
])"""


def names_in(told: str | bytes) -> list[str]:
    """Which names stand in it."""
    whole = told if isinstance(told, bytes) else told.encode()
    return sorted(sign for sign in SIGNS if sign.encode() in whole or sign.encode("iso-8859-15", "ignore") in whole)


def answers(place: str, name: str) -> Iterator[tuple[str, str]]:
    """What the house says on all its addresses, and to questions with a name in them that are refused."""
    asked = quote(name)
    for method, rule in ROUTES:
        if method == "GET":
            yield rule, get(place + re.sub(r"<[^>]*>", asked, rule))[1]
    yield "a page that is not there", get(f"{place}/{asked}?patient={asked}")[1]
    for body in (name, {"output": name}, {"output": f"{name}.children", "inputs": [{"id": name, "value": name}]}):
        yield "a callback that is refused", get(f"{place}/_dash-update-component", body)[1]
    yield "a run that is refused", get(f"{place}/api/v1/runs", {"scenario": name, name: name})[1]


def echoes(rule: str) -> bool:
    """Whether it tells whoever asked that there is none of the name that they gave."""
    return rule.startswith("/api/v1/") and "<" in rule


def kept_by_a_browser(page: Page, place: str) -> Iterator[tuple[str, str]]:
    """What a browser holds of each page once it is drawn."""
    for name in every_page():
        page.goto(f"{place}/{name}?lang=en", timeout=LONGEST_MS)
        page.wait_for_timeout(1_500)
        yield f"the browser on /{name}", page.evaluate(STORED)


def fed(port: int) -> None:
    """Every message that holds a name somewhere, whole and broken, by MLLP."""
    with MllpClient("127.0.0.1", port) as client:
        for nth, canary in enumerate(PLANTED):
            for frame in everywhere(canary, nth):
                if not {0x0B, 0x1C} & set(frame):  # these end a frame
                    client.send(frame)


def test_no_name_is_anywhere(context: BrowserContext, tmp_path: Path) -> None:
    port, data = free_port(), tmp_path / "d"
    config = tmp_path / "edtwin.toml"
    config.write_text(
        f'members = 4\nworkers = 1\nhorizon_h = 6\nmeasure_days = 0\nalert_days = 0\nmllp_port = {port}\n'
        f'mllp_mapping = "{MAPPINGS / "hl7_default.toml"}"\nbackup_folder = "b"\n'
    )  # fmt: skip
    found: dict[str, Any] = {}
    with running(tmp_path, "--config", config, "--data", data) as (process, place):
        wait_for(lambda: get(f"{place}/healthz")[0] == 200, process, 120)
        fed(port)
        wait_for(lambda: "quarantine" in get(f"{place}/metrics")[1], process, 120)
        told = [*answers(place, PLANTED[0])]
        told += kept_by_a_browser(context.new_page(), place)
        found = {where: names for where, text in told if not echoes(where) and (names := names_in(text))}
        assert len(told) > 60
        ends(process, signal.SIGINT)
    files = [path for folder in (data, tmp_path / "b", tmp_path / "said") for path in _files(folder)]
    assert {"edtwin.duckdb", "said", "audit"} <= {part for path in files for part in path.parts}
    found |= {str(path.relative_to(tmp_path)): names for path in files if (names := names_in(path.read_bytes()))}
    assert found == {}


def test_a_name_in_any_of_its_spellings_is_seen() -> None:
    name = PLANTED[0]
    for told in (name, f"GET /?p={quote(name)}", json.dumps({"said": name}), name.encode("iso-8859-15")):
        assert names_in(told), told


def _files(place: Path) -> list[Path]:
    return [place] if place.is_file() else [path for path in place.rglob("*") if path.is_file()]
