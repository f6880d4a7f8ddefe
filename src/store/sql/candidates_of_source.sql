SELECT path, ordinal, content, flags FROM candidate WHERE source = ?1 ORDER BY path, ordinal
