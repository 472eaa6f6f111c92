"""Layers with and without parameters, each beside its function."""
