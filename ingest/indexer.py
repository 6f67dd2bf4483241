"""From the journal into the log: one follower, in order, each batch with the journal's offset in one transaction.

    indexer = Indexer(journal, log, readers)
    indexer.catch_up()          # what is journalled so far
    indexer.start()             # and from now on, in a thread of its own

`JournalledLog` is the log for everyone who writes batches (extracts, files of events, the fabricated hospital): it
journals them first, so that nothing is in the log that the journal does not hold.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import groupby

import pyarrow as pa

from ingest import journal_batches as batches
from ingest.bookkeeping import check_forward
from ingest.clock import Clock
from ingest.columns import check
from ingest.control_ids import LOOK_BACK_RECORDS, ControlIds
from ingest.database import Database
from ingest.days import Days, days_entry, days_of
from ingest.errors import EdtwinError, JournalDamagedError
from ingest.failpoints import failpoint
from ingest.instants import NEVER
from ingest.journal import Entry, Journal
from ingest.journal_frames import DAYS, Again, Record
from ingest.log import Appended, EventLog, Extract, Intake, Position
from ingest.messages import NONE_LATER, Journalled, Readers, read_messages
from ingest.too_old import fresh_batch, known_in

logger = logging.getLogger(__name__)

_stored = failpoint("indexer: stored, not noted")
BATCH_MESSAGES = 10_000
BATCH_BYTES = 16 * 1024 * 1024
GATHER_S = 0.25
"""How long messages are gathered into a batch, unless a view waits for them: a batch costs as much as many messages."""
LONGEST_PAUSE_S = 30.0
"""After a fault the follower tries again, at most this much later."""


class Indexer:
    """Follows a journal into a log. `later` is for a rebuild: see `read_messages`.

    A journal that ends before what was made of it, such as an older copy that was put back, is refused. Whoever
    `shows_what_is_known` gets the log as it is, and nothing is appended to such a journal: the numbers that it would
    give are those of records that the log was made of.
    """

    def __init__(
        self,
        journal: Journal,
        log: EventLog,
        readers: Readers,
        later: Mapping[int, Again] = NONE_LATER,
        *,
        shows_what_is_known: bool = False,
    ) -> None:
        self.missing = 0
        """How many records the log was made of and the journal does not hold."""
        self._shows_what_is_known = shows_what_is_known
        self._journal, self._log, self._readers, self._later = journal, log, readers, later
        self.turn = threading.RLock()
        """Held by whoever indexes."""
        self._results: dict[int, Appended] = {}
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="indexer", daemon=True)
        self.number = self._resume()
        """The last record that is in the log."""
        self._tail = journal.tail(max(0, self.number - LOOK_BACK_RECORDS))
        self._control_ids: ControlIds | None = None
        self.fault: str | None = None
        """What keeps it from going on; None while all is well."""

    def _resume(self) -> int:
        """Views wait from here on for what is not indexed. Raises JournalDamagedError for a journal that is shorter
        than what was made of it."""
        indexed = self._log.indexed()
        number, stored_at = (indexed.number, indexed.stored_at) if indexed else (0, NEVER)
        self.missing = max(0, number - self._journal.last)
        if self.missing:
            behind = (
                f"the journal {self._journal.folder} must hold record {number}, which is in the log, "
                f"but ends with {self._journal.last}"
            )
            if not self._shows_what_is_known:
                raise JournalDamagedError(behind)
            logger.error("the journal ends before the log, and takes nothing until it is put back whole: %s", behind)
            self._journal.refuses = f"{behind}: nothing is taken in until it is put back whole"
        self._log.instants.resume(stored_at, self._journal.last_stored_at if number < self._journal.last else stored_at)
        return number

    @property
    def lag(self) -> int:
        """How many records wait to be indexed."""
        return max(0, self._journal.last - self.number)

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def stop(self, timeout_s: float = 10.0) -> None:
        """Index what is there, and end."""
        self._stopped.set()
        self._log.instants.wanted.set()
        if self._thread.ident is not None:
            self._thread.join(timeout_s)

    def close(self) -> None:
        """Let go of the journal's file."""
        with self.turn:
            self._tail.close()

    def catch_up(self) -> int:
        """Index what is journalled; how many records that were. After a fault the next call begins where the log is."""
        before = self.number
        if self.missing:
            return 0
        with self.turn:
            try:
                self._look_back()
                while records := self._tail.read(limit=BATCH_MESSAGES, limit_bytes=BATCH_BYTES):
                    for group in _groups(records):
                        self._index(group)
            except BaseException:
                self._start_over()
                raise
        return self.number - before

    def _look_back(self) -> None:
        """Once: the numbers of the messages that came before, so that a restart forgets none of them."""
        if self._control_ids is not None:
            return
        self._control_ids = ControlIds()
        try:
            while (left := self.number - max(self._tail.number, self.number - LOOK_BACK_RECORDS, 0)) > 0:
                self._control_ids.reused(self._tail.read(limit=left, limit_bytes=BATCH_BYTES))
        except JournalDamagedError as error:  # or removed: what is in the log already is not needed to go on
            logger.warning("message numbers from before record %d are not compared: %s", self.number, error)
            self._start_over()

    def result(self, number: int) -> Appended:
        """What became of a batch that was journalled and indexed within one turn."""
        return self._results.pop(number)

    def _index(self, group: Sequence[Record]) -> None:
        """Records of one kind: messages together, a batch or the end of an extract alone."""
        assert group[0].number == self.number + 1, (group[0].number, self.number)
        last = group[-1]
        at = Journalled(number=last.number, stored_at=last.stored_at)
        if last.format == batches.FINISHED:
            self._log_finish(last, at)
        elif last.format == batches.BATCH:
            self._log_batch(last, at)
        elif last.format == DAYS:
            EventLog.keep_days(self._log, days_of(last), journalled=at)
        else:
            assert self._control_ids is not None
            reused = self._control_ids.reused(group)
            self._log.append_messages(read_messages(group, self._readers, self._later, reused))
        _stored()
        self.number, self.fault = last.number, None  # here: while messages keep coming `catch_up` does not return

    def _log_batch(self, record: Record, at: Journalled) -> None:
        told = batches.batch_of(record)
        self._results = {record.number: EventLog.append_table(
            self._log, told.table, told.position, extract=told.extract, complete_visits=told.complete_visits,
            intake=told.intake, journalled=at,
        )}  # fmt: skip

    def _log_finish(self, record: Record, at: Journalled) -> None:
        EventLog.finish(self._log, batches.extract_of(record), journalled=at)

    def _follow(self) -> None:
        """Until it is stopped. A fault (a full disk) is told and tried again; what is damaged stays damaged."""
        pause_s, is_last = 1.0, False
        while not is_last:
            is_last = self._stopped.is_set()
            try:
                if is_last or self._journal.wait(self.number, 0.2):
                    self.catch_up()
                    self._gather()
                self.fault, pause_s = None, 1.0
            except Exception as error:
                self._tell(error)
                self._stopped.wait(pause_s)
                pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    def _gather(self) -> None:
        if not self._stopped.is_set():
            self._log.instants.wanted.wait(GATHER_S)
            self._log.instants.wanted.clear()

    def _tell(self, error: Exception) -> None:
        said = str(error) if isinstance(error, EdtwinError) else type(error).__name__
        if said != self.fault:
            logger.exception("the journal cannot be indexed beyond record %d", self.number)
        self.fault = said

    def _start_over(self) -> None:
        """Go on after the last record that is in the log, which says itself which that is."""
        self._tail.close()
        indexed = self._log.indexed()
        self.number = indexed.number if indexed else 0
        self._tail = self._journal.tail(self.number)


