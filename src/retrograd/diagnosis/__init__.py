"""Record a run, find what is wrong with it, and try remedies."""
