-- The event log. Instants are UTC with microseconds. Rows are added and never changed.
-- No keys and no indexes: the log checks what is unique, and a bulk load stays a bulk load.

CREATE TABLE event (
    kind VARCHAR NOT NULL,
    event_id VARCHAR NOT NULL,
    occurred_at TIMESTAMP NOT NULL,
    recorded_at TIMESTAMP,
    known_at TIMESTAMP NOT NULL,
    stored_at TIMESTAMP NOT NULL,
    source VARCHAR NOT NULL,
    "position" BIGINT NOT NULL,
    visit VARCHAR,
    patient VARCHAR,
    mode VARCHAR,
    age_band VARCHAR,
    sex VARCHAR,
    complaint VARCHAR,
    acuity VARCHAR,
    test VARCHAR,
    unit VARCHAR,
    bed VARCHAR,
    "to" VARCHAR,
    planned BOOLEAN,
    status VARCHAR,
    count BIGINT,
    pool VARCHAR,
    measure VARCHAR,
    expected_at TIMESTAMP,
    target VARCHAR,
    "into" VARCHAR,
    sequence BIGINT NOT NULL,
    subject_key UBIGINT NOT NULL,
    content_key UBIGINT NOT NULL
);
COMMENT ON TABLE event IS 'One row a version of an event; null is what the kind does not have or the source does not say.';
COMMENT ON COLUMN event.kind IS 'Name of the class in the vocabulary.';
COMMENT ON COLUMN event.event_id IS 'Source record, kind and occurrence; rows with the same id are versions of one event.';
COMMENT ON COLUMN event.occurred_at IS 'When it happened in the world (UTC).';
COMMENT ON COLUMN event.recorded_at IS 'When it was recorded in the hospital''s system (UTC).';
COMMENT ON COLUMN event.known_at IS 'From when it may be used (UTC).';
COMMENT ON COLUMN event.stored_at IS 'When it was stored here (UTC); one instant a batch.';
COMMENT ON COLUMN event.source IS 'Name of the feed or extract it came by.';
COMMENT ON COLUMN event.position IS 'Place within the source: message offset or row number.';
COMMENT ON COLUMN event.visit IS 'The visit, as a pseudonym.';
COMMENT ON COLUMN event.patient IS 'The patient, as a pseudonym.';
COMMENT ON COLUMN event.mode IS 'How the patient came.';
COMMENT ON COLUMN event.age_band IS 'Age in years, as a band.';
COMMENT ON COLUMN event.sex IS 'female or male.';
COMMENT ON COLUMN event.complaint IS 'Group of the complaint.';
COMMENT ON COLUMN event.acuity IS 'Triage level, 1 is most urgent.';
COMMENT ON COLUMN event.test IS 'Which test.';
COMMENT ON COLUMN event.unit IS 'The unit it happened in, was wanted, or was entered.';
COMMENT ON COLUMN event.bed IS 'The bed or space within the unit.';
COMMENT ON COLUMN event."to" IS 'Where the patient left to.';
COMMENT ON COLUMN event.planned IS 'True for a planned admission.';
COMMENT ON COLUMN event.status IS 'What became of the bed.';
COMMENT ON COLUMN event.count IS 'A number of beds, staff, pieces or people.';
COMMENT ON COLUMN event.pool IS 'The pool of staff or resource counted.';
COMMENT ON COLUMN event.measure IS 'The measure that an aggregate feed counted.';
COMMENT ON COLUMN event.expected_at IS 'When an announced arrival or a planned exit is due (UTC).';
COMMENT ON COLUMN event.target IS 'The event_id that a cancellation strikes.';
COMMENT ON COLUMN event."into" IS 'The visit that this one was merged into, as a pseudonym.';
COMMENT ON COLUMN event.sequence IS 'Number of the row in the log, from 1 without gaps.';
COMMENT ON COLUMN event.subject_key IS 'Second half of the MD5 of the event_id, of the target for a cancellation: finds the versions.';
COMMENT ON COLUMN event.content_key IS 'Second half of the MD5 of what the version says: finds duplicates.';

