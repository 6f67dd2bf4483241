"""The web application: the wall and the pages beside it, one callback, no state but the views."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from html import escape
from pathlib import Path
from typing import Any

import dash_mantine_components as dmc
import plotly.graph_objects as go
from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html, no_update
from dash.development.base_component import Component
from flask import Response, request
from flask_compress import Compress
from werkzeug.exceptions import BadRequest

from dashboard.access.bar import bar
from dashboard.access.wiring import Access
from dashboard.alert_desk import desk, register_desk
from dashboard.backtest_buttons import Backtests, backtest_asks, register_backtests
from dashboard.data_page import data_view
from dashboard.data_routes import answer_data
from dashboard.filled import Filled, Fillings
from dashboard.grid_buttons import Grids, grid_asks, register_grid
from dashboard.headers import secure
from dashboard.instructor import Instructed, instructor_form, register_instructor
from dashboard.known_door import KnownDoor, answer_known
from dashboard.news import answer_news
from dashboard.pages.beside import BESIDE, WALL, Place, beside, named
from dashboard.pages.wall import Charts, figures_of, filling, first_sight, frame, panels_of
from dashboard.phone_door import NOT_DASHS, Frame, answer_phone, language_asked, theme_script
from dashboard.plain_html import rendered
from dashboard.proposal_window import DeskDoor, proposal_window, register_proposals
from dashboard.replay_buttons import Replays, register_replay, replay_asks
from dashboard.settings import WALL_CHARTS
from dashboard.states import aged
from dashboard.terms import answer_terms
from dashboard.theme import FONT
from dashboard.whatif_asked import theme_told
from dashboard.whatif_desk import register_whatif, whatif_layout
from dashboard.words import LANGUAGES, Language, Reader
from forecast.alerts import Alerts
from forecast.board import Board
from forecast.pages import PageView
from forecast.whatif_ask import Asking

HERE = Path(__file__).parent
_REM_PX = (8.0, 200.0)
_LONGEST_QUERY = 600
_BAND = "EXERCICE <span>·</span> EXERCISE"
"""Across every page of an exercise, in the page's frame itself: it stands there whatever else fails."""
_ASKING = frozenset(name for name, page in BESIDE.items() if page.asks)
_UNKNOWN_ZONE = "UTC"
"""Until the first board says where the hospital is; the page then shows no time."""


@dataclass(frozen=True)
class WallSettings:
    """What can be set of the wall.

    `refresh_s` is how often a page asks for news; `language` is that of a page that does not name one; `downtime_call`
    is whom to call when the link is lost.
    """

    refresh_s: float = 5.0
    language: Language = "fr"
    downtime_call: str | None = None
    rotation: tuple[str, ...] = ()
    """Pages that the wall's screen shows in turn, by name; none: the wall alone."""
    rotation_s: float = 30.0
    charts: Charts = WALL_CHARTS
    """Below the census on the wall, from left to right."""
    is_exercise: bool = False
    """Say EXERCISE across every page, whatever else it shows."""


Pages = Mapping[str, Callable[..., PageView | None]]
"""By name of a page beside the wall what gives its view, which must be quick; a page left out has none yet. A page that
asks for something is called with the query of its address."""


