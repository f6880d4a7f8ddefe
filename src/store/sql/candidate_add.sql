INSERT OR IGNORE INTO candidate (source, path, ordinal, sequence, content, flags, checksum) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
