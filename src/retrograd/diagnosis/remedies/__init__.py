"""Remedies mend: changes that are tried beside the original."""
