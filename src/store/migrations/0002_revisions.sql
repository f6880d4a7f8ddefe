-- What a warm start needs: who this record is, how many transactions it has seen, and which files each of them touched.

-- One row. `identity` is random: a file made from another record, or from this one before a restore, never matches.
CREATE TABLE record_state (
  only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
  identity BLOB NOT NULL,
  revision INTEGER NOT NULL
);
INSERT INTO record_state (only_row, identity, revision) VALUES (1, randomblob(16), 0);

-- The files whose row or candidates a transaction wrote or removed. Old rows are dropped; see touched_revisions_max.
CREATE TABLE file_touch (
  revision INTEGER PRIMARY KEY,
  files BLOB NOT NULL
);
