"""A DAMAGED AUDIT IS SET ASIDE AND BEGUN ANEW where a house starts; nothing is deleted, and the house starts.

    audit/damaged-20261127T081200000000Z/audit-2026-11.jsonl    the months as they were found, to the last byte
    audit/damaged-20261127T081200000000Z/audit.anchor           what the anchor said
    audit/damaged-20261127T081200000000Z/reason.txt             each fault with its place, and the SHA-256 of each file

The first record of the new chain tells of the break: where the old chain ended, what was wrong with it, and the hash of
the reason, so that what stands aside cannot be changed unseen. The folder stays until a person moves it away, and as
long as it is there the page about this house and `edtwin doctor` tell of it.
"""

from __future__ import annotations

import logging
import os
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from dashboard.audit.chain import BEGUN_ANEW, Chain, anchor_in, files_of
from dashboard.audit.records import Deed
from dashboard.audit.verify import NO_ANCHOR, Verified, verify
from ingest.disk import bring_to_disk

logger = logging.getLogger(__name__)

REASON = "reason.txt"
UNTOLD = ".untold"
"""Ends the name of a folder of which no record tells yet."""
_STAMP = "%Y%m%dT%H%M%S%fZ"
_TOLD_FAULTS = 3


@dataclass(frozen=True, slots=True)
class SetAside:
    """A damaged audit: the folder that keeps it, and when it was found."""

    folder: Path
    found_at: datetime


def set_aside_in(folder: Path) -> list[SetAside]:
    """The damaged audits that stand aside in the audit's folder, the oldest first."""
    found = []
    for path in sorted(folder.glob("damaged-*")):
        try:
            at = datetime.strptime(path.name.removesuffix(UNTOLD).removeprefix("damaged-"), _STAMP)
        except ValueError:
            continue
        found.append(SetAside(path, at.replace(tzinfo=UTC)))
    return found


def begin_anew_if_damaged(chain: Chain, house: str, now: datetime) -> None:
    """Look through the whole chain; set a damaged one aside, and begin a new one that tells of it.

    1. Hold it against its anchor. What a process that died left unfinished, and nobody was told of, is no damage.
    2. Note what is wrong with it beside where the months will be, and move them there, the anchor last.
    3. The first record of the new chain tells of it; then the folder gets the name by which the record calls it.

    A process may die behind each of them: the next start sets aside what is left, and tells of every folder that none
    has told of. An audit that cannot be read or written is told as a gap by whoever writes it.
    """
    try:
        with chain.locked():
            found = verify(chain.folder, chain.anchor, torn_end_is_well=True)  # 1
            faults = [fault for fault in found.faults if fault != NO_ANCHOR]
            if faults:
                _put_aside(chain, found, now)  # 2
            elif found.faults:
                chain.put([_without_anchor(found, now)], house)
            for one in set_aside_in(chain.folder):
                if one.folder.name.endswith(UNTOLD):
                    _tell(chain, one, house, now)  # 3
    except OSError as error:
        logger.warning("the audit %s cannot be looked through: %s", chain.folder, error.strerror or error)


def _put_aside(chain: Chain, found: Verified, now: datetime) -> None:
    """2. The reason is on the disk before anything is moved."""
    aside = chain.folder / f"damaged-{now.astimezone(UTC):{_STAMP}}{UNTOLD}"
    logger.error("the audit is damaged and is begun anew: %s; it is kept in %s", found.faults[0], aside.name)
    aside.mkdir(mode=0o700)
    (aside / REASON).write_bytes(_reason(chain, found).encode())
    bring_to_disk(aside / REASON)
    bring_to_disk(aside)
    for path in files_of(chain.folder):
        os.rename(path, aside / path.name)
    if chain.anchor.exists():
        shutil.copyfile(chain.anchor, aside / chain.anchor.name)  # it may be on another disk
        bring_to_disk(aside / chain.anchor.name)
        bring_to_disk(aside)
        chain.anchor.unlink()
    bring_to_disk(aside)
    bring_to_disk(chain.folder)


def _reason(chain: Chain, found: Verified) -> str:
    anchor = anchor_in(chain.anchor)
    told = "the anchor cannot be read" if anchor is None else f"the anchor: record {anchor.number}, {anchor.hash}"
    ends = f"the last record that was read: {found.head.number}, {found.head.hash}"
    files = [f"{sha256(path.read_bytes()).hexdigest()}  {path.name}" for path in files_of(chain.folder)]
    return "\n".join([f"{found.records} records; {len(found.faults)} faults", *found.faults, ends, told, *files, ""])


def _tell(chain: Chain, one: SetAside, house: str, now: datetime) -> None:
    """3. A reason that was never finished is told by the hash of what there is of it."""
    name = one.folder.name.removesuffix(UNTOLD)
    reason = (one.folder / REASON).read_bytes() if (one.folder / REASON).exists() else b""
    faults = reason.decode(errors="replace").splitlines()[: 1 + _TOLD_FAULTS]
    told = {"found_at": one.found_at.isoformat(), "reason": sha256(reason).hexdigest(), "faults": faults}
    deed = Deed(at=now, kind="house", what=BEGUN_ANEW, about=name, role="house", outcome="failed", told=told)
    chain.put([deed], house)
    os.rename(one.folder, one.folder.with_name(name))
    bring_to_disk(chain.folder)


def _without_anchor(found: Verified, now: datetime) -> Deed:
    """The chain is whole as far as it goes, and goes on; what was cut off at its end could not be told."""
    logger.warning("the audit has lost its anchor and gets a new one: its last record is %d", found.head.number)
    told = {"last": found.head.number, "hash": found.head.hash}
    return Deed(at=now, kind="house", what="anchor missing", role="house", outcome="failed", told=told)