def _groups(records: Sequence[Record]) -> Iterator[list[Record]]:
    """The records in their order; each batch, end of an extract and figures of days alone, messages together."""

    def kind(record: Record) -> int:
        return record.number if record.format in (batches.BATCH, batches.FINISHED, DAYS) else 0

    return (list(group) for _, group in groupby(records, key=kind))


class JournalledLog(EventLog):
    """The log, whose batches are journalled before they are stored. `follow` it with an indexer before it is used."""

    def __init__(self, database: Database, clock: Clock) -> None:
        super().__init__(database, clock)
        self._journal: Journal | None = None
        self._indexer: Indexer | None = None

    def follow(self, journal: Journal, indexer: Indexer) -> None:
        """From here on what is appended goes through the journal."""
        self._journal, self._indexer = journal, indexer

    def append_table(
        self,
        table: pa.Table,
        position: Position,
        *,
        extract: Extract | None = None,
        complete_visits: bool = False,
        intake: Intake | None = None,
        journalled: Journalled | None = None,
    ) -> Appended:
        """As `EventLog.append_table`: checked, journalled, and stored by the indexer, all before this returns."""
        if self._journal is None or self._indexer is None or journalled is not None:
            return super().append_table(
                table, position, extract=extract, complete_visits=complete_visits, intake=intake, journalled=journalled
            )
        check(table)
        with self._indexer.turn:
            check_forward(self._database.cursor(), position)
            told = self._fresh_batch(batches.Told(table, position, extract, complete_visits, intake))
            (record,) = self._journal.append([batches.batch_entry(told)])
            self._indexer.catch_up()
            return self._indexer.result(record.number)

    def _fresh_batch(self, told: batches.Told) -> batches.Told:
        """Without what is too old, which then reaches no disk."""
        if self.kept_from is None:
            return told
        fresh = fresh_batch(told, self.kept_from, partial(known_in, self._database.cursor()))
        if left_out := told.table.num_rows - fresh.table.num_rows:
            logger.warning(
                "%d events of %s are left out: they happened before %s, from when on events are kept",
                left_out, told.position.source, f"{self.kept_from:%Y-%m-%d %H:%M} UTC",
            )  # fmt: skip
        return fresh

    def keep_days(self, days: Days, *, journalled: Journalled | None = None) -> None:
        """As `EventLog.keep_days`, journalled."""
        if self._journal is None or self._indexer is None or journalled is not None:
            super().keep_days(days, journalled=journalled)
            return
        with self._indexer.turn:
            self._journal.append([days_entry(days)])
            self._indexer.catch_up()

    def finish(self, extract: Extract, *, journalled: Journalled | None = None) -> None:
        """As `EventLog.finish`, journalled."""
        if self._journal is None or self._indexer is None or journalled is not None:
            super().finish(extract, journalled=journalled)
        elif extract.first_at is not None:
            with self._indexer.turn:
                entries: list[Entry] = [batches.finished_entry(extract)]
                self._journal.append(entries)
                self._indexer.catch_up()
