"""Tests as proofs: what a table names must exist, and a reader must be able to find it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from tests.assurance.locks import ROOT

TESTS = ROOT / "tests"
Soak = bool


def known_tests(folder: Path = TESTS) -> Mapping[str, Soak]:
    """Every test as "file::function", with whether it is one of the long ones that `make soak` runs."""
    return {
        f"{path.name}::{node.name}": _is_soak(node)
        for path in sorted(folder.glob("test_*.py"))
        for node in _module(path).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    }


def missing(named: Iterable[str], known: Mapping[str, Soak]) -> list[str]:
    """The named tests that do not exist, in their order."""
    return [name for name in named if name not in known]


def links(named: Iterable[str], known: Mapping[str, Soak], *, up: str = "../../") -> str:
    """The named tests as links in Markdown, each by its words; a long one is marked."""
    return "; ".join(_link(name, known.get(name, False), up) for name in named)


@cache
def _module(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _is_soak(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Soak:
    return any(ast.unparse(mark) == "pytest.mark.soak" for mark in node.decorator_list)


def _link(name: str, soak: Soak, up: str) -> str:
    file, _, function = name.partition("::")
    words = function.removeprefix("test_").replace("_", " ")
    return f"[{words}]({up}tests/{file})" + (" (soak)" if soak else "")
