"""The reward language: terms, compositions, breakdowns. Knows arrays, not content."""
