"""Statistics that judges and reports share: intervals, diversity. Knows numbers, not content."""
