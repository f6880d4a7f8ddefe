SELECT source, path, ordinal, sequence, content, flags, checksum FROM candidate
