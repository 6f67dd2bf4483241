"""The telephone's page: the wall's own panels in one column, alarms first, its charts drawn here.

For who is called at night, on a slow link: no script is needed to read it, and everything that it says is said by the
panels of the wall.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from dash import html
from dash.development.base_component import Component

from dashboard.fan_picture import fan_picture
from dashboard.pages.known import kinds
from dashboard.panels import alarms, banner, boarding, census, footer, free_beds, header, now, trust, waiting, wards
from dashboard.panels.outlook import extremes, shown
from dashboard.panels.ways import WayGroup
from dashboard.panels.ways import ways as ways_to
from dashboard.parts import absent, marked
from dashboard.plain_html import Markup
from dashboard.states import forecast_state
from dashboard.words import Reader
from forecast.board import Board, FeedState

HOLDING: tuple[FeedState, ...] = ("catching_up", "stale", "off")
"""Here no alarm is judged."""
Panel = Callable[[Board, Reader], Component]

AHEAD: Mapping[str, Panel] = {
    census.MEASURE: census.panel,
    waiting.MEASURE: waiting.panel,
    boarding.MEASURE: boarding.panel,
    free_beds.MEASURE: free_beds.panel,
}
"""What is looked ahead at, by measure, in its order."""


def phone(board: Board | None, reader: Reader, ways: list[WayGroup]) -> Component:
    """All that stands on the page; before the first board, that it is being made."""
    others = ways_to(ways, reader, folds=False)
    if board is None:
        waking = absent(reader.say("The twin is waking up: the first board is being made."))
        return html.Main([header.switch(reader), waking, others], className="wall phone waking")
    parts = [
        header.panel(board, reader), banner.panel(board, reader), _alarms(board, reader), kinds(reader),
        now.panel(board, reader), *(_ahead(measure, board, reader) for measure in AHEAD), wards.panel(board, reader),
        trust.panel(board, reader), others, footer.panel(board, reader),
    ]  # fmt: skip
    state = f"feed-{board.feed.state} forecast-{forecast_state(board)}"
    return html.Main(parts, className=f"wall phone {state}")


def _alarms(board: Board, reader: Reader) -> Component:
    """The wall's strip; where it has nothing, that nothing is on: on a page that one opens, silence says nothing."""
    if board.alarms:
        return alarms.panel(board, reader)
    if board.feed.state in HOLDING:
        said = marked("warn", reader.say("The data are too old: no alarm is raised or cleared until they come again."))
    elif forecast_state(board) == "none":
        said = marked("news", reader.say("The rules are judged with the next forecast."))
    else:
        said = marked("good", reader.say("No alarm is on."))
    return html.Div(html.A(said, href=f"/alerts?lang={reader.language}", className="no-alarm"), className="alarms")


def _ahead(measure: str, board: Board, reader: Reader) -> Component:
    """A measure's words, as on the wall, and its picture."""
    words, fan = AHEAD[measure](board, reader), shown(board, measure)
    if fan is None:
        return html.Section(words, className=f"card ahead-{measure}")
    minute = board.made_at.replace(second=0, microsecond=0)  # a page that says nothing new is not sent again
    drawn = html.Div(Markup(fan_picture(fan, reader, now_at=minute, said=extremes(fan, reader))), className="fan")
    return html.Section([words, drawn], className=f"card ahead-{measure}")
