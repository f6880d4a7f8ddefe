INSERT INTO change (sequence, at_ms, kind, subject, payload) VALUES (?1, ?2, ?3, ?4, ?5)
