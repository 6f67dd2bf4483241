"""Secrets in files, found by detect-secrets, quick enough to be asked of every file at each run.

Its 27 detectors take half a minute for all lines of the project. A line that has no word of secrecy and no long run of
letters with a digit in it can hold none of what they know, so only the others are handed on.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from detect_secrets.core import scan
from detect_secrets.settings import default_settings

SECRECY = re.compile(r"(?i)pass|pwd|secret|token|private|[a-z]_?key\b|contrase|://[^\s/]*:[^\s/]*@")
LONG_RUN = re.compile(r"[A-Za-z0-9_/+=.:-]{20,}")

Found = tuple[str, int, str]


def secrets(texts: Mapping[str, str]) -> Iterator[Found]:
    """The lines that look as though they held a secret: name of the file, number of the line, kind of the secret."""
    with tempfile.TemporaryDirectory() as folder, default_settings():
        for name, text in texts.items():
            lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if might_hold_one(line)]
            short = Path(folder) / Path(name).name
            short.write_text("".join(f"{line}\n" for _, line in lines), encoding="utf-8")
            for secret in scan.scan_file(str(short)) if lines else ():
                yield name, lines[secret.line_number - 1][0], secret.type


def might_hold_one(line: str) -> bool:
    """Has a word of secrecy, or a long run with a digit."""
    return bool(SECRECY.search(line)) or any(re.search(r"\d", run) for run in LONG_RUN.findall(line))
