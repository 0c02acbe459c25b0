"""Generative adversarial networks with a reward term: min G max D of V(G, D) - lambda E[R(G(z))]."""
