"""Adaptive methods: each weight has a step of its own, by the gradients that it has seen."""
