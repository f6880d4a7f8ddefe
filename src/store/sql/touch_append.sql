INSERT INTO file_touch (revision, files) VALUES (?1, ?2)
