SELECT identity, revision, (SELECT COALESCE(MAX(sequence), 0) FROM change) FROM record_state WHERE only_row = 1
