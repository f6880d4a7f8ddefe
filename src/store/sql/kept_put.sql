INSERT OR REPLACE INTO kept_row (space, key, content, checksum) VALUES (?1, ?2, ?3, ?4)
