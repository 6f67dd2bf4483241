"""What can be run, chosen or depended on is in README.md; links lead somewhere; nothing names where it was made.

Each check is a function from texts to what is wrong, and has a mutant on which it fires.
"""

from __future__ import annotations

import argparse
import doctest
import importlib
import re
import subprocess
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import get_args

import pytest
from packaging.requirements import Requirement

from forecast.analytic import RIVAL
from forecast.baselines import BASELINES
from twin.fabricate import HospitalKind, HospitalSize
from twin.hospital import load_hospital
from twin.pathway import TABLES, load_path
from twin.scenarios import catalogue

ROOT = Path(__file__).parents[1]
FOLDERS = ("ingest", "twin", "forecast", "dashboard")

# Put together here, so that this file does not hold what it looks for.
REGISTRIES = [
    ".".join(parts)
    for parts in [
        ("pypi", "org"),
        ("files", "pythonhosted", "org"),
        ("registry", "npmjs", "org"),
        ("repo1", "maven", "org"),
        ("deb", "debian", "org"),
        ("crates", "io"),
        ("proxy", "golang", "org"),
    ]
]
PLACES = [f"/{folder}/" for folder in ("work", "root", "home")]


def tracked() -> list[Path]:
    """The files of the project: those that git knows, and those that it would take in."""
    run = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode:
        pytest.skip(f"this is not a git checkout: {run.stderr.strip()}")
    return [path for name in run.stdout.split("\0") if name and (path := ROOT / name).is_file()]


TOP = frozenset({
    "ingest", "twin", "forecast", "dashboard", "tests", ".ci", "README.md", "CHANGELOG.md", "SECURITY.md", "LICENSE",
    "Makefile", "docker-compose.yml", "pyproject.toml", "requirements.lock", "requirements-dev.lock",
    "requirements-fuzz.lock", "requirements-uv.lock", ".gitignore",
})  # fmt: skip
"""All that stands at the top of the project."""
DRAWERS = frozenset({"utils", "util", "helpers", "helper", "misc", "common", "lib", "tools"})
"""Names that say nothing of what is in them."""


def out_of_place(files: list[Path]) -> set[str]:
    """What stands at the top and does not belong there, and drawers for whatever comes."""
    parts = [path.relative_to(ROOT).parts for path in files]
    drawers = {name for names in parts for name in names if Path(name).stem in DRAWERS}
    return {names[0] for names in parts if names[0] not in TOP} | drawers


def test_everything_is_where_it_belongs() -> None:
    assert out_of_place(tracked()) == set()
    mutants = [ROOT / name for name in ("notes.txt", "scratch/try.py", "twin/utils.py", "tests/helpers/one.py")]
    assert out_of_place(mutants) == {"notes.txt", "scratch", "utils.py", "helpers"}


def make_targets(makefile: str) -> list[str]:
    """The targets that `make help` lists."""
    return re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE)


def sub_commands(parser: argparse.ArgumentParser) -> list[str]:
    """The names of a parser's sub-commands."""
    return [name for name, _ in menus(parser)]


def menus(parser: argparse.ArgumentParser) -> list[tuple[str, argparse.ArgumentParser]]:
    """The sub-commands of a parser, each with its own parser."""
    found = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    return [(name, menu) for action in found for name, menu in action.choices.items()]


def options(parser: argparse.ArgumentParser) -> list[str]:
    """The long options of a sub-command and the words that its options and arguments take; help apart."""
    actions = [action for action in parser._actions if action.dest != "help"]
    names = [text for action in actions for text in action.option_strings]
    return names + [str(choice) for action in actions for choice in action.choices or ()]


def fabricate_choices() -> list[tuple[str, ...]]:
    """Kinds, sizes and the words of faults."""
    return [get_args(HospitalKind), get_args(HospitalSize), ("silence", "duplicates", "skew", "frozen")]


def unnamed(names: Iterable[str], text: str) -> list[str]:
    """The names that the text does not hold as whole words."""
    return [name for name in names if not re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text)]


def unexplained(names: Iterable[str], text: str) -> list[str]:
    """The names for which no line has the name in code or bold and at least four words besides."""
    explained = [line for line in text.splitlines() if len(re.findall(r"\w{2,}", line)) >= 5]
    return [n for n in names if not any(f"`{n}`" in line or f"**{n}**" in line for line in explained)]


def dead_links(page: Path, text: str) -> list[str]:
    """The relative links and pictures of a page that lead to no file, or to no heading of their file."""
    prose = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    targets = re.findall(r"\]\(([^)\s]+)\)", prose) + re.findall(r"""(?:src|href)=["']([^"']+)""", prose)
    relative = [target for target in targets if not re.match(r"[a-z]+:", target)]
    return [target for target in relative if not _leads_somewhere(page, text, target)]


def traces(name: str, content: bytes) -> Iterator[str]:
    """The registry hosts and machine paths that a file holds."""
    for host in REGISTRIES:
        if host.encode() in content:
            yield f"{name}: names {host}"
    for place in PLACES:
        if re.search(rb"(?<![\w.\-*)}>])" + re.escape(place.encode()), content):
            yield f"{name}: names a path in {place}"


def test_every_make_target_is_in_the_readme() -> None:
    targets = make_targets((ROOT / "Makefile").read_text())
    assert {"up", "test"} <= set(targets)
    assert unnamed([f"make {target}" for target in targets], _readme()) == []


def test_every_sub_command_is_in_the_readme() -> None:
    parser = importlib.import_module("dashboard.__main__").build_parser()
    assert "up" in sub_commands(parser)
    assert unnamed([f"edtwin {name}" for name in sub_commands(parser)], _readme()) == []


