"""Example views of every page that has charts, and the figures of a chart of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dashboard.app import Pages
from dashboard.charts import drawn
from dashboard.data_ways import WALL
from dashboard.tidy import Tidy
from dashboard.words import Reader
from tests.boards import ordinary
from tests.compare_views import COMPARED, ROBUST
from tests.feed_views import ordinary_feeds
from tests.learned_views import LEARNED
from tests.path_views import PATHS
from tests.supply_views import ordinary_supplies
from tests.test_dashboard_checks import VIEW as CHECKED
from tests.trust_views import ordinary_trust

ZONE = "Europe/Paris"
READER = Reader("en", ZONE)
PHONE = Reader("en", ZONE, narrow=True)
VIEWS: dict[str, Callable[[], Any]] = {
    WALL: ordinary, "feeds": ordinary_feeds, "supplies": ordinary_supplies, "compare": COMPARED["doctors"],
    "robustness": ROBUST["whole"], "trust": ordinary_trust, "checks": lambda: CHECKED, "path": PATHS["learned"],
    "learned": LEARNED["ordinary"],
}  # fmt: skip
PAGES: Pages = {name: (lambda *_, make=make: make()) for name, make in VIEWS.items() if name != WALL}


def table_of(page: str, name: str, part: str | None = None) -> Tidy:
    """The figures of a chart of the example."""
    chart, view = drawn(page, name), VIEWS[page]()
    assert chart is not None
    found = chart.data(view, chart.parts(view)[0] if part is None else part)
    assert found is not None
    return found
