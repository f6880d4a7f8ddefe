SELECT source, path, size, mtime_ns, inode, hash, state, format, read_at_ms, checksum FROM source_file WHERE source = ?1 AND path = ?2
