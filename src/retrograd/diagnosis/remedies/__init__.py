"""Remedies: changes that are tried and compared with the original."""
