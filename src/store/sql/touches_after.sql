SELECT revision, files FROM file_touch WHERE revision > ?1 ORDER BY revision