CREATE TABLE superseded (
    sequence BIGINT NOT NULL,
    occurred_at TIMESTAMP NOT NULL,
    known_at TIMESTAMP NOT NULL
);
COMMENT ON TABLE superseded IS 'From when a row of "event" no longer is the winning version; the earliest row of a sequence counts.';
COMMENT ON COLUMN superseded.sequence IS 'The superseded row (event.sequence).';
COMMENT ON COLUMN superseded.occurred_at IS 'Its occurred_at (UTC), so that a window finds its own.';
COMMENT ON COLUMN superseded.known_at IS 'When a higher version is known (UTC).';

CREATE TABLE confirmed (
    event_key UBIGINT NOT NULL,
    version_at TIMESTAMP NOT NULL,
    "position" BIGINT NOT NULL,
    known_at TIMESTAMP NOT NULL
);
COMMENT ON TABLE confirmed IS 'Duplicates told later than the version they repeat; counts when a version from between the two comes late.';
COMMENT ON COLUMN confirmed.event_key IS 'Second half of the MD5 of the event_id.';
COMMENT ON COLUMN confirmed.version_at IS 'When the duplicate was recorded, else known (UTC).';
COMMENT ON COLUMN confirmed.position IS 'Its place within the source.';
COMMENT ON COLUMN confirmed.known_at IS 'From when the duplicate could be used (UTC).';

CREATE TABLE extract (
    source VARCHAR NOT NULL,
    digest VARCHAR NOT NULL,
    first_at TIMESTAMP NOT NULL,
    extracted_at TIMESTAMP NOT NULL,
    finished_at TIMESTAMP NOT NULL
);
COMMENT ON TABLE extract IS 'One row an extract that is in to its end and whose silence is proof.';
COMMENT ON COLUMN extract.source IS 'Name of the source.';
COMMENT ON COLUMN extract.digest IS 'Digest of the file.';
COMMENT ON COLUMN extract.first_at IS 'It covers what occurred from here (UTC) ..';
COMMENT ON COLUMN extract.extracted_at IS '.. to here, and says how things stood then (UTC).';
COMMENT ON COLUMN extract.finished_at IS 'When its last batch was in (UTC).';

CREATE TABLE batch (
    stored_at TIMESTAMP NOT NULL,
    source VARCHAR NOT NULL,
    "offset" BIGINT NOT NULL,
    detail VARCHAR NOT NULL,
    last_sequence BIGINT NOT NULL,
    first_known_at TIMESTAMP,
    stored BIGINT NOT NULL,
    versions BIGINT NOT NULL,
    duplicate BIGINT NOT NULL,
    cancelled BIGINT NOT NULL,
    read_rows BIGINT NOT NULL,
    stored_rows BIGINT NOT NULL,
    ignored_rows BIGINT NOT NULL,
    rejected_rows BIGINT NOT NULL
);
COMMENT ON TABLE batch IS 'One row an append: the position of the source after it, and the account.';
COMMENT ON COLUMN batch.stored_at IS 'When it was stored (UTC); names the batch, and increases.';
COMMENT ON COLUMN batch.source IS 'The source that was read.';
COMMENT ON COLUMN batch.offset IS 'How far the source has been read, in its own count.';
COMMENT ON COLUMN batch.detail IS 'What else the reader needs to go on, such as the digest of a file.';
COMMENT ON COLUMN batch.last_sequence IS 'Number of rows in "event" after it.';
COMMENT ON COLUMN batch.first_known_at IS 'Earliest known_at among its rows (UTC); null where it stored none.';
COMMENT ON COLUMN batch.stored IS 'Events stored, versions included.';
COMMENT ON COLUMN batch.versions IS 'Of these, new versions of known events.';
COMMENT ON COLUMN batch.duplicate IS 'Events that were there already.';
COMMENT ON COLUMN batch.cancelled IS 'Cancellations made by the log, for what complete visits no longer hold.';
COMMENT ON COLUMN batch.read_rows IS 'Rows or messages read.';
COMMENT ON COLUMN batch.stored_rows IS 'Of these, rows that brought something new.';
COMMENT ON COLUMN batch.ignored_rows IS 'Of these, rows of no interest.';
COMMENT ON COLUMN batch.rejected_rows IS 'Of these, rows that could not be taken.';

