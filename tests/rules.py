"""Rules of the house that no other linter knows, each read off the syntax tree of one file.

A rule takes a parsed module and yields `(line, what is wrong)`. Names are followed through imports and their
aliases, so `from time import sleep as nap` does not hide a sleep.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase

Fault = tuple[int, str]
Rule = Callable[[ast.Module], Iterator[Fault]]

CLOCKS = (
    "time.*",
    "datetime.datetime.now",
    "datetime.datetime.utcnow",
    "datetime.datetime.today",
    "datetime.date.today",
    "pandas.Timestamp.now",
    "pandas.Timestamp.utcnow",
    "pandas.Timestamp.today",
    "asyncio.sleep",
)
CHANCE = ("random", "random.*", "uuid.uuid1", "uuid.uuid4")
SEEDED = ("default_rng", "SeedSequence", "PCG64", "PCG64DXSM", "Philox", "SFC64", "MT19937")
"""Makers of numpy randomness: fine with a seed, not without."""
TYPES_OF_CHANCE = ("Generator", "BitGenerator")
CODE_FROM_DATA = ("pickle.*", "marshal.*", "shelve.*", "dill.*", "cloudpickle.*", "pandas.read_pickle", "pandas.eval")
BUILTINS_FROM_DATA = ("eval", "exec", "__import__")
STATEMENT_TAKERS = ("execute", "executemany", "sql")


def one_clock(tree: ast.Module) -> Iterator[Fault]:
    """Now, today and sleeping come from ingest/clock.py."""
    for line, name in _dotted_names(tree):
        if _fits(name, CLOCKS):
            yield line, f"{name} is the clock's alone: take a Clock from ingest/clock.py"


def named_randomness(tree: ast.Module) -> Iterator[Fault]:
    """Chance comes from a numpy Generator with a seed; nothing global, nothing unseeded."""
    for line, name in _dotted_names(tree):
        if _fits(name, CHANCE) or _is_global_numpy(name):
            yield line, f"{name} is chance without a name: draw from a seeded numpy Generator"
    names = _aliases(tree)
    for call in _calls(tree):
        if _is_unseeded(call, _dotted(call.func, names)):
            yield call.lineno, f"{ast.unparse(call.func)}() needs a seed"
        if isinstance(call.func, ast.Attribute) and call.func.attr == "rvs" and not _has(call, "random_state"):
            yield call.lineno, ".rvs() needs random_state"


def no_code_from_data(tree: ast.Module) -> Iterator[Fault]:
    """What is read is data, never code."""
    for line, name in _dotted_names(tree):
        if _fits(name, CODE_FROM_DATA):
            yield line, f"{name} runs what it reads"
    for call in _calls(tree):
        if isinstance(call.func, ast.Name) and call.func.id in BUILTINS_FROM_DATA:
            yield call.lineno, f"{call.func.id}() runs what it is given"


def constant_sql(tree: ast.Module) -> Iterator[Fault]:
    """A statement is put together from constants only (see `_constants`); values are bound parameters."""
    made, constants = _assigned(tree), _constants(tree)
    for call in _calls(tree):
        if isinstance(call.func, ast.Attribute) and call.func.attr in STATEMENT_TAKERS and call.args:
            statement = call.args[0]
            texts = made.get(statement.id, []) if isinstance(statement, ast.Name) else [statement]
            if any(_is_put_together(text, constants) for text in texts):
                yield call.lineno, f"{call.func.attr}() gets a statement put together from values: bind parameters"


def _is_put_together(text: ast.expr, constants: set[str]) -> bool:
    """Made from something that is neither a literal nor one of the constants."""
    match text:
        case ast.JoinedStr(values=parts):
            holes = [part.value for part in parts if isinstance(part, ast.FormattedValue)]
            return not all(_is_constant(hole, constants) for hole in holes)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return any(_is_put_together(side, constants) or not _is_text(side, constants) for side in (left, right))
        case ast.BinOp(op=ast.Mod(), right=values):
            return not _is_constant(values, constants)
        case ast.Call(func=ast.Attribute(attr="format" | "format_map" | "replace")):
            return True
    return False


def _is_text(node: ast.expr, constants: set[str]) -> bool:
    return isinstance(node, ast.JoinedStr | ast.BinOp) or _is_constant(node, constants)


def _is_constant(node: ast.expr, constants: set[str]) -> bool:
    """A literal, a name in capitals (also of another module), one of the constants, or a tuple of these."""
    match node:
        case ast.Constant():
            return True
        case ast.Name(id=name):
            return name in constants or name.lstrip("_").isupper()
        case ast.Attribute(attr=name):
            return name.lstrip("_").isupper()
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            return all(_is_constant(part, constants) for part in parts)
    return False


def _constants(tree: ast.Module) -> set[str]:
    """Names in small letters that the eye or mypy can see to be constants, wherever the file uses them.

    What a loop takes from a literal or from a name in capitals, and parameters whose type is a Literal.
    """
    sure: set[str] = set()
    unsure: set[str] = set()
    literals = {name for name, values in _assigned(tree).items() if all(map(_is_literal_type, values))}
    for node in ast.walk(tree):
        match node:
            case (
                ast.For(target=ast.Name(id=name), iter=source)
                | ast.comprehension(target=ast.Name(id=name), iter=source)
            ):
                (sure if _is_constant(source, set()) else unsure).add(name)
            case ast.arg(arg=name, annotation=kind):
                named = isinstance(kind, ast.Name) and kind.id in literals
                (sure if named or _is_literal_type(kind) else unsure).add(name)
    return sure - unsure - set(_assigned(tree))


def _is_literal_type(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and node.value.id == "Literal"


def _assigned(tree: ast.Module) -> dict[str, list[ast.expr]]:
    """What each plain name of the file is ever set to."""
    made: dict[str, list[ast.expr]] = {}
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=targets, value=value):
                names = [target.id for target in targets if isinstance(target, ast.Name)]
            case ast.AugAssign(target=ast.Name(id=name), value=part):
                value, names = ast.BinOp(ast.Constant(""), ast.Add(), part), [name]
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                names = [name]
            case _:
                continue
        for name in names:
            made.setdefault(name, []).append(value)
    return made


def _is_global_numpy(name: str) -> bool:
    if not name.startswith("numpy.random."):
        return False
    return name.removeprefix("numpy.random.").split(".")[0] not in (*SEEDED, *TYPES_OF_CHANCE)


def _is_unseeded(call: ast.Call, name: str) -> bool:
    if name not in {f"numpy.random.{maker}" for maker in SEEDED}:
        return False
    first = call.args[0] if call.args else next((keyword.value for keyword in call.keywords), None)
    return first is None or (isinstance(first, ast.Constant) and first.value is None)


def _has(call: ast.Call, keyword: str) -> bool:
    return any(given.arg == keyword for given in call.keywords)


def _calls(tree: ast.Module) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def _dotted_names(tree: ast.Module) -> Iterator[Fault]:
    """Every imported thing that the file names, in full: `(line, "time.sleep")`."""
    names = _aliases(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Attribute) and (name := _dotted(node, names)):
            yield node.lineno, name


def _dotted(node: ast.expr, names: dict[str, str]) -> str:
    """The full name behind an expression such as `np.random.seed`, or "" where it is not an import's."""
    if isinstance(node, ast.Name):
        return names.get(node.id, "")
    if isinstance(node, ast.Attribute) and (owner := _dotted(node.value, names)):
        return f"{owner}.{node.attr}"
    return ""


def _aliases(tree: ast.Module) -> dict[str, str]:
    """Name in this file to the full name of what was imported under it."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                full = alias.name if alias.asname else alias.name.split(".")[0]
                names[alias.asname or full] = full
        elif isinstance(node, ast.ImportFrom):
            names |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return names


def _fits(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
