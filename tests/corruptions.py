"""A campaign: a house's database or its log of changes is damaged, and the house is opened: what becomes of it.

    found = campaign(folder, count=12, seed=1)
    found["same"], found["prefix"], found["mended"]     # how many houses came out how
    found["wrong"]                                      # must not be there: something else than what was written

Each house is opened in a process of its own, forked by one that has imported everything: one that dies of a signal is
seen as well. Outcomes:

same     nothing was touched that counts: all is as it was
prefix   changes at the end are gone, at a commit; what is made of the journal is all there
mended   set aside and made anew: what is made of the journal is the same to the last bit, and of what stands nowhere
         else no row is there that was not written, and none is missing that is not told
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from dashboard import house as houses
from dashboard.backups import Backups
from dashboard.house import DATABASE, open_house
from dashboard.mending import noted
from dashboard.settings import Settings
from forecast.archive import CycleRecord
from ingest.columns import to_table
from ingest.database import Database, rows
from ingest.log import Position
from tests.logs import AT, departed
from twin.state import State, fold

KINDS = ("flip", "cut", "zeros", "head")
VISITS, CYCLES = 1_500, 40
_ROOT = Path(__file__).parents[1]


def campaign(folder: Path, count: int, seed: int, *mutants: str) -> Counter[str]:
    """So many houses, each damaged in its own way; how many came out how."""
    command = [sys.executable, "-m", "tests.corruptions", str(folder), str(count), str(seed), *mutants]
    done = subprocess.run(command, capture_output=True, text=True, cwd=_ROOT, check=False)
    assert done.returncode == 0, done.stderr
    outcomes = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(outcomes) == count
    for one in outcomes:
        if one["outcome"] in ("wrong", "signal", "refused"):
            print(one)
    return Counter(one["outcome"] for one in outcomes)


def settings(data: Path) -> Settings:
    """Of a small house, with a backup."""
    return Settings(data=data, disk_reserve_mb=0, backup_folder=data.parent / "backups")


def lived(base: Path) -> None:
    """A house that was killed: events of the journal, cycles that stand in the database alone, a log of changes."""
    with open_house(settings(base / "run")) as house:
        told = [departed(f"v{n}", occurred_at=AT + timedelta(minutes=n % 600), position=n) for n in range(VISITS)]
        house.log.append_table(to_table(told), Position(source="adt", offset=VISITS))
        for n in range(CYCLES // 2):
            house.archive.record_cycle(_cycle(n))
        Backups(house).make(base / "backups")
    with open_house(settings(base / "run")) as house:
        for n in range(CYCLES // 2, CYCLES):
            house.archive.record_cycle(_cycle(n))
            house.log.append([departed(f"w{n}", position=VISITS + n)], Position(source="adt", offset=VISITS + n + 1))
        shutil.copytree(base / "run", base / "killed")


def _cycle(n: int) -> CycleRecord:
    at = AT + timedelta(minutes=10 * n)
    return CycleRecord(at, at, at + timedelta(seconds=n), float(n), "done")


def held(data: Path) -> dict[str, Any]:
    """What the house of a folder holds when it is opened."""
    with open_house(settings(data)) as house:
        table = house.log.read_table().sort_by("event_id").drop_columns(["stored_at"]).to_pydict()
        state = fold(State(), house.log.read_versions(None, house.journal.last_stored_at)).hash
        cycles = rows(house.database.cursor(), "SELECT * FROM cycle ORDER BY 1")
        mended = noted(data)
        kept = (mended[-1].kept, list(mended[-1].left)) if mended else None
        return {"log": repr(table), "state": state, "cycles": [repr(row) for row in cycles], "mended": kept}


def damage(data: Path, rng: np.random.Generator) -> str:
    """One of the two files, damaged at one place."""
    file = data / (DATABASE if rng.random() < 0.5 else f"{DATABASE}.wal")
    kind, held = KINDS[rng.integers(len(KINDS))], bytearray(file.read_bytes())
    place = int(rng.integers(min(len(held), 3 * 4096) if kind == "head" else len(held)))
    if kind == "cut":
        del held[place:]
    elif kind == "zeros":
        place -= place % 4096
        held[place : place + 4096] = bytes(len(held[place : place + 4096]))
    else:
        held[place] ^= 1 << int(rng.integers(8))
    file.write_bytes(held)
    return f"{kind} of {file.suffix} at {place}"


def outcome_of(reference: dict[str, Any], data: Path, what: str) -> str:
    """How a house that was damaged came out. Only of a damaged log of changes may the end be gone untold."""
    found = held(data)
    gone = [row for row in reference["cycles"] if row not in found["cycles"]]
    made_up = [row for row in found["cycles"] if row not in reference["cycles"]]
    if (found["log"], found["state"]) != (reference["log"], reference["state"]) or made_up:
        return "wrong"
    if found["mended"] is None:
        count = len(found["cycles"])
        is_prefix = found["cycles"] == reference["cycles"][:count] and count >= CYCLES // 2
        return "same" if not gone else "prefix" if is_prefix and ".wal" in what else "wrong"
    kept, _ = found["mended"]
    backed_up = found["cycles"][: CYCLES // 2] == reference["cycles"][: CYCLES // 2]
    return "mended" if backed_up and (kept != "whole" or not gone) else "wrong"


def served_as_it_is() -> None:
    """The mutant: what the checks find is not heeded; what can be read is served, what cannot is left out."""
    from dashboard import mending

    def sound(file: Path, schemas: Any) -> Database:
        try:
            return Database.open(file, schemas=schemas)
        except Exception:
            for part in (file, file.with_name(f"{file.name}.wal")):
                part.unlink(missing_ok=True)
            return Database.open(file, schemas=schemas)

    mending.sound = sound


def main(folder: str, count: str, seed: str, *mutants: str) -> None:
    """Make the house, damage copies of it, open each in a process of its own; one line of JSON for each."""
    base, rng = Path(folder), np.random.default_rng(int(seed))
    scenarios = houses.scenario_catalogue(settings(base))  # read once: a house takes a fifth of the time
    houses.scenario_catalogue = lambda _: scenarios  # type: ignore[assignment]
    _alone(lambda: lived(base))
    shutil.copytree(base / "killed", base / "reference")
    reference = json.loads(_alone(lambda: held(base / "reference")))
    for _ in range(int(count)):
        data = base / "damaged"
        shutil.rmtree(data, ignore_errors=True)
        shutil.copytree(base / "killed", data)
        what = damage(data, rng)
        told = _alone(partial(_seen, reference, data, what, mutants))
        print(json.dumps({"damage": what, "outcome": "signal"} | json.loads(told or "{}")), flush=True)


def _seen(reference: dict[str, Any], data: Path, what: str, mutants: tuple[str, ...]) -> dict[str, str]:
    for mutant in mutants:
        globals()[mutant]()
    try:
        return {"outcome": outcome_of(reference, data, what)}
    except Exception as error:
        return {"outcome": "refused", "error": f"{type(error).__name__}: {error}"}


def _alone(work: Any) -> str:
    """What a forked process gives, as JSON; nothing where it died of a signal."""
    ours, theirs = os.pipe()
    child = os.fork()
    if not child:
        os.close(ours)
        os.dup2(2, 1)
        with os.fdopen(theirs, "w") as out:
            json.dump(work(), out)
        os._exit(0)
    os.close(theirs)
    with os.fdopen(ours) as answers:
        told = answers.read()
    os.waitpid(child, 0)
    return told


if __name__ == "__main__":
    main(*sys.argv[1:])
