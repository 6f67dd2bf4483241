"""The loop in C: the kernel's own text, equal to the kernel and to the law to the last bit."""

from __future__ import annotations

import importlib.util
import shutil
import sysconfig
from pathlib import Path
from typing import Any

import pytest

from tests.random_hospitals import random_case
from tests.test_twin_kernel import by, law
from twin import kernel_c, kernel_layout
from twin.errors import TwinError
from twin.kernel import Loop, compiled
from twin.kernel_c import built, text
from twin.small_hospitals import same

CASES = 60
pytestmark = pytest.mark.timeout(400)


class NotAPart:
    """A class."""


def why_not() -> str | None:
    """What is missing here to build it."""
    if shutil.which("cc") is None:
        return "there is no C compiler (cc) here"
    if not (Path(sysconfig.get_paths()["include"]) / "Python.h").exists():
        return "Python's headers are not installed here"
    return None


needs_cc = pytest.mark.skipif(why_not() is not None, reason=why_not() or "")


def unlike(loop: Loop) -> list[int]:
    """The random cases in which the loop tells another story than the law."""
    return [i for i in range(CASES) if not same(law(random_case(i)), by(loop, random_case(i)))]


@needs_cc
def test_in_c_it_tells_the_story_of_the_kernel_and_of_the_law(tmp_path: Path) -> None:
    loop = built(tmp_path)
    assert unlike(loop) == []
    for i in range(CASES):
        assert same(by(compiled(), random_case(i)), by(loop, random_case(i)))


@needs_cc
def test_an_error_in_c_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mutant: who comes next ignores priorities. Not optimised, so that it is made quickly."""
    told = text()
    planted = told.replace("return one < other", "return one > other")
    assert planted != told
    monkeypatch.setattr(kernel_c, "text", lambda: planted)
    monkeypatch.setattr(kernel_c, "_OPTIONS", ("-O0", "-w"))
    assert unlike(built(tmp_path)) != []


def test_every_part_of_the_loop_is_in_it_and_nothing_of_python() -> None:
    """Numbers stand in place of constants, types in place of annotations; no object, no name of the layout."""
    told = text()
    others = ("kernel_counts", "kernel_asked", "kernel_pack", "kernel_tallies", "keys", "queue_loop")
    loops = [p for p in kernel_layout.PARTS if p.__module__.removeprefix("twin.") not in others]
    assert told.count("cdef inline") == len(loops) + 1
    assert "cdef inline int64_t step_of(int64_t* n, int64_t row) noexcept nogil:" in told
    for name in ("CENSUS", "HEAP_AT", "_ARRIVED", "int(", "bool(", "float(", "Whole"):
        assert name not in told.partition("def run")[0].replace("INFINITY", ""), name


# --- what is missing is said


def test_without_a_compiler_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(TwinError, match="no C compiler"):
        built(tmp_path)


def test_without_cython_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: name)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(TwinError, match="Cython is not installed here"):
        built(tmp_path)


def test_without_pythons_headers_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: name)
    monkeypatch.setattr(sysconfig, "get_paths", lambda: {"include": str(tmp_path)})
    with pytest.raises(TwinError, match=r"headers \(Python\.h\) are not installed here"):
        built(tmp_path)


def test_what_cannot_be_compiled_is_said_with_the_compilers_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kernel_c, "text", lambda: "cdef int64_t broken(:")
    monkeypatch.setattr(shutil, "which", lambda name: name)
    monkeypatch.setattr(sysconfig, "get_paths", lambda: {"include": str(tmp_path)})
    (tmp_path / "Python.h").touch()
    with pytest.raises(TwinError, match="the loop could not be made in C: "):
        built(tmp_path)


def test_a_part_that_is_no_function_is_refused() -> None:
    given: Any = NotAPart
    with pytest.raises(TypeError, match="a part must be a function"):
        kernel_c._in_c(given)
