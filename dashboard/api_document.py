"""The OpenAPI document of the API, made of its routes and of the values that they take and give."""

from __future__ import annotations

import re
from collections.abc import Sequence
from copy import deepcopy
from functools import cache
from http import HTTPStatus
from importlib.metadata import version
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from dashboard.api_answers import Fault
from dashboard.api_routes import Route

_ABOUT = (
    "What the board of a hospital shows: now, ahead, how good that was. Its scenarios: list them, run them from the "
    "present situation, compare them, propose changes at its desk. What is read has an ETag. Bodies are "
    "application/json. Who signed in is who acts, and where nobody signs in who the body says; names are not told "
    "before a proposal is decided, unless its author signs."
)
_FAULTS = {
    400: "the body is not JSON",
    403: "this person may not do it",
    404: "there is none of this name",
    409: "it is decided, withdrawn or over already",
    413: "the body is too large",
    415: "the body is of another type than application/json",
    422: "a field breaks a rule, or what is asked for cannot be run here",
    429: "too many wait for their turn; Retry-After says when to ask again",
    500: "a fault of the house's own",
    503: "there is no forecast yet, or none that may be shown; Retry-After says when to ask again",
}
_IF_NONE_MATCH = {
    "name": "If-None-Match", "in": "header", "required": False, "schema": {"type": "string"},
    "description": "the ETag of the last answer: 304 without a body while it is the same",
}  # fmt: skip


def document_of(routes: Sequence[Route], prefix: str) -> dict[str, Any]:
    """The document, OpenAPI 3.1."""
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(prefix + as_template(route.path), {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {"title": "edtwin", "version": version("edtwin"), "description": _ABOUT},
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {"schemas": deepcopy(_schemas(_models(routes)))},
    }


@cache
def _schemas(models: tuple[type[BaseModel], ...]) -> dict[str, Any]:
    """What the values look like, worked out once a process; not to be changed."""
    template = "#/components/schemas/{model}"
    _, schemas = models_json_schema([(model, "validation") for model in models], ref_template=template)
    told: dict[str, Any] = schemas["$defs"]
    return told


def _models(routes: Sequence[Route]) -> tuple[type[BaseModel], ...]:
    """Every value that is taken or given, once."""
    found: dict[type[BaseModel], None] = {Fault: None}
    for route in routes:
        found |= {model: None for model in (route.body, route.answer) if model is not None}
    return tuple(found)


def as_template(path: str) -> str:
    """A path as OpenAPI writes it: `/scenarios/{name}`."""
    return re.sub(r"<(\w+)>", r"{\1}", path)


def _operation(route: Route) -> dict[str, Any]:
    statuses = sorted({*route.faults, *((400, 413, 415, 422) if route.body else ()), 500})
    told: dict[str, Any] = {
        "operationId": route.name,
        "summary": route.summary,
        "responses": {str(route.status): _answer(route)} | {str(status): _fault(status) for status in statuses},
    }
    if route.method == "GET":
        told["responses"]["304"] = {"description": "as when the ETag that is sent was given"}
    if parameters := [*_names(route), *([_IF_NONE_MATCH] if route.method == "GET" else [])]:
        told["parameters"] = parameters
    if route.body is not None:
        told["requestBody"] = {"required": True, "content": {"application/json": {"schema": _ref(route.body)}}}
    return told


def _names(route: Route) -> list[dict[str, Any]]:
    """What stands in the path."""
    names = re.findall(r"<(\w+)>", route.path)
    return [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]


def _answer(route: Route) -> dict[str, Any]:
    schema = _ref(route.answer) if route.answer else {"type": "object"}
    if route.media != "application/json":
        schema = {"type": "string"}
    return {"description": HTTPStatus(route.status).phrase, "content": {route.media: {"schema": schema}}}


def _fault(status: int) -> dict[str, Any]:
    return {"description": _FAULTS[status], "content": {"application/json": {"schema": _ref(Fault)}}}


def _ref(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{model.__name__}"}
