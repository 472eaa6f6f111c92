"""Checks judge: from a record, a model and its data to findings."""
