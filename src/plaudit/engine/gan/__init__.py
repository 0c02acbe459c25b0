"""Generative adversarial networks with a reward term: min over G, max over D of V(G, D) - lambda E[R(G(z))]."""
