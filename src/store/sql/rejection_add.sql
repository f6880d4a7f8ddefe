INSERT OR IGNORE INTO rejection (id, payload, checksum) VALUES (?1, ?2, ?3)
