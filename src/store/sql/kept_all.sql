SELECT space, key, content, checksum FROM kept_row
