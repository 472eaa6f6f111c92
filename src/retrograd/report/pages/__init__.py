"""Whole pages: a run, a live run, one row's walk through the network."""
