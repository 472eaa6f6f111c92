"""Operands and attributes for each operation, by family."""
