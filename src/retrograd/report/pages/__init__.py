"""Whole pages: a run, a live run, the walkthrough of one row."""
