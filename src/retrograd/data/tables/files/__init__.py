"""Readers of table files, one for each format; `retrograd.data.tables.read` picks among them."""
