SELECT COALESCE(MAX(sequence), 0) FROM change
