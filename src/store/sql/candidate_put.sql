INSERT INTO candidate (source, path, ordinal, content, flags) VALUES (?1, ?2, ?3, ?4, ?5)
ON CONFLICT (source, path, ordinal) DO UPDATE SET content = excluded.content, flags = excluded.flags
