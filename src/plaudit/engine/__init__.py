"""The learning engine: environments, formulas, learners and the one training loop. Knows no content."""
