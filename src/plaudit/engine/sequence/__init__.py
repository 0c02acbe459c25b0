"""Sequences of tokens: model, cached decoding, likelihood training and policy gradients. Knows no content."""
