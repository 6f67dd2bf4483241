"""The one DuckDB file: the only module that knows DuckDB.

One process holds the file; within it every thread has a cursor of its own (`cursor`), and writers take turns
(`transaction`). Tables are made when a file is first opened with a folder's schema, and never changed while running.
Instants are stored as TIMESTAMP in UTC, without a zone: `naive` and `aware` stand at the boundary.
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import duckdb
import pyarrow as pa

from ingest.errors import AnotherLayoutError, DatabaseDamagedError, DatabaseHeldError, EdtwinError, UnreadableInputError
from ingest.failpoints import failpoint

SCHEMA_SQL = Path(__file__).with_name("schema.sql")
"""The tables of the event log."""
MEMORY = ":memory:"
STREAMED_ROWS = 100_000

Cursor = duckdb.DuckDBPyConnection
"""A thread's own way into the database."""
Settings = dict[str, str | bool | int | float | list[str]]
# A file made so is still read by DuckDB 1.5: whoever must go back to it can.
_due = failpoint("database: written, not committed")
_committed = failpoint("database: committed, not told")
_STORAGE = "v1.5.0"
# DuckDB trusts its SQL; these leave it nothing to reach outside its file, whatever the SQL says.
_CLOSED = (
    "SET TimeZone = 'UTC'",
    "SET autoload_known_extensions = false",
    "SET autoinstall_known_extensions = false",
    "SET allow_community_extensions = false",
    "SET python_enable_replacements = false",
    "SET enable_external_access = false",
    "SET lock_configuration = true",
)
TABLES = "SELECT table_name FROM duckdb_tables() WHERE NOT internal ORDER BY table_name"
_VERSIONS = """
CREATE TABLE IF NOT EXISTS schema_version (folder VARCHAR NOT NULL, digest VARCHAR NOT NULL);
COMMENT ON TABLE schema_version IS 'The schemas that made the tables of this file.';
COMMENT ON COLUMN schema_version.folder IS 'The folder of the house whose tables they are.';
COMMENT ON COLUMN schema_version.digest IS 'SHA-256 of its CREATE statements.';
"""


def naive(instant: datetime) -> datetime:
    """An aware instant as it is stored: UTC without a zone."""
    return instant.astimezone(UTC).replace(tzinfo=None)


def aware(stored: datetime) -> datetime:
    """A stored instant, aware."""
    return stored.replace(tzinfo=UTC)


def rows(cursor: Cursor, query: str, /, **values: Any) -> list[tuple[Any, ...]]:
    """All rows of a query's answer; `$name` in the query is the value of that name."""
    try:
        return cursor.execute(_parsed(cursor, query), values).fetchall()
    except duckdb.Error as error:
        _tell_if_lost(error)
        raise


def arrow(cursor: Cursor, query: str, /, **values: Any) -> pa.Table:
    """The answer of a query as a table; `$name` in the query is the value of that name."""
    try:
        return cursor.sql(_parsed(cursor, query), params=values).to_arrow_table()
    except duckdb.Error as error:
        _tell_if_lost(error)
        raise


def streamed(cursor: Cursor, query: str, /) -> pa.RecordBatchReader:
    """The answer of a query piece by piece, so that it is never whole in memory."""
    return cursor.sql(query).to_arrow_reader(STREAMED_ROWS)


def _parsed(cursor: Cursor, query: str) -> duckdb.Statement:
    """The query's one statement, parsed once a process: queries are constants, and parsing takes as long as reading."""
    if query not in _PARSED:
        (_PARSED[query],) = cursor.extract_statements(query)
    return _PARSED[query]


_PARSED: dict[str, duckdb.Statement] = {}
_LOST = ("has been invalidated", "Corrupt database file", "Could not read enough bytes", "Corrupt WAL file")
"""What DuckDB says of a file that it refuses until it is opened anew, or of blocks that are not as written."""
_hearers: list[Callable[[str], None]] = []


@contextmanager
def losses_heard(hearer: Callable[[str], None]) -> Iterator[None]:
    """Inside the block the hearer is told, of any thread, of each error after which an open file must not be used."""
    _hearers.append(hearer)
    try:
        yield
    finally:
        _hearers.remove(hearer)


def _tell_if_lost(error: duckdb.Error) -> None:
    said = str(error)
    if isinstance(error, duckdb.FatalException | duckdb.InternalException) or any(sign in said for sign in _LOST):
        for hearer in _hearers:
            hearer(_first_line(said))


@contextmanager
def registered(cursor: Cursor, **tables: pa.Table | pa.RecordBatchReader) -> Iterator[None]:
    """Inside the block this cursor's queries read the tables by their names."""
    for name, table in tables.items():
        cursor.register(name, table)
    try:
        yield
    finally:
        for name in tables:
            cursor.unregister(name)


