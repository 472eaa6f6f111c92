"""The kinds of run, one folder each: how data enters a network, and what its outputs mean."""
