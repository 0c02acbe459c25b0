"""Runs: recipes, run folders, checkpoints, logs, the trainer and the report."""
