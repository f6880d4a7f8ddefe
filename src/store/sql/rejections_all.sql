SELECT id, payload, checksum FROM rejection ORDER BY id
