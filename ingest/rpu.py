"""The French emergency summary (RPU), XML or CSV, as rows for the wide reader: format `rpu`.

Both kinds of file give the same columns: those of the decree as they stand, with dates in ISO form, and three that are
derived by the rules below, so that a mapping can name them:

* `PASSAGE`: the number of the passage, with the FINESS before it. The national format has none; then establishment,
  entry, birth date, sex and postcode stand for it (they are hashed like any number).
* `ISSUE`: where the patient went. ORIENTATION tells it for those who left (PSA, FUGUE, SCAM, REO), else MODE_SORTIE,
  else an ORIENTATION to a ward.
* `RECOURS`: the group of the complaint, from the chapter of the main diagnosis (DP, ICD-10).
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingest import extract_file
from ingest.configuration import Fault
from ingest.errors import ConfigurationError, UnreadableInputError
from ingest.extract_file import Chunk
from ingest.local_times import read_times
from ingest.mapping_parts import ExtractMapping
from ingest.rpu_xml import HEAD, Record, is_xml, passages

FIELDS = (
    "NUMERO", "FINESS", "CP", "NAISSANCE", "SEXE", "ENTREE", "MODE_ENTREE", "PROVENANCE", "TRANSPORT", "TRANSPORT_PEC",
    "GRAVITE", "DP", "SORTIE", "MODE_SORTIE", "DESTINATION", "ORIENTATION",
)  # fmt: skip
"""What is read of a passage; MOTIF, COMMUNE and the lists of diagnoses and acts are not."""
DERIVED = ("PASSAGE", "ISSUE", "RECOURS")
ALIASES = {
    "ORIENT": "ORIENTATION", "ID": "NUMERO", "NUM": "NUMERO", "NUM_PASSAGE": "NUMERO", "IDPASSAGE": "NUMERO",
    "PASSAGE": "NUMERO", "CODE_POSTAL": "CP", "MODE_TRANSPORT": "TRANSPORT",
}  # fmt: skip
"""Other names that files give to the fields; upper and lower case are one."""
LEFT = {"PSA": "left_without_being_seen", "FUGUE": "left_during_care", "SCAM": "left_during_care", "REO": "home"}
EXITS = {
    "6": "ward", "7": "transfer", "8": "home", "9": "died",
    "MUTATION": "ward", "TRANSFERT": "transfer", "DOMICILE": "home", "DECES": "died", "DÉCÈS": "died",
}  # fmt: skip
WARDS = ("HDT", "HO", "SC", "SI", "REA", "UHCD", "MED", "CHIR", "OBST")
_CHUNK_ROWS = 20_000
_NULL = pa.scalar(None, pa.string())
Columns = dict[str, pa.StringArray]


def chunks(path: Path, mapping: ExtractMapping) -> Iterator[Chunk]:
    """The columns of an RPU file that the mapping names, some rows at a time; the first passage is row 2.

    Raises ConfigurationError, UnreadableInputError.
    """
    _check_mapping(mapping)
    with extract_file.opened(path):
        source = _xml_chunks(path) if is_xml(path) else _csv_chunks(path, mapping)
        for raw in source:
            columns = _derived({name: raw.column(name) for name in raw.columns.schema.names})
            wanted = {name: columns[name] for name in mapping.columns()}
            yield Chunk(pa.RecordBatch.from_pydict(wanted), raw.rows, raw.malformed)


def extracted_micros(path: Path, mapping: ExtractMapping) -> int | None:
    """When a file says that it was taken (EXTRACT, the newest where it says several), in microseconds; None where it
    does not. Raises ConfigurationError, UnreadableInputError."""
    with extract_file.opened(path):
        texts = _xml_extracts(path) if is_xml(path) else _csv_extracts(path, mapping)
    times = read_times(_iso(_trimmed(pa.array(sorted(texts), pa.string()))), zone=mapping.source.zone)
    return int(times.at[times.present].max()) if times.present.any() else None


def _xml_extracts(path: Path) -> set[str]:
    return {head["EXTRACT"] for head, _ in passages(path, ()) if "EXTRACT" in head}


def _csv_extracts(path: Path, mapping: ExtractMapping) -> set[str]:
    found = _header(path, mapping)
    if "EXTRACT" not in found:
        return set()
    raw = _Raw(source=mapping.source, names=(found["EXTRACT"],))
    columns = (chunk.column(found["EXTRACT"]) for chunk in extract_file.chunks(path, raw))
    return {text for column in columns for text in pc.unique(column.cast(pa.string())).to_pylist() if text}


def _check_mapping(mapping: ExtractMapping) -> None:
    known = (*FIELDS, *DERIVED)
    faults = [
        f"{mapping.where(column)}: an RPU has no {column!r}; its columns are {', '.join(known)}"
        for column in mapping.columns()
        if column not in known
    ]
    if faults:
        raise ConfigurationError(faults)


# ------------------------------------------------------------------------------------------------------ the two forms


def _xml_chunks(path: Path) -> Iterator[Chunk]:
    """Passages of an XML file; ORIENT and other names of the fields are brought to one."""
    names = (*FIELDS, *ALIASES)
    row, waiting = 2, list[Record]()
    for _, records in passages(path, names):
        waiting.extend(records)
        while len(waiting) >= _CHUNK_ROWS:
            yield _chunk(waiting[:_CHUNK_ROWS], row)
            row, waiting = row + _CHUNK_ROWS, waiting[_CHUNK_ROWS:]
    yield _chunk(waiting, row)


def _chunk(records: Sequence[Record], row: int) -> Chunk:
    numbered = list(enumerate(records, start=row))
    good = [(number, record) for number, record in numbered if record is not None]
    columns = {name: pa.array([_field(record, name) for _, record in good], pa.string()) for name in FIELDS}
    bad = tuple(number for number, record in numbered if record is None)
    return Chunk(pa.RecordBatch.from_pydict(columns), np.array([number for number, _ in good], dtype=np.int64), bad)


def _field(record: Mapping[str, str], name: str) -> str | None:
    """The field, under whichever of its names; blank is absent."""
    others = (alias for alias, meant in ALIASES.items() if meant == name)
    return next((text for key in (name, *others) if (text := record.get(key))), None)


class _Raw(ExtractMapping):
    """The columns that a CSV file has of an RPU, by its own names."""

    names: tuple[str, ...]

    def columns(self) -> tuple[str, ...]:
        return self.names

    def faults(self) -> Iterator[Fault]:
        return iter(())


def _csv_chunks(path: Path, mapping: ExtractMapping) -> Iterator[Chunk]:
    found = _header(path, mapping)
    raw = _Raw(source=mapping.source, names=tuple(found[name] for name in found if name in FIELDS))
    for chunk in extract_file.chunks(path, raw):
        blank = pa.nulls(len(chunk.rows), pa.string())
        columns = {name: chunk.column(found[name]) if name in found else blank for name in FIELDS}
        yield Chunk(pa.RecordBatch.from_pydict(columns), chunk.rows, chunk.malformed)


def _header(path: Path, mapping: ExtractMapping) -> dict[str, str]:
    """The fields that the file has, each with its name there."""
    try:
        with path.open(encoding=mapping.source.encoding, newline="") as file:
            header = next(csv.reader(file, delimiter=mapping.source.delimiter), [])
    except (UnicodeError, csv.Error):
        raise UnreadableInputError(
            f"{path} is not {mapping.source.encoding} text; name its encoding under [source]"
        ) from None
    found: dict[str, str] = {}
    for name in header:
        plain = name.removeprefix("\ufeff").strip().upper()
        field = ALIASES.get(plain, plain)
        if field in (*FIELDS, *HEAD):
            if field in found:
                raise ConfigurationError([f"{path.name} has two columns for {field}: {found[field]!r} and {name!r}"])
            found[field] = name.removeprefix("\ufeff")
    if "ENTREE" not in found:
        raise ConfigurationError([f"{path.name} has {len(header)} columns, but none is 'ENTREE': is it an RPU file?"])
    return found


# ------------------------------------------------------------------------------------------------------- the rules


def _derived(raw: Columns) -> Columns:
    columns = {name: _trimmed(column) for name, column in raw.items()}
    for name in ("NAISSANCE", "ENTREE", "SORTIE"):
        columns[name] = _iso(columns[name])
    columns["PASSAGE"] = _numbers(columns)
    columns["ISSUE"] = _by_value(_issue, columns["MODE_SORTIE"], columns["ORIENTATION"])
    columns["RECOURS"] = _by_value(complaint, columns["DP"])
    return columns


def _trimmed(column: pa.StringArray) -> pa.StringArray:
    text = pc.utf8_trim_whitespace(column.cast(pa.string()))
    return pc.if_else(pc.is_in(text, value_set=pa.array(["", "NA"])), _NULL, text)


def _iso(column: pa.StringArray) -> pa.StringArray:
    """Day/month/year as year-month-day; what is written otherwise stays as it is."""
    return pc.replace_substring_regex(column, r"^(\d{2})/(\d{2})/(\d{4})", r"\3-\2-\1")


def _numbers(columns: Columns) -> pa.StringArray:
    """The number of each passage, else what else tells one passage from the other; null without an entry."""
    finess = columns["FINESS"].fill_null("")
    own = pc.binary_join_element_wise(finess, columns["NUMERO"], "/")
    parts = [columns[name].fill_null("") for name in ("NAISSANCE", "SEXE", "CP")]
    return pc.coalesce(own, pc.binary_join_element_wise(finess, columns["ENTREE"], *parts, "|"))


def _by_value(rule: Callable[..., str | None], *columns: pa.StringArray) -> pa.StringArray:
    """A rule of words, applied once to each distinct combination of them."""
    key = pc.binary_join_element_wise(*(c.fill_null("") for c in columns), "\x1f").dictionary_encode()
    words = [rule(*text.split("\x1f")) for text in key.dictionary.to_pylist()]
    return pa.array(words, pa.string()).take(key.indices)


def _issue(exit_: str, orientation: str) -> str | None:
    exit_, orientation = exit_.upper(), orientation.upper()
    if orientation in LEFT:
        return LEFT[orientation]
    if exit_:
        return EXITS.get(exit_, "unknown")
    return "ward" if orientation in WARDS else None


_ICD = re.compile(r"([A-Z])(\d\d)")
_TOXIC_TOPICS = (("F", 10, 19), ("T", 36, 65), ("X", 40, 49), ("X", 60, 69), ("Y", 10, 19))
_TRAUMA = "STVWXY"


def complaint(diagnosis: str) -> str | None:
    """The group of a main diagnosis by its ICD-10 chapter; None where it is no code of ICD-10.

    Poisonings and what substances did are toxicology (F10-F19, T36-T65, X40-X49, X60-X69, Y10-Y19); injuries and
    external causes otherwise trauma (S, T, V to Y); the rest of F psychiatric; Z other; all else medical or surgical.
    """
    match = _ICD.match(diagnosis.upper())
    if match is None:
        return None
    chapter, number = match[1], int(match[2])
    if any(chapter == letter and first <= number <= last for letter, first, last in _TOXIC_TOPICS):
        return "toxicology"
    if chapter in _TRAUMA:
        return "trauma"
    return {"F": "psychiatric", "Z": "other"}.get(chapter, "medical_surgical")
