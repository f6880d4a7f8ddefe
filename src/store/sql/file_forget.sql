DELETE FROM source_file WHERE source = ?1 AND path = ?2 RETURNING checksum
