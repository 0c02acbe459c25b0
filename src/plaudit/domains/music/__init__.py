"""Music on a grid of sixteenths: see README.md; the tasks are in task.py, what a piece is in score.py."""
