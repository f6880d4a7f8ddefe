DELETE FROM file_touch WHERE revision <= ?1
