"""Attention, positions and transformers."""
