INSERT OR IGNORE INTO source_file (source, path, size, mtime_ns, inode, hash, state, format, read_at_ms, checksum)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
