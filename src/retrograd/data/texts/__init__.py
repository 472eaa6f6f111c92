"""Texts in: columns, folders and long texts; n-grams and tokens out."""
