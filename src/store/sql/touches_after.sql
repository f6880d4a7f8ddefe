SELECT revision, previous, files, checksum FROM file_touch WHERE revision > ?1 ORDER BY revision
