SELECT space, key, content, checksum FROM kept_row WHERE space = ?1 AND key = ?2
