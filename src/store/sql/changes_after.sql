SELECT sequence, at_ms, kind, payload, checksum FROM change WHERE sequence > ?1 ORDER BY sequence LIMIT ?2
