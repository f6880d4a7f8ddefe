SELECT path, ordinal, content, flags FROM candidate WHERE source = ?1 AND path = ?2 ORDER BY ordinal
