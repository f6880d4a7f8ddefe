INSERT INTO file_touch (revision, previous, files, checksum) VALUES (?1, ?2, ?3, ?4)
