DELETE FROM candidate WHERE source = ?1 AND path = ?2 AND ordinal = ?3 RETURNING checksum
