"""When a build says that it was made: SOURCE_DATE_EPOCH, or the time of the commit."""

from __future__ import annotations

import os
import subprocess

from tests.assurance.locks import ROOT

SETTING = "SOURCE_DATE_EPOCH"


def source_date_epoch() -> int:
    """Seconds since 1970, UTC, the same for each build of a commit; raises ValueError where nobody can say."""
    given = os.environ.get(SETTING, "")
    if given and not given.isdecimal():
        raise ValueError(f"{SETTING} must be whole seconds since 1970, but is {given!r}")
    return int(given) if given else _commit_time()


def _commit_time() -> int:
    command = ["git", "-c", "safe.directory=*", "log", "-1", "--format=%ct"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if run.returncode or not run.stdout.strip():
        raise ValueError(f"{SETTING} must be set where there is no git commit to take the time from")
    return int(run.stdout)
