"""What the bench measured, as tables for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dashboard.bench.engines import ENGINES

_WORDS = {
    "idiomatic": "SimPy as one usually writes it, numbers drawn one by one",
    "simpy": "SimPy, the law (twin/model.py), luck drawn first",
    "python": "the kernel's text, not compiled",
    "kernel": "the kernel, compiled: the loop alone",
    "c": "the same loop in C",
}
_HOSPITALS = {
    "default_hospital": "default hospital, full path, from empty",
    "learned_hospital": "learned hospital (large, congested), from its present",
}


def text(told: Mapping[str, Any]) -> str:
    """One table after the other; a part that was not measured is left out."""
    parts = [f"machine: {told['machine']}; at the end {told['machine_after'].rpartition(', ')[2]}"]
    parts += [_engines(_HOSPITALS[name], row) for name, row in told["engines"].items()]
    parts.append(_scale(told["scale"]))
    parts.append(_whole(told))
    return "\n\n".join(parts)


def _engines(hospital: str, row: Mapping[str, Any]) -> str:
    """One member of 24 h in each engine."""
    named = [name for name in ENGINES if f"{name}_ms" in row]
    lines = [_engine(name, row) for name in named]
    title = f"one member of 24 h, {row['events']} events: {hospital}"
    apart = ", ".join(f"{what} {row[f'{what}_ms']} ms" for what in ("luck", "fate", "packing"))
    share = row["kernel_share_of_c"]
    in_c = "" if share is None else f", {share:.0%} of the same loop in C"
    return "\n".join(
        [
            _table(title, ("ms", "events/s", "x the law"), lines),
            f"  apart, a member: {apart}",
            f"  the kernel: {row['kernel_over_simpy']} times the law{in_c}",
        ]
    )


def _engine(name: str, row: Mapping[str, Any]) -> tuple[str, ...]:
    if row[f"{name}_ms"] is None:
        return _WORDS[name], "-", str(row["c_missing"]), ""
    rate = row[f"{name}_events_per_s"]
    return _WORDS[name], f"{row[f'{name}_ms']:g}", f"{rate:,}", f"{rate / row['simpy_events_per_s']:.2f}"


def _scale(scale: Mapping[str, Any]) -> str:
    """Each step of a member in both hospitals."""
    one, many, ratio = scale.values()
    lines = [(step, f"{one[step]:g}", f"{many[step]:g}", f"{ratio[step]:g}") for step in one]
    return _table("a member of 24 h, step by step, ms of the processor", ("x 1", "x 10", "ratio"), lines)


def _whole(told: Mapping[str, Any]) -> str:
    """Ensembles, cycles, a cold start: a line each."""
    lines = [_ensemble("ensemble", told["ensemble"])]
    many = told["hospitals"]
    what = f"{many['hospitals']} hospitals' cycles ({many['members']} members x {many['scenarios']} scenarios)"
    lines.append((what, f"{many['seconds']:g}", _of_processor(many), f"{many['failed']} failed"))
    lines += _whatif(told["whatif"])
    cluster = told["cluster"]
    lines.append(_ensemble(f"ensemble on a Dask cluster of {cluster['workers']} workers", cluster["ensemble"]))
    lines.append(("a task of the cluster", f"{cluster['task_ms'] / 1e3:g}", "", ""))
    if "cold_start" in told:
        cold = told["cold_start"]
        lines.append(("first forecast after a cold start", f"{cold['seconds']}", _of_processor(cold), ""))
    return _table("whole runs", ("seconds", "of the processor", ""), lines)


def _whatif(told: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """A question of a moment that nobody has asked about, and the questions that follow."""
    rows = [("of a new moment", told["cold"]), *(("", row) for row in told["drawn"])]
    return [
        (f"what-if {when}: {row['asked']}".replace(" : ", ": "), f"{row[_last(row)]:g}",
         _of_processor({**row, "load": told["load"]}), f"first {row[_first(row)]:g}")
        for when, row in rows
    ]  # fmt: skip


def _first(row: Mapping[str, Any]) -> str:
    return next(key for key in row if key[0].isdigit())


def _last(row: Mapping[str, Any]) -> str:
    return [key for key in row if key[0].isdigit()][-1]


def _ensemble(name: str, row: Mapping[str, Any]) -> tuple[str, ...]:
    what = f"{name}, {row['members']} members x {row['scenarios']} scenarios x {row['hours']} h"
    return what, f"{row['seconds']:g}", _of_processor(row), f"cold {row['seconds_cold']:g}"


def _of_processor(row: Mapping[str, Any]) -> str:
    had = row["processor_s"]
    return f"{had:g} (load {row['load']})" if had is not None else f"load {row['load']}"


def _table(title: str, heads: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Columns as wide as they must be; the first to the left, the others to the right."""
    rows = [("", *heads), *lines]
    wide = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    told = ["  ".join([row[0].ljust(wide[0]), *(cell.rjust(w) for cell, w in zip(row[1:], wide[1:], strict=True))])
            for row in rows]  # fmt: skip
    return "\n".join([title, *(f"  {line.rstrip()}" for line in told)])
