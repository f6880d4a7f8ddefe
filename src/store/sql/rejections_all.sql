SELECT payload FROM rejection ORDER BY id
