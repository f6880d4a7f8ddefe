UPDATE record_state SET revision = ?1 WHERE only_row = 1
