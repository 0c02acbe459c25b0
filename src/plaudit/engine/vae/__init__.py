"""Variational autoencoders: an encoder that says where an item lies among the latents, and a generator."""
