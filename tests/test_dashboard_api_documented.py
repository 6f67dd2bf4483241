"""The API asked at random what its document allows and what it does not: every answer is one that the document tells.

Requests are drawn by schemathesis from /api/v1/openapi.json, the same ones each time; few in `make test`, many in
`make soak`. That a house has no forecast yet (503), or that words break a rule that a schema cannot tell (422), is an
answer like any other; a fault of our own (500) never is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import GenerationMode
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

from dashboard import api_desk
from dashboard.api import PREFIX
from tests.api_worlds import World, world_of
from tests.test_forecast_whatif import ground

CHECKS = [
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
]
PLAIN = {"Accept-Encoding": "identity"}
FEW, MANY = 4, 60
Statuses = Counter[int]


@pytest.fixture
def world() -> Iterator[World]:
    with world_of() as made:
        made.proposed()
        yield made


def asked(world: World, mode: GenerationMode, count: int) -> dict[str, Statuses]:
    """What was answered, by route; raises FailureGroup where an answer is not as the document says."""
    schema = schemathesis.openapi.from_wsgi(f"{PREFIX}/openapi.json", app=world.server, headers=PLAIN)
    told: dict[str, Statuses] = {}
    for found in schema.get_all_operations():
        assert isinstance(found, Ok), found
        operation = found.ok()
        if mode is GenerationMode.POSITIVE or operation.method.upper() == "POST":
            told[operation.label] = _answers(operation, mode, count)
    return told


def _answers(operation: Any, mode: GenerationMode, count: int) -> Statuses:
    statuses: Statuses = Counter()

    @seed(20_261_127)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.generate],
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: Any) -> None:
        answer = case.call(headers=PLAIN)
        statuses[answer.status_code] += 1
        assert answer.status_code != 500, answer.text
        case.validate_response(answer, checks=CHECKS, headers=PLAIN)

    ask()
    return statuses


def test_what_the_document_allows_is_answered_as_it_says(world: World) -> None:
    told = asked(world, GenerationMode.POSITIVE, FEW)
    assert len(told) == 17


def test_what_the_document_forbids_is_refused(world: World) -> None:
    told = asked(world, GenerationMode.NEGATIVE, FEW)
    assert {status for statuses in told.values() for status in statuses} <= {400, 404, 415, 422}
    assert len(told) == 7


@pytest.mark.soak
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["allowed", "forbidden"])
@pytest.mark.parametrize("forecast", [False, True], ids=["before a forecast", "with a forecast"])
def test_many_questions_are_answered_as_the_document_says(mode: GenerationMode, forecast: bool) -> None:
    with world_of(ground() if forecast else None) as world:
        world.proposed()
        asked(world, mode, MANY)


def test_a_fault_of_our_own_is_seen(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(api_desk, "shown", broken)
    with pytest.raises(AssertionError, match="fault of the house's own"):
        asked(world, GenerationMode.POSITIVE, 1)


def test_an_answer_that_the_document_does_not_tell_is_seen(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.server.view_functions = {
        name: (lambda **_: ({"scenarios": 7}, 200)) if name.endswith("scenarios") else view
        for name, view in world.server.view_functions.items()
    }
    with pytest.raises(FailureGroup):
        asked(world, GenerationMode.POSITIVE, 1)
