INSERT INTO rejection (id, sequence, payload) VALUES (?1, ?2, ?3)
ON CONFLICT (id) DO UPDATE SET sequence = excluded.sequence, payload = excluded.payload
