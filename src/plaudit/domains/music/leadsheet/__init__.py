"""Chords for a melody: `music/leadsheet`; see task.py."""