CREATE TABLE rejected (
    source VARCHAR NOT NULL,
    "position" BIGINT NOT NULL,
    place VARCHAR NOT NULL,
    reason VARCHAR NOT NULL,
    text VARCHAR NOT NULL,
    stored_at TIMESTAMP NOT NULL
);
COMMENT ON TABLE rejected IS 'Rows and messages that could not be taken, each once.';
COMMENT ON COLUMN rejected.source IS 'The source that was read.';
COMMENT ON COLUMN rejected.position IS 'Place within the source: message offset or row number.';
COMMENT ON COLUMN rejected.place IS 'File and line, or topic and partition.';
COMMENT ON COLUMN rejected.reason IS 'Code of the rule that fired first.';
COMMENT ON COLUMN rejected.text IS 'What may be kept of it: allow-listed fields and pseudonyms.';
COMMENT ON COLUMN rejected.stored_at IS 'When it was first met (UTC).';

CREATE TABLE read_again (
    source VARCHAR NOT NULL,
    record BIGINT NOT NULL,
    stored_at TIMESTAMP NOT NULL
);
COMMENT ON TABLE read_again IS 'Rejected messages that were read again after a mapping was mended.';
COMMENT ON COLUMN read_again.source IS 'The source that it came by.';
COMMENT ON COLUMN read_again.record IS 'Number of the record of the journal that had been rejected.';
COMMENT ON COLUMN read_again.stored_at IS 'When it was read again (UTC).';

CREATE TABLE remark (
    stored_at TIMESTAMP NOT NULL,
    source VARCHAR NOT NULL,
    what VARCHAR NOT NULL,
    code VARCHAR NOT NULL,
    count BIGINT NOT NULL
);
COMMENT ON TABLE remark IS 'How many messages of a batch were ignored by a rule, or taken with a flag.';
COMMENT ON COLUMN remark.stored_at IS 'The batch, by its batch.stored_at (UTC).';
COMMENT ON COLUMN remark.source IS 'The source that was read.';
COMMENT ON COLUMN remark.what IS 'ignored or flag.';
COMMENT ON COLUMN remark.code IS 'Code of the rule.';
COMMENT ON COLUMN remark.count IS 'How many messages.';

CREATE TABLE snapshot (
    name VARCHAR NOT NULL,
    "at" TIMESTAMP NOT NULL,
    known_at TIMESTAMP NOT NULL,
    seen BIGINT NOT NULL,
    blob BLOB NOT NULL
);
COMMENT ON TABLE snapshot IS 'What readers of the log keep so as not to read it all again.';
COMMENT ON COLUMN snapshot.name IS 'Whose it is.';
COMMENT ON COLUMN snapshot."at" IS 'The instant of the world it is about (UTC).';
COMMENT ON COLUMN snapshot.known_at IS 'It holds what was known by then (UTC).';
COMMENT ON COLUMN snapshot.seen IS 'Number of rows in "event" when it was made.';
COMMENT ON COLUMN snapshot.blob IS 'Its content, which the log does not look into.';

CREATE TABLE day (
    day DATE NOT NULL,
    measure VARCHAR NOT NULL,
    hour BIGINT,
    "by" VARCHAR,
    part VARCHAR,
    value DOUBLE NOT NULL
);
COMMENT ON TABLE day IS 'Figures of days whose events are gone; none tells of one person.';
COMMENT ON COLUMN day.day IS 'The local day.';
COMMENT ON COLUMN day.measure IS 'What is counted: arrivals, departures, ed_census ..; minutes where it ends in _min, else people or beds.';
COMMENT ON COLUMN day.hour IS 'The local hour at which it was counted; null for what is of the whole day.';
COMMENT ON COLUMN day."by" IS 'The feature by which it is told apart: mode, age_band, acuity, to, unit; null for all.';
COMMENT ON COLUMN day.part IS 'Which of them, few ones together as "pooled"; of minutes, mean or a quantile; null for all.';
COMMENT ON COLUMN day.value IS 'The figure.';

CREATE TABLE ended (
    until TIMESTAMP NOT NULL,
    stored_at TIMESTAMP NOT NULL,
    is_done BOOLEAN NOT NULL
);
COMMENT ON TABLE ended IS 'One row each time that events came to their end.';
COMMENT ON COLUMN ended.until IS 'What happened before is not kept, and is refused when it comes again (UTC).';
COMMENT ON COLUMN ended.stored_at IS 'When its days were journalled (UTC).';
COMMENT ON COLUMN ended.is_done IS 'The journal has forgotten it; false where that was begun and not finished.';
