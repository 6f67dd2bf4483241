"""The kinds of import contract that pyproject.toml uses besides import-linter's own.

A name may be a pattern (`twin.fabricat*`; a star also crosses dots), and one that begins with `!` takes modules out
again. A name that matches no module is passed over: a contract can stand before the module it speaks of.
tests/test_imports.py shows each contract broken, so a misspelt name does not pass for a kept contract.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from fnmatch import fnmatchcase
from typing import Any

from grimp import ImportGraph
from importlinter import ContractCheck, fields
from importlinter.contracts.forbidden import ForbiddenContract
from importlinter.contracts.protected import ProtectedContract
from importlinter.domain.imports import ModuleExpression


def matching(graph: ImportGraph, patterns: Collection[str]) -> list[ModuleExpression]:
    """The modules of the graph, ours and others', that the patterns name."""
    taken_in = [pattern for pattern in patterns if not pattern.startswith("!")]
    taken_out = [pattern.removeprefix("!") for pattern in patterns if pattern.startswith("!")]
    return [ModuleExpression(name) for name in sorted(graph.modules) if _fits(name, taken_in, taken_out)]


def _fits(name: str, taken_in: Iterable[str], taken_out: Iterable[str]) -> bool:
    return any(fnmatchcase(name, p) for p in taken_in) and not any(fnmatchcase(name, p) for p in taken_out)


class Apart(ForbiddenContract):
    """No import, direct or through others, from the source modules to the forbidden ones."""

    type_name = "apart"
    source_modules: Any = fields.SetField(subfield=fields.StringField())
    forbidden_modules: Any = fields.SetField(subfield=fields.StringField())
    as_packages: Any = fields.BooleanField(required=False, default=False)

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        self.source_modules = matching(graph, self.source_modules)
        self.forbidden_modules = matching(graph, self.forbidden_modules)
        return super().check(graph, verbose)


class KeptTo(ProtectedContract):
    """Only the allowed importers import the protected modules, and only they directly."""

    type_name = "kept_to"
    protected_modules: Any = fields.ListField(subfield=fields.StringField())
    allowed_importers: Any = fields.ListField(subfield=fields.StringField())
    as_packages: Any = fields.BooleanField(required=False, default=False)

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        self.protected_modules = matching(graph, self.protected_modules)
        self.allowed_importers = matching(graph, self.allowed_importers)
        return super().check(graph, verbose)
