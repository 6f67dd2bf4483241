"""The same loop in C, as a yardstick for the bench: made from the very text of `kernel_loop.py`, never written again.

The text of the loop's parts is handed to Cython with C types for its arguments and numbers for its constants; what
comes out is C without a Python object in it, compiled with `cc -O3` for this processor. Cython and the compiler are run
as commands and are needed by nothing else: where one is missing, `built` says so.
"""

from __future__ import annotations

import ast
import importlib.util
import inspect
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator
from math import inf
from pathlib import Path
from types import ModuleType
from typing import Any

from twin import kernel_layout, kernel_loop
from twin.errors import TwinError
from twin.kernel_tables import Array, Index

Loop = Callable[[Index, Array], None]

_TYPES = {
    "Whole": "int64_t*",
    "Minutes": "double*",
    "int": "int64_t",
    "float": "double",
    "bool": "bint",
    "None": "void",
}
"""What a part is given and gives: annotation to C type."""
_OPTIONS = ("-O3", "-march=native", "-ffp-contract=off", "-fno-strict-aliasing", "-w")
"""No addition may be joined with a multiplication: that would change bits."""
_HEAD = """# cython: language_level=3, infer_types=True, boundscheck=False, wraparound=False
from libc.stdint cimport int64_t
from libc.math cimport INFINITY
"""
_FOOT = """
def run(int64_t[::1] n, double[::1] x):
    with nogil:
        simulate(&n[0], &x[0])
"""
_NAME = "kernel_in_c"
_LONGEST_S = 120
_LONG = 2**31 - 1
"""Above it Cython has to be told that a number is one of C's."""


def built(folder: Path) -> Loop:
    """The loop in C, compiled into a folder; raises TwinError where Cython, a compiler or Python's headers miss."""
    compiler = shutil.which("cc")
    if compiler is None:
        raise TwinError("there is no C compiler (cc) here")
    if importlib.util.find_spec("Cython") is None:
        raise TwinError("Cython is not installed here: it comes with the development tools")
    headers = sysconfig.get_paths()["include"]
    if not (Path(headers) / "Python.h").exists():
        raise TwinError("Python's headers (Python.h) are not installed here")
    source, in_c = folder / f"{_NAME}.pyx", folder / f"{_NAME}.c"
    library = folder / f"{_NAME}{sysconfig.get_config_var('EXT_SUFFIX')}"
    source.write_text(text(), encoding="utf-8")
    _do([sys.executable, "-m", "cython", str(source), "-o", str(in_c)])
    _do([compiler, *_OPTIONS, "-shared", "-fPIC", f"-I{headers}", str(in_c), "-o", str(library)])
    loop: Loop = _loaded(library).run
    return loop


def text() -> str:
    """The loop's parts as Cython reads them."""
    return _HEAD + "\n".join(_in_c(function) for function in parts()) + _FOOT


def parts() -> list[Callable[..., Any]]:
    """The loop and every part that it calls, or that one of these calls."""
    found: list[Callable[..., Any]] = [kernel_loop.simulate]
    for function in found:
        called = (function.__globals__.get(name) for name in function.__code__.co_names)
        found += [part for part in called if part in kernel_layout.PARTS and part not in found]
    return found


def _in_c(function: Callable[..., Any]) -> str:
    """One part: typed, its constants as numbers, what Python needs to be told left out."""
    tree = ast.parse(inspect.getsource(function)).body[0]
    if not isinstance(tree, ast.FunctionDef):
        raise TypeError(f"a part must be a function, but is {function}")
    given = ", ".join(f"{_c_type(arg.annotation)} {arg.arg}" for arg in tree.args.args)
    body = ast.Module(list(_Plain(vars(sys.modules[function.__module__])).bodies(tree)), [])
    lines = ast.unparse(ast.fix_missing_locations(body)).splitlines()
    head = f"cdef inline {_c_type(tree.returns)} {tree.name}({given}) noexcept nogil:"
    truths = [f"cdef bint {name}" for name in sorted(_truths(tree))]
    return "\n".join([head, *(f"    {line}" for line in (*truths, *lines))])


def _truths(function: ast.FunctionDef) -> set[str]:
    """Names that stand for true or false, which Cython would keep as an object of Python's."""
    pairs = (
        pair
        for node in ast.walk(function)
        if isinstance(node, ast.Assign)
        for target in node.targets
        for pair in _pairs(target, node.value)
    )
    return {to.id for to, value in pairs if isinstance(to, ast.Name) and isinstance(value, ast.Compare | ast.BoolOp)}


def _pairs(target: ast.expr, value: ast.expr) -> list[tuple[ast.expr, ast.expr]]:
    """What is assigned to what, also where several are at once."""
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        return list(zip(target.elts, value.elts, strict=True))
    return [(target, value)]


def _c_type(annotation: ast.expr | None) -> str:
    said = "None" if annotation is None else ast.unparse(annotation)
    return _TYPES[said]


class _Plain(ast.NodeTransformer):
    """Constants become numbers, a loop over a written-out tuple becomes its rounds, int() of an int becomes the int."""

    def __init__(self, names: dict[str, Any]) -> None:
        self._numbers = {name: value for name, value in names.items() if type(value) in (int, float)}

    def bodies(self, function: ast.FunctionDef) -> Iterator[ast.stmt]:
        """The statements of a function without its docstring."""
        for statement in function.body[1 if ast.get_docstring(function) else 0 :]:
            changed = self.visit(statement)
            yield from changed if isinstance(changed, list) else [changed]

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if not isinstance(node.ctx, ast.Load) or node.id not in self._numbers:
            return node
        value = self._numbers[node.id]
        written = "INFINITY" if value == inf else f"{value}LL" if abs(value) > _LONG else str(value)
        return ast.Name(written, ast.Load())

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        told = isinstance(node.func, ast.Name) and node.func.id in ("int", "bool", "float")
        return node.args[0] if told else node

    def visit_For(self, node: ast.For) -> ast.stmt | list[ast.stmt]:
        self.generic_visit(node)
        if not isinstance(node.iter, ast.Tuple):
            return node
        return [step for value in node.iter.elts for step in (ast.Assign([node.target], value), *node.body)]


def _do(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=_LONGEST_S, check=False)
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise TwinError(f"the loop could not be made in C: {Path(command[0]).name}: {said[-1] if said else 'failed'}")


def _loaded(library: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(_NAME, library)
    if spec is None or spec.loader is None:
        raise TwinError(f"the loop in C cannot be loaded from {library.name}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
