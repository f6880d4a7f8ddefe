DELETE FROM kept_row WHERE space = ?1 AND key = ?2 RETURNING checksum