def test_every_option_is_in_a_readme() -> None:
    parser = importlib.import_module("dashboard.__main__").build_parser()
    missing = {name: unnamed(options(menu), _section("dashboard", "The command")) for name, menu in menus(parser)}
    assert {name: found for name, found in missing.items() if found} == {}


def test_whatever_is_shipped_or_can_be_chosen_is_in_a_readme() -> None:
    choices = {
        "dashboard": [option for names in fabricate_choices() for option in names],
        "ingest": [path.stem for path in (ROOT / "ingest" / "mappings").glob("*.toml")],
        "twin": [*catalogue(), *(name for table in TABLES for name in _needs(table))],
        "forecast": [*BASELINES, RIVAL],
    }
    missing = {folder: unnamed(names, _page(folder)) for folder, names in choices.items()}
    assert {folder: names for folder, names in missing.items() if names} == {}


def test_every_self_contained_example_runs() -> None:
    """Blocks of Python that import what they use; the others show a call among things that were said before."""
    pages = {folder: re.findall(r"```python\n(.*?)```", _page(folder), re.DOTALL) for folder in FOLDERS}
    whole = [(f"{folder}/README.md", b) for folder, found in pages.items() for b in found if b.startswith("from ")]
    assert whole
    for name, block in whole:
        exec(compile(block, name, "exec"), {})


def test_every_dependency_is_explained_in_the_readme() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = project["dependencies"] + project["optional-dependencies"]["dev"]
    assert unexplained([Requirement(text).name for text in asked], _readme()) == []


def test_links_lead_somewhere() -> None:
    pages = [path for path in tracked() if path.suffix == ".md"]
    dead = {str(p.relative_to(ROOT)): dead_links(p, p.read_text(encoding="utf-8")) for p in pages}
    assert {page: links for page, links in dead.items() if links} == {}


def test_no_file_tells_where_it_was_made() -> None:
    assert [trace for path in tracked() for trace in traces(str(path.relative_to(ROOT)), path.read_bytes())] == []


def test_every_example_runs() -> None:
    with_examples = [path for path in tracked() if path.suffix == ".py" and "\n    >>> " in path.read_text()]
    modules = [_module(path) for path in with_examples if path.relative_to(ROOT).parts[0] in FOLDERS]
    assert {name: n for name in modules if (n := doctest.testmod(importlib.import_module(name)).failed)} == {}


def test_a_forgotten_target_is_seen() -> None:
    targets = make_targets("test: a b ## run\nlint: ## look\n.hidden: c\n")
    assert targets == ["test", "lint"]
    assert unnamed(targets, "`make test` and linting") == ["lint"]


def test_a_forgotten_sub_command_is_seen() -> None:
    parser = argparse.ArgumentParser()
    menu = parser.add_subparsers()
    menu.add_parser("up")
    menu.add_parser("backtest")
    assert unnamed(sub_commands(parser), "edtwin up; edtwin backtest-old") == ["backtest"]


def test_a_forgotten_option_is_seen() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--speed")
    parser.add_argument("action", choices=("list", "show"))
    assert options(parser) == ["--speed", "list", "show"]
    assert unnamed(options(parser), "`--speedy`, `show`") == ["--speed", "list"]


def test_an_unexplained_dependency_is_seen() -> None:
    text = "| `duckdb` | keeps the log in one file |\n| `numpy` | |\npandas reads the extracts of hospitals"
    assert unexplained(["duckdb", "numpy", "pandas"], text) == ["numpy", "pandas"]


def test_a_dead_link_is_seen(tmp_path: Path) -> None:
    (tmp_path / "there.md").write_text("# The log\n")
    text = (
        "# Here\n[a](there.md) [b](there.md#the-log) [c](#here) [d](https://example.org/x)\n"
        '[e](gone.md) [f](there.md#lost) <img src="gone.png">\n```\n[g](code.md)\n```\n'
    )
    assert dead_links(tmp_path / "page.md", text) == ["gone.md", "there.md#lost", "gone.png"]


@pytest.mark.parametrize("trace", [*REGISTRIES, *(f"{place}main" for place in PLACES)])
def test_a_trace_is_seen(trace: str) -> None:
    assert list(traces("x", f"see '{trace}'".encode()))
    assert not list(traces("x", b"panels/home/page.py, https://example.org/work/x"))


def _readme() -> str:
    return (ROOT / "README.md").read_text(encoding="utf-8")


def _page(folder: str) -> str:
    return (ROOT / folder / "README.md").read_text(encoding="utf-8")


def _section(folder: str, title: str) -> str:
    """A section of a folder's README, found by how its title begins."""
    return next(part for part in _page(folder).split("\n## ") if part.startswith(title))


def _needs(table: str) -> list[str]:
    """What a path's parameters are called; one stay a ward is told once."""
    path = load_path(table, load_hospital())
    return sorted({name.split(":")[0] for name in (*path.durations, *path.shares, *path.wanted)})


def _module(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def _leads_somewhere(page: Path, text: str, target: str) -> bool:
    file, _, heading = target.partition("#")
    if not file:
        return heading in _headings(text)
    there = page.parent / file
    if not heading or there.suffix != ".md":
        return there.exists()
    return there.exists() and heading in _headings(there.read_text(encoding="utf-8"))


def _headings(text: str) -> set[str]:
    """The anchors of a page's headings, as forges make them."""
    titles = re.findall(r"^#+ +(.*?) *$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
