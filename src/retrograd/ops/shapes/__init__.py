"""Axes and parts in another arrangement; nothing is computed."""
