-- The record: numbered changes are the truth and its history; the other tables are what the newest of them say.

-- Every committed change, 1, 2, 3, ... without holes. `payload` is feed::encode_payload.
CREATE TABLE change (
  sequence INTEGER PRIMARY KEY,
  at_ms INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  subject TEXT NOT NULL,
  payload BLOB NOT NULL
);
CREATE INDEX change_by_subject ON change (subject, kind, sequence);

-- One row per order that counts now; `sequence` names the change that holds its content.
CREATE TABLE sales_order (
  number TEXT NOT NULL PRIMARY KEY,
  sequence INTEGER NOT NULL,
  status TEXT NOT NULL,
  customer_code TEXT NOT NULL,
  currency TEXT NOT NULL,
  line_count INTEGER NOT NULL,
  total_minor INTEGER NOT NULL,
  open_minor INTEGER NOT NULL,
  updated_ms INTEGER
) WITHOUT ROWID;

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
  PRIMARY KEY (source, path)
) WITHOUT ROWID;

-- What each document says about each order in it; of several for one order one counts, all are kept.
CREATE TABLE candidate (
  source TEXT NOT NULL,
  path BLOB NOT NULL,
  ordinal INTEGER NOT NULL,
  content BLOB NOT NULL,
  flags BLOB NOT NULL,
  PRIMARY KEY (source, path, ordinal)
) WITHOUT ROWID;

-- Refusals and flags that stand now.
CREATE TABLE rejection (
  id INTEGER PRIMARY KEY,
  sequence INTEGER NOT NULL,
  payload BLOB NOT NULL
);
