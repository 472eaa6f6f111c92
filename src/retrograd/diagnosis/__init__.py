"""The instruments of a run, what they find wrong, and what mends it."""
