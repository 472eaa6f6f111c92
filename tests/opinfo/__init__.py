"""Our operations compared with PyTorch's own database of sample inputs (OpInfo)."""
