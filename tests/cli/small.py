"""A training that is over in a moment."""

SMALL = [
    *("--set", "request.size=6x6", "--set", "env.copies=4", "--set", "env.pool=16"),
    *("--set", "learner.n_steps=8", "--set", "learner.batch_size=16", "--set", "learner.epochs=1"),
    *("--set", "network.layers=1", "--set", "network.channels=4"),
]
"""Options that make the default recipe of level/maze train in a moment."""
