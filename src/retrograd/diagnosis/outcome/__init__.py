"""How well a model answers, beside simple models of the same rows, and after a rehearsal."""
