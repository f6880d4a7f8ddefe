SELECT source, path, ordinal, candidate.sequence, content, flags, candidate.checksum,
  change.sequence, at_ms, kind, payload, change.checksum
FROM candidate LEFT JOIN change ON change.sequence = candidate.sequence AND candidate.sequence > 0
WHERE source = ?1 AND path = ?2 AND ordinal = ?3
