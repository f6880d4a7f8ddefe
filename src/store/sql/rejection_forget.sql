DELETE FROM rejection WHERE id = ?1 RETURNING checksum
