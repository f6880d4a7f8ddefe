INSERT INTO change (sequence, at_ms, kind, payload, checksum) VALUES (?1, ?2, ?3, ?4, ?5)
