"""Signals: their options, their data, and their model."""
