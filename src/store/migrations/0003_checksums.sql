-- Every row that must not be misread carries a checksum of its key and content (internal/checksum.h); the one row of
-- record_state holds the count and sum of each table's checksums, so that a row that is missing is noticed too.
-- row_checksum is ours: internal/sqlite_connection.cpp.

ALTER TABLE change RENAME TO change_before;
ALTER TABLE source_file RENAME TO source_file_before;
ALTER TABLE candidate RENAME TO candidate_before;
ALTER TABLE rejection RENAME TO rejection_before;
ALTER TABLE record_state RENAME TO record_state_before;
DROP TABLE file_touch;
DROP TABLE sales_order;

-- Every committed change, 1, 2, 3, ... without holes. `payload` is feed::encode_payload.
CREATE TABLE change (
  sequence INTEGER PRIMARY KEY,
  at_ms INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  payload BLOB NOT NULL,
  checksum INTEGER NOT NULL
);
INSERT INTO change SELECT sequence, at_ms, kind, payload, row_checksum(1, sequence, at_ms, kind, payload)
FROM change_before ORDER BY sequence;

-- Which changes are about an order. The rows are covered by the sum of their checksums alone.
CREATE TABLE order_history (
  number TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  PRIMARY KEY (number, sequence)
) WITHOUT ROWID;
INSERT INTO order_history SELECT subject, sequence FROM change_before WHERE kind IN (1, 2) ORDER BY subject, sequence;

-- What is known of each file of a source: enough to prove it unchanged without opening it.
CREATE TABLE source_file (
  source TEXT NOT NULL,
  path BLOB NOT NULL,
  size INTEGER NOT NULL,
  mtime_ns INTEGER NOT NULL,
  inode INTEGER NOT NULL,
  hash BLOB NOT NULL,
  state INTEGER NOT NULL,
  format TEXT NOT NULL,
  read_at_ms INTEGER NOT NULL,
  checksum INTEGER NOT NULL,
  PRIMARY KEY (source, path)
) WITHOUT ROWID;
INSERT INTO source_file SELECT source, path, size, mtime_ns, inode, hash, state, format, read_at_ms,
  row_checksum(3, source, path, size, mtime_ns, inode, hash, state, format, read_at_ms)
FROM source_file_before ORDER BY source, path;

-- What each document says about each order in it; of several for one order one counts, all are kept. The one that
-- counted when it was read is stored once: `sequence` names the change that holds its content, and `content` is only the
-- status that the document itself gives. With sequence 0, `content` is the whole order.
CREATE TABLE candidate (
  source TEXT NOT NULL,
  path BLOB NOT NULL,
  ordinal INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  content BLOB NOT NULL,
  flags BLOB NOT NULL,
  checksum INTEGER NOT NULL,
  PRIMARY KEY (source, path, ordinal)
) WITHOUT ROWID;
INSERT INTO candidate SELECT source, path, ordinal, 0, content, flags, row_checksum(4, source, path, ordinal, 0, content, flags)
FROM candidate_before ORDER BY source, path, ordinal;

-- Refusals and flags that stand now.
CREATE TABLE rejection (
  id INTEGER PRIMARY KEY,
  payload BLOB NOT NULL,
  checksum INTEGER NOT NULL
);
INSERT INTO rejection SELECT id, payload, row_checksum(5, id, payload) FROM rejection_before ORDER BY id;

-- The files whose row or candidates a transaction wrote or removed. `previous` names the row before this one, so that a
-- missing one is noticed. Old rows are dropped; see touched_revisions_max.
CREATE TABLE file_touch (
  revision INTEGER PRIMARY KEY,
  previous INTEGER NOT NULL,
  files BLOB NOT NULL,
  checksum INTEGER NOT NULL
);

-- One row: RecordState, internal/checksum.h.
CREATE TABLE record_state (
  only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
  content BLOB NOT NULL,
  checksum INTEGER NOT NULL
);

DROP TABLE change_before;
DROP TABLE source_file_before;
DROP TABLE candidate_before;
DROP TABLE rejection_before;
