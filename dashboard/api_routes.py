"""The routes of the API: what each takes, does and gives. The server and the OpenAPI document are made of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel

from dashboard.api_answers import Catalogue, Comparisons, Proposals, ProposalSaid, Runs, ScenarioWhole
from dashboard.api_board import ApiBoard
from dashboard.api_board_answers import AlertsSaid, BoardSaid, ForecastSaid, VerificationSaid
from dashboard.api_bodies import (
    Body,
    CommentBody,
    ComparisonsBody,
    DecisionBody,
    EndBody,
    ProposalBody,
    RunsBody,
    SupportBody,
)
from dashboard.api_desk import ApiDesk
from dashboard.api_runs import ApiRuns
from dashboard.api_scenarios import ApiScenarios

LINES = "application/x-ndjson"


@dataclass(frozen=True)
class Route:
    """One thing that can be asked: `told` is called with the checked body, where there is one, and the path's names."""

    method: Literal["GET", "POST"]
    path: str
    name: str
    summary: str
    told: Callable[..., Any]
    answer: type[BaseModel] | None = None
    body: type[Body] | None = None
    faults: tuple[int, ...] = ()
    """Statuses beside those of every body."""
    status: int = 200
    media: str = "application/json"


def routes_of(scenarios: ApiScenarios, runs: ApiRuns, desk: ApiDesk, board: ApiBoard) -> list[Route]:
    """Every route but that of the document itself."""
    one = "/proposals/<name>"
    return [
        Route("GET", "/board", "show_board", "What the wall shows now: counts, wards, feed, age of the forecast",
              board.board, BoardSaid, faults=(503,)),
        Route("GET", "/forecast", "show_forecast", "The forecast that the wall shows, every measure",
              board.forecast, ForecastSaid, faults=(503,)),
        Route("GET", "/forecast/<measure>", "show_measure", "The same of one measure",
              board.measure, ForecastSaid, faults=(404, 503)),
        Route("GET", "/verification", "show_verification", "How good the forecasts were, by measure and lead",
              board.verification, VerificationSaid, faults=(503,)),
        Route("GET", "/alerts", "show_alerts", "What is likely to go wrong, and every rule that is watched",
              board.alerts, AlertsSaid, faults=(503,)),
        Route("GET", "/scenarios", "list_scenarios", "Every scenario, with its numbers and their ranges",
              scenarios.list, Catalogue),
        Route("GET", "/scenarios/<name>", "show_scenario", "A scenario with its changes; its name may have numbers",
              scenarios.show, ScenarioWhole, faults=(404,)),
        Route("POST", "/runs", "run_scenarios", "What scenarios would change in the coming hours, from now on",
              runs.run, Runs, RunsBody, (429, 503)),
        Route("POST", "/comparisons", "compare_scenarios", "Scenarios side by side, by a point of view or by criteria",
              runs.compare, Comparisons, ComparisonsBody, (429, 503)),
        Route("GET", "/proposals", "list_proposals", "Every proposal, the oldest first", desk.proposals, Proposals),
        Route("GET", "/proposals/export", "export_proposals",
              "Every row of the desk's log, a line of JSON each; meant for managers. While there is no sign-in it has "
              "no name that the pages do not show", desk.export, media=LINES),
        Route("GET", one, "show_proposal", "A proposal as it stands", desk.proposal, ProposalSaid, faults=(404,)),
        Route("POST", "/proposals", "propose", "Put a proposal on the desk", desk.propose, ProposalSaid, ProposalBody,
              (403,), 201),
        Route("POST", one + "/comments", "comment", "Say something of a proposal", desk.comment, ProposalSaid,
              CommentBody, (403, 404), 201),
        Route("POST", one + "/support", "support", "Support an open proposal, or no longer", desk.support,
              ProposalSaid, SupportBody, (403, 404, 409)),
        Route("POST", one + "/decision", "decide", "Adopt, adapt or decline an open proposal, as a manager",
              desk.decide, ProposalSaid, DecisionBody, (403, 404, 409)),
        Route("POST", one + "/end", "end", "Let the forecast carry an adopted change no longer, as a manager",
              desk.end, ProposalSaid, EndBody, (403, 404, 409)),
    ]  # fmt: skip


def with_document(routes: list[Route], document: Callable[[list[Route]], Mapping[str, Any]]) -> list[Route]:
    """The routes with that of their own document, which tells of it too."""
    whole = [
        *routes,
        Route("GET", "/openapi.json", "openapi", "This document", lambda: made),
    ]
    made = document(whole)
    return whole
