"""Statistics that judges and reports share: intervals, diversity, distances. Knows numbers, not content."""
