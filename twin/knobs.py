"""The numbers of a scenario that may be set: each with its range, and the changes that are worked out from them.

Where a change of a scenario's file says a text that begins with "=", it is a sum over these numbers: names, numbers,
+ - * / ( ) and round(..). Nothing else is run.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from typing import Any, Self

from pydantic import Field, model_validator

from ingest.configuration import Checked
from twin.errors import ScenarioError

_SUM = "="
_TWO: Mapping[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
}  # fmt: skip


class Knob(Checked):
    """A number of a scenario: what it is, its usual value, and how far it may go."""

    fr: str = Field(min_length=1)
    en: str = Field(min_length=1)
    default: float
    low: float
    high: float
    step: float = Field(default=1.0, gt=0)

    @model_validator(mode="after")
    def _within_its_range(self) -> Self:
        if not self.low <= self.default <= self.high or self.low == self.high:
            raise ValueError(f"default must lie between low and high, which differ, but is {self.default:g}")
        return self


def in_range(scenario: str, knobs: Mapping[str, Knob], values: Mapping[str, float]) -> dict[str, float]:
    """Every number of a scenario, those given and the usual ones.

    Raises ScenarioError for a number that it does not have or that is beyond its range.
    """
    for name, value in values.items():
        if name not in knobs:
            there = f"; there are {', '.join(knobs)}" if knobs else ": it has none"
            raise ScenarioError(f"scenario {scenario} has no parameter {name}{there}")
        knob = knobs[name]
        if not knob.low <= value <= knob.high:
            raise ScenarioError(
                f"scenario {scenario}: {name} must lie between {knob.low:g} and {knob.high:g}, but is {value:g}"
            )
    return {name: float(values.get(name, knob.default)) for name, knob in knobs.items()}


def worked_out(told: Any, values: Mapping[str, float]) -> Any:
    """What a file tells of a change, with its sums worked out; raises ScenarioError for one that cannot be."""
    if isinstance(told, str) and told.startswith(_SUM):
        return _worked_out(told, values)
    if isinstance(told, Mapping):
        return {key: worked_out(value, values) for key, value in told.items()}
    if isinstance(told, list):
        return [worked_out(value, values) for value in told]
    return told


def _worked_out(told: str, values: Mapping[str, float]) -> float:
    try:
        return _value(ast.parse(told[len(_SUM) :].strip(), mode="eval").body, values)
    except (SyntaxError, ZeroDivisionError, OverflowError, KeyError, TypeError) as error:
        named = ", ".join(values) or "none"
        raise ScenarioError(f'"{told}" must be a sum over numbers of the scenario ({named})') from error


def _value(node: ast.expr, values: Mapping[str, float]) -> float:
    match node:
        case ast.Constant(value=int() | float() as number):
            return float(number)
        case ast.Name(id=name):
            return values[name]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand, values)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _TWO:
            return _TWO[type(op)](_value(left, values), _value(right, values))
        case ast.Call(func=ast.Name(id="round"), args=[one], keywords=[]):
            return float(round(_value(one, values)))
    raise TypeError(ast.dump(node))
