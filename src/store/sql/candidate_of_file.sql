SELECT path, ordinal, content, flags FROM candidate WHERE source = ?1 AND path = ?2 AND ordinal = ?3
