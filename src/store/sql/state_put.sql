INSERT OR REPLACE INTO record_state (only_row, content, checksum) VALUES (1, ?1, ?2)
