DELETE FROM rejection WHERE id = ?1
