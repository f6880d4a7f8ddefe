SELECT content, checksum FROM record_state WHERE only_row = 1
