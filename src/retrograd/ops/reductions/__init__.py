"""Axes folded away, running folds along one axis, and order."""
