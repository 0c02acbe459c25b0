"""Adapters that run a peer beside Plaudit; none of a peer's code stands here."""