class Database:
    """The open database; close it, or use it in a `with` block.

    `memory_limit` (such as "2GB") and `threads` are DuckDB's own, None for its defaults.
    """

    def __init__(self, connection: Cursor, schemas: Sequence[Path] = ()) -> None:
        self._connection = connection
        self.schemas = tuple(schemas)
        """Those that made its tables."""
        self._local = threading.local()
        self._writer = threading.RLock()

    @classmethod
    def open(
        cls,
        path: Path | None,
        schemas: Sequence[Path] = (SCHEMA_SQL,),
        *,
        memory_limit: str | None = None,
        threads: int | None = None,
    ) -> Self:
        """Open the file, or a database in memory where `path` is None, and make the tables it does not have yet.

        1. Connect: take hold of the file.
        2. Make the tables of each schema that the file has not seen, and bring them to the disk.
        3. Close all doors to the outside and lock the settings.

        Raises DatabaseHeldError, DatabaseDamagedError, UnreadableInputError, or EdtwinError if the file was made
        with another version of a schema.
        """
        config: Settings = {"storage_compatibility_version": _STORAGE}
        config |= {"memory_limit": memory_limit} if memory_limit else {}
        config |= {"threads": threads} if threads else {}
        connection = _connect(path, config)
        try:
            _apply(connection, schemas, path)
            for statement in _CLOSED:
                connection.execute(statement)
        except duckdb.Error as error:
            connection.close()
            raise _mendable(path or Path(MEMORY), error) from error
        except BaseException:
            connection.close()
            raise
        return cls(connection, schemas)

    @classmethod
    def open_to_read(cls, path: Path, schemas: Sequence[Path] = (SCHEMA_SQL,)) -> Self:
        """Open a file that nobody holds, to read it: not a byte is changed, and only readers can open it meanwhile.

        Raises DatabaseHeldError where another process holds it, DatabaseDamagedError, UnreadableInputError, or
        EdtwinError if the file was made with another version of a schema.
        """
        return cls._to_read(path, schemas)

    @classmethod
    def open_as_it_is(cls, path: Path) -> Self:
        """As `open_to_read`, whatever tables the file has: of an older version, or of a copy."""
        return cls._to_read(path, None)

    @classmethod
    def _to_read(cls, path: Path, schemas: Sequence[Path] | None) -> Self:
        if not path.is_file():
            raise UnreadableInputError(f"{path} cannot be opened: there is no such file")
        connection = _connect(path, {}, read_only=True)
        try:
            if schemas is not None:
                _require_made_by(connection, schemas, path)
            for statement in _CLOSED:
                connection.execute(statement)
        except duckdb.Error as error:
            connection.close()
            raise _mendable(path, error) from error
        except BaseException:
            connection.close()
            raise
        return cls(connection, schemas or ())

    def cursor(self) -> Cursor:
        """This thread's own cursor; a shared one gives wrong rows. It sees what was committed, and its own writes."""
        if not hasattr(self._local, "cursor"):
            self._local.cursor = self._connection.cursor()
        cursor: Cursor = self._local.cursor
        return cursor

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Inside the block this thread is the writer, and others wait; blocks of one thread may be nested."""
        with self._writer:
            yield

    @contextmanager
    def transaction(self) -> Iterator[Cursor]:
        """All that the block writes with this thread's cursor, or nothing; one writer at a time."""
        with self.writing():
            cursor = self.cursor()
            cursor.begin()
            try:
                yield cursor
            except BaseException:
                with suppress(duckdb.Error):  # what went wrong first is what counts
                    cursor.rollback()
                raise
            _due()
            try:
                cursor.commit()
            except duckdb.Error as error:
                _tell_if_lost(error)
                raise
            _committed()

    @contextmanager
    def reading(self) -> Iterator[Cursor]:
        """All that the block reads with this thread's cursor is of one instant: that of its first question."""
        cursor = self.cursor()
        cursor.begin()
        try:
            yield cursor
        finally:
            cursor.rollback()

    def read_through(self) -> None:
        """Read every block of every table once: DuckDB holds each against its checksum, but only when it is read.

        Raises DatabaseDamagedError at the first that is not what was written.
        """
        cursor = self.cursor()
        try:
            for (name,) in rows(cursor, TABLES):
                rows(cursor, f'SELECT sum(hash(t)::HUGEINT)::VARCHAR FROM "{name}" t')
        except duckdb.Error as error:
            raise DatabaseDamagedError(f"the database is damaged: {_first_line(str(error))}") from error

    def close(self) -> None:
        """Bring everything to the disk and let go of the file."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def carry(before: Database, into: Database, name: str) -> list[str]:
    """Copy the rows of a table that an older file has too, column by column of the same name.

    What stays behind is told: columns that are no more as `table.column`, a table whose rows do not fit as `table`.
    A table that the older file does not have leaves nothing behind.
    """
    old, new = columns_of(before.cursor(), name), columns_of(into.cursor(), name)
    both = [column for column in old if column in new]
    try:
        if both:
            given = arrow(before.cursor(), f'SELECT * FROM "{name}"').select(both)
            with into.transaction() as cursor, registered(cursor, carried=given):
                rows(cursor, f'INSERT INTO "{name}" BY NAME SELECT * FROM carried')
    except duckdb.Error:
        return [name]
    return [f"{name}.{column}" for column in old if column not in new]


def columns_of(cursor: Cursor, name: str) -> list[str]:
    """The columns of a table, in order; none where there is no such table."""
    query = "SELECT column_name FROM duckdb_columns() WHERE table_name = $name ORDER BY column_index"
    return [column for (column,) in rows(cursor, query, name=name)]


def _connect(path: Path | None, config: Settings, *, read_only: bool = False) -> Cursor:
    if path is None:
        return duckdb.connect(MEMORY, config=config)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = duckdb.connect(path, read_only, config=config)
    except OSError as error:
        raise UnreadableInputError(f"{path} cannot be opened: {error.strerror}") from error
    except duckdb.Error as error:
        raise _mendable(path, error) from error
    if _is_locked(connection):
        connection.close()
        raise DatabaseHeldError(f"{path} is held by this very process, which has opened it already")
    return connection


def _is_locked(connection: Cursor) -> bool:
    """True for a second connection to what this process has opened: DuckDB shares the settings."""
    row = connection.execute("SELECT current_setting('lock_configuration')").fetchone()
    return row is not None and bool(row[0])


def _mendable(path: Path, error: duckdb.Error) -> EdtwinError:
    text = str(error)
    if isinstance(error, duckdb.ConnectionException) and "different configuration" in text:
        return DatabaseHeldError(f"{path} is held by this very process, which has opened it already")
    if "lock on file" in text:
        holder = re.search(r"\(PID (\d+)\)", text)
        by = f"process {holder.group(1)}" if holder else "another process"
        return DatabaseHeldError(f"{path} is held by {by}: one process at a time can open it")
    if "Cannot open file" in text or "Could not read from file" in text or "No space left" in text:
        return UnreadableInputError(f"{path} cannot be opened: {_first_line(text)}")
    return DatabaseDamagedError(f"{path} is damaged or is not a database of edtwin: {_first_line(text)}")


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0]


def _apply(connection: Cursor, schemas: Sequence[Path], path: Path | None) -> None:
    """Make the tables of the schemas that are new to the file; all of them or none."""
    connection.begin()
    connection.execute(_VERSIONS)
    made = dict(connection.execute("SELECT folder, digest FROM schema_version").fetchall())
    fresh = [schema for schema in schemas if schema.parent.name not in made]
    for schema in schemas:
        folder, text = schema.parent.name, schema.read_text(encoding="utf-8")
        digest = _digest(connection, text)
        if made.get(folder, digest) != digest:
            raise _of_another_version(path, folder)
        if schema in fresh:
            connection.execute(text)
            connection.execute("INSERT INTO schema_version VALUES (?, ?)", [folder, digest])
    connection.commit()
    if fresh:
        # the log of changes is where DuckDB's known faults with new tables were: leave none in it
        connection.execute("CHECKPOINT")


def _require_made_by(connection: Cursor, schemas: Sequence[Path], path: Path) -> None:
    """Raise EdtwinError for a file that has not just the tables of these schemas."""
    made = dict(connection.execute("SELECT folder, digest FROM schema_version").fetchall())
    for schema in schemas:
        folder = schema.parent.name
        if made.get(folder) != _digest(connection, schema.read_text(encoding="utf-8")):
            raise _of_another_version(path, folder)


def _of_another_version(path: Path | None, folder: str) -> EdtwinError:
    return AnotherLayoutError(
        f"{path} was made by another version of edtwin: its tables of {folder}/ are not these; "
        "stop the house, and make it anew with edtwin rebuild"
    )


def _digest(connection: Cursor, text: str) -> str:
    """Of what makes the tables; comments may be mended freely."""
    made = [s.query for s in connection.extract_statements(text) if s.type == duckdb.StatementType.CREATE]
    bare = re.sub(r"--.*|\s|;", "", "\n".join(made))
    return hashlib.sha256(bare.encode()).hexdigest()