def build_app(
    get_board: Callable[[], Board | None],
    settings: WallSettings,
    now: Callable[[], datetime] | None = None,
    pages: Pages | None = None,
    alerts: Alerts | None = None,
    asking: Asking | None = None,
    grids: Grids | None = None,
    door: DeskDoor | None = None,
    exercise: Instructed | None = None,
    known: KnownDoor | None = None,
    replays: Replays | None = None,
    backtests: Backtests | None = None,
    access: Access | None = None,
) -> Dash:
    """The wall and the pages beside it as a Dash application; serve its `.server` with any WSGI server.

    `get_board` gives the newest board and must be quick: every open page calls it each `refresh_s`. `now` is the
    house's clock: with it a board that is no longer renewed grows old on the wall, minute by minute. `alerts` is what
    the page of the alerts may acknowledge and snooze, `asking` what the page of what-if may ask, `grids` what the
    robustness map may begin and stop, `door` what people may do at the desk, `exercise` what an instructor may put into
    an exercise, `known` what people may say is already known, `replays` what forecasts past instants, `backtests` what
    runs back-tests, `access` who may do what; without it whoever asks may do all.
    """
    pages = dict(pages or {})
    shown = partial(_shown, get_board, now)
    app = _House(
        "edtwin",
        assets_folder=str(HERE / "assets"),
        serve_locally=True,
        title="edtwin",
        update_title="",
        index_string=_index(settings, _following(pages)),
        enable_mcp=False,
        add_log_handler=False,
        assets_ignore=NOT_DASHS,
    )
    access = access or Access()
    access.gate.stand_before(app)
    app.layout = _layout(settings, asking, exercise)
    app.first_sight = partial(_first_sight, shown, settings.language)
    app.language = partial(language_asked, settings.language)
    view_of = partial(_view_of, shown, pages)
    pages["data"] = lambda: data_view(shown()[0], view_of, _ASKING)
    _register(app, shown, pages, settings.charts)
    answer_data(app.server, view_of)
    register_desk(app, alerts)
    register_whatif(app, asking)
    register_grid(app, grids)
    register_proposals(app, door)
    register_instructor(app, exercise)
    answer_terms(app.server)
    register_replay(app, replays)
    register_backtests(app, backtests)
    app.server.add_url_rule("/healthz", "healthz", lambda: Response("ok\n", mimetype="text/plain"))
    around = Frame(_above(settings), settings.language, settings.refresh_s)
    answer_phone(app.server, lambda: _shown(get_board, now), around)
    answer_known(app.server, known, around)
    if access.sign_in is not None:
        access.sign_in.answer(app.server)
    if access.oidc is not None:
        access.oidc.answer(app.server)
    # the tag of a compressed answer is the compressor's own, so that only it knows it again
    app.server.config["COMPRESS_EVALUATE_CONDITIONAL_REQUEST"] = True
    Compress(app.server)
    secure(app)
    return app


class _House(Dash):
    """An application whose page shows something before its scripts have come."""

    first_sight: Callable[[], str]
    language: Callable[[], Language]

    def interpolate_index(self, *parts: Any, **named_parts: Any) -> str:
        """The page of an address."""
        above = f"{bar(self.language())}{self.first_sight()}"
        told = {**named_parts, "app_entry": f"{above}{named_parts['app_entry']}"}
        return str(super().interpolate_index(*parts, **told))  # type: ignore[no-untyped-call]


def _first_sight(shown: Callable[[], tuple[Board | None, str]], usual: Language) -> str:
    """What the wall shows at once, as HTML; nothing on another page, before the first board, and where no script would
    ever make it grey."""
    board = shown()[0] if named(request.path) == WALL else None
    if board is None:
        return ""
    unscripted = "<noscript><style>#first-sight { display: none; }</style></noscript>"
    return f"{unscripted}{rendered(first_sight(board, Reader(language_asked(usual), board.zone)))}"


def reader_of(screen: Any, zone: str) -> Reader:
    """The reader that a page says it has. Raises BadRequest where it says nonsense: the page is not to be trusted."""
    if not isinstance(screen, dict) or screen.get("language") not in LANGUAGES:
        raise BadRequest("screen.language must be a language of the wall")
    rem_px, narrow = screen.get("rem_px"), screen.get("narrow")
    if not isinstance(rem_px, int | float) or not _REM_PX[0] <= rem_px <= _REM_PX[1] or not isinstance(narrow, bool):
        raise BadRequest("screen.rem_px must be a letter's size and screen.narrow a truth value")
    return Reader(screen["language"], zone, rem_px=float(rem_px), narrow=narrow, theme=theme_told(screen))


def _shown(get_board: Callable[[], Board | None], now: Callable[[], datetime] | None) -> tuple[Board | None, str]:
    """The board as it reads at this minute, and a word that changes whenever the page must."""
    board = get_board()
    if board is None:
        return None, "none"
    minutes = 0 if now is None else max(0, int((now() - board.made_at) / timedelta(minutes=1)))
    return aged(board, timedelta(minutes=minutes)), f"{board.made_at.isoformat()}+{minutes}"


