SELECT change.sequence, at_ms, kind, payload, checksum FROM order_history
LEFT JOIN change ON change.sequence = order_history.sequence
WHERE number = ?1 ORDER BY order_history.sequence DESC LIMIT ?2
