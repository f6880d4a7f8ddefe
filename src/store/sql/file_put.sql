INSERT INTO source_file (source, path, size, mtime_ns, inode, hash, state, format, read_at_ms)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
ON CONFLICT (source, path) DO UPDATE SET size = excluded.size, mtime_ns = excluded.mtime_ns, inode = excluded.inode,
  hash = excluded.hash, state = excluded.state, format = excluded.format, read_at_ms = excluded.read_at_ms
