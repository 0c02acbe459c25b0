"""Pipelines of the `diffusers` library as flows: their time and predictions, LoRA weights, and a policy."""
