SELECT sequence, at_ms, kind, payload FROM change
WHERE subject = ?1 AND kind IN (1, 2) ORDER BY sequence DESC LIMIT ?2
