DELETE FROM candidate WHERE source = ?1 AND path = ?2 RETURNING checksum
