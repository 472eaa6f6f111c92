"""Our operations held against PyTorch's own database of sample inputs (OpInfo)."""
