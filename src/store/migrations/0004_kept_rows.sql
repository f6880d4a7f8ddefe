-- Rows that parts above keep beside orders and files: the state of a sync, a receipt, a decision (store::KeptRow). The
-- record does not look inside. `space` says whose they are.
CREATE TABLE kept_row (
  space TEXT NOT NULL,
  key BLOB NOT NULL,
  content BLOB NOT NULL,
  checksum INTEGER NOT NULL,
  PRIMARY KEY (space, key)
) WITHOUT ROWID;
