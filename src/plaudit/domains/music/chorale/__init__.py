"""Four-part chorales: harmonising a soprano, or any voices and bars that are given."""
