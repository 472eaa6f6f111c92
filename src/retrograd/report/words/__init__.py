"""Sentences and figures."""