def _register(app: Dash, shown: Callable[[], tuple[Board | None, str]], pages: Pages, charts: Charts) -> None:
    app.clientside_callback(ClientsideFunction("wall", "screen"), Output("screen", "data"), Input("asked", "data"))
    app.clientside_callback(
        ClientsideFunction("wall", "scheme"), Output("themed", "forceColorScheme"),
        Input("screen", "data"), State("themed", "forceColorScheme"),
    )  # fmt: skip

    app.clientside_callback(
        ClientsideFunction("wall", "answered"), Output("answered", "data"),
        Input("beat", "children"), State("version", "data"),
    )  # fmt: skip

    fillings, outputs = Fillings(), _outputs(charts)

    def filled(screen: Any) -> tuple[Filled, str]:
        """What a screen shows, and what it is known by: another word whenever the page must change."""
        place = place_of(screen)
        if place.name != WALL and BESIDE[place.name].of_exercises and place.name not in pages:
            place = Place(WALL)  # there is no exercise
        view, word = _view(place, shown, pages)
        draw = partial(_wall, view, charts) if place.name == WALL else partial(_beside, view, place)
        reader = reader_of(screen, view.zone if view else _UNKNOWN_ZONE)
        found = fillings.of(_version(word, reader, place), view, partial(draw, reader))
        return found, _version(found.word, reader, place)

    @app.callback(outputs, Input("screen", "data"), State("version", "data"))
    def refresh(screen: Any, version: Any) -> dict[str, Any]:
        """The page filled anew if it shows something else now; a beat in any case, by which it knows we live."""
        tick = screen.get("tick") if isinstance(screen, dict) else None
        beat = {**dict.fromkeys(outputs, no_update), "beat": str(tick)}
        found, wanted = filled(screen)
        return beat if version == wanted else {**beat, **found.parts, "version": wanted}

    answer_news(app.server, lambda screen: filled(screen)[0].word)


def _view(place: Place, shown: Callable[[], tuple[Board | None, str]], pages: Pages) -> tuple[Any, str]:
    """What a page shows, a view of its kind or None, and a word that changes whenever the page must."""
    if place.name == WALL or BESIDE[place.name].of_the_board:
        return shown()
    make = pages.get(place.name, _nothing)
    view = make(place.query) if BESIDE[place.name].asks else make()
    return view, view.made_at.isoformat() if view else "none"


def _view_of(shown: Callable[[], tuple[Board | None, str]], pages: Pages, name: str, query: str = "") -> Any:
    """The view of a page, or of the wall, for who wants its figures."""
    return _view(Place(name, query=query), shown, pages)[0]


def _nothing(*_: str) -> None:
    """The view of a page that nobody makes one for."""


def place_of(screen: Any) -> Place:
    """Which page it is. Raises BadRequest where the page says nonsense; a page that is not ours is the wall."""
    told = screen if isinstance(screen, dict) else {"path": None}
    path, number, query = told.get("path", "/"), told.get("number", 1), told.get("query", "")
    if not isinstance(query, str) or len(query) > _LONGEST_QUERY:
        raise BadRequest("screen.query must be what an address asks for")
    if not isinstance(path, str) or isinstance(number, bool) or not isinstance(number, int) or not 1 <= number < 1e6:
        raise BadRequest("screen.path must be a path of this site and screen.number a page's number")
    return Place(named(path), number, query)


def _version(word: str, reader: Reader, place: Place) -> str:
    screen = [reader.language, reader.rem_px, reader.narrow, reader.theme]
    return json.dumps([word, place.name, place.number, place.query, *screen])


def _outputs(charts: Charts) -> dict[str, Output]:
    """All that a refresh may change, each by a name."""
    return {
        "beat": Output("beat", "children"),
        "version": Output("version", "data"),
        "state": Output("wall", "className"),
        "page": Output("page", "children"),
        "elsewhere": Output("page", "className"),
        **{f"slot-{name}": Output(f"slot-{name}", "children") for name in panels_of(charts)},
        **{f"chart-{name}": Output(f"chart-{name}", "figure") for name in figures_of(charts)},
        **{f"place-{name}": Output(f"place-{name}", "className") for name in figures_of(charts)},
    }


