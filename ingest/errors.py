"""Everything that ingestion may raise, in one tree.

EdtwinError                      anything a user can mend; the command prints it and exits with 2
├── ConfigurationError           a TOML file that is not as it must be: every fault at once, with its line
├── UnreadableInputError         a file that cannot be opened or is not of the stated format
├── EventError                   a value that the vocabulary does not allow
├── DatabaseHeldError            another process holds the data
├── DatabaseDamagedError         the file is not a database, or is damaged
├── DatabaseLostError            the open database is of no use any more until it is opened anew
├── AnotherLayoutError           a database with the tables of another version of edtwin
├── PositionError                a source position that does not move forward
├── GapError                     a Kafka partition that no longer holds what comes next: a person must decide
├── JournalDamagedError          a record of the journal that is not what was written, with its place
├── JournalWriteError            the journal could not be written: nothing was kept, nothing may be acknowledged
├── BackupError                  a backup that is not what the house holds, that cannot be made or cannot be read
├── RebuildError                 a log that the journal does not hold whole
├── ReaderMissingError           a message in the journal that nothing here is set up to read
├── SenderError                  a sender of messages that cannot be read
├── LinkError                    a port that cannot be listened on, certificates that cannot be used, a link that fails
├── BehindError                  a view that must hold messages which are journalled and not yet indexed
└── SecretError                  the secret of the pseudonyms is missing or unsafe
"""

from __future__ import annotations

from collections.abc import Sequence


class EdtwinError(Exception):
    """Something a user can mend. The text is one clear sentence: thing, rule, value, place."""


class ConfigurationError(EdtwinError):
    """All faults of one configuration file, each as `file:line: key: rule, but is value`."""

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(self.faults))


class UnreadableInputError(EdtwinError):
    """A file that cannot be opened, or is not of the format that was stated."""


class EventError(EdtwinError):
    """A value that the vocabulary does not allow."""


class DatabaseHeldError(EdtwinError):
    """Another process holds the database file."""


class DatabaseDamagedError(EdtwinError):
    """The database file is damaged or is not a database."""


class DatabaseLostError(EdtwinError):
    """The open database refuses everything, or gives back what was never written: the process has to begin anew."""


class AnotherLayoutError(EdtwinError):
    """The database has the tables of another version of edtwin: it has to be made anew."""


class PositionError(EdtwinError):
    """A source position that does not move forward."""


class GapError(EdtwinError):
    """A Kafka partition does not hold what comes next: it was removed, cut off or replaced. A person must decide."""


class SecretError(EdtwinError):
    """The secret behind the pseudonyms is missing, too short, or readable by others."""


class JournalDamagedError(EdtwinError):
    """A record of the journal is not what was written, or is missing; the text names the file and the place."""


class JournalWriteError(EdtwinError):
    """The journal could not be written (disk full, device error): nothing was kept, nothing may be acknowledged."""


class BehindError(EdtwinError):
    """A view must hold messages that are journalled and not yet indexed, and the index did not come along."""


class SenderError(EdtwinError):
    """A sender of messages, as a setting names it, that cannot be read."""


class LinkError(EdtwinError):
    """A port that cannot be listened on, certificates that cannot be used, or a link that fails."""


class BackupError(EdtwinError):
    """A backup is not what the house held, cannot be made, or cannot be read."""


class RebuildError(EdtwinError):
    """A log holds what the journal does not, so that making it anew would lose it."""


class ReaderMissingError(EdtwinError):
    """A message in the journal that nothing here is set up to read: a setting that names its mapping is missing."""
