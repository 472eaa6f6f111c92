"""Texts: their options, their data, their model, and its explanations."""