def _beside(view: PageView | None, place: Place, reader: Reader) -> dict[str, Any]:
    return {"page": beside(view, reader, place), "state": "elsewhere", "elsewhere": "page"}


def _wall(board: Board | None, charts: Charts, reader: Reader) -> dict[str, Any]:
    new = filling(board, reader, charts)
    return {
        "state": f"wall {new.state}",
        **{f"slot-{name}": panel for name, panel in new.panels.items()},
        **{f"chart-{name}": figure or go.Figure() for name, figure in new.figures.items()},
        **{f"place-{name}": "chart" if figure else "chart none" for name, figure in new.figures.items()},
    }


def _layout(settings: WallSettings, asking: Asking | None, exercise: Instructed | None) -> Component:
    parts = [
        dcc.Store(id="asked"),
        dcc.Store(id="screen"),
        dcc.Store(id="version"),
        dcc.Store(id="answered"),
        html.Div(id="beat", hidden=True),
        html.Main(frame(settings.charts), id="wall", className="blank"),
        html.Div(id="page", className="blank"),
        whatif_layout(asking),
        desk(),
        grid_asks(),
        replay_asks(),
        backtest_asks(),
        proposal_window(),
        *([instructor_form(exercise)] if exercise is not None else []),
    ]
    return dmc.MantineProvider(parts, id="themed", forceColorScheme="dark", theme={"fontFamily": FONT})


def _above(settings: WallSettings) -> str:
    """What stands over every page: the band of an exercise, and what the plain script needs to say that the link is
    lost."""
    lost: dict[str, str] = {lang: Reader(lang, _UNKNOWN_ZONE).say("LINK LOST since") for lang in LANGUAGES}
    if settings.downtime_call is not None:
        for lang in LANGUAGES:
            said = Reader(lang, _UNKNOWN_ZONE).say("Downtime procedure: call {number}", number=settings.downtime_call)
            lost[f"{lang}-call"] = said
    band = f'\n<section id="exercise" aria-label="EXERCICE, EXERCISE">{_BAND}</section>' if settings.is_exercise else ""
    # nearly three refreshes without an answer (looked at every second: seen within 15 s where a page asks every 5), and
    # never less than what a slow answer may take
    silent_ms = max(12_000, round(2_800 * settings.refresh_s))
    words = " ".join(f'data-{name}="{escape(text, quote=True)}"' for name, text in lost.items())
    return f'{band}\n<div id="lost" role="alert" hidden data-silent-ms="{silent_ms}" {words}></div>'


def _rotation(settings: WallSettings) -> str:
    """What the script of the rotation must know; nothing where the wall stands alone."""
    if not settings.rotation:
        return ""
    pages = " ".join(_turning(settings))
    return f'\n<div id="rotation" hidden data-pages="{escape(pages)}" data-seconds="{settings.rotation_s:g}"></div>'


def _turning(settings: WallSettings) -> list[str]:
    """The addresses that the wall's screen turns through."""
    return ["/" if name == WALL else f"/{name}" for name in settings.rotation]


def _following(pages: Pages) -> list[str]:
    """The pages that are light or dark as their reader likes: all that the wall does not stand in for."""
    return [name for name, page in BESIDE.items() if not page.of_exercises or name in pages]


def _index(settings: WallSettings, following: Sequence[str]) -> str:
    """The page's frame."""
    return f"""<!DOCTYPE html>
<html lang="{settings.language}">
<head>
{{%metas%}}
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{%title%}}</title>
{theme_script(following, _turning(settings))}
{{%favicon%}}
{{%css%}}
</head>
<body data-refresh-ms="{round(1000 * settings.refresh_s)}">{_above(settings)}{_rotation(settings)}
{{%app_entry%}}
<footer>
{{%config%}}
{{%scripts%}}
{{%renderer%}}
</footer>
</body>
</html>"""
