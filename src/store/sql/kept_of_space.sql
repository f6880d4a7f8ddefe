SELECT space, key, content, checksum FROM kept_row WHERE space = ?1 ORDER BY key
