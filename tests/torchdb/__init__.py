"""Our layers, losses and optimizers on the cases with which PyTorch tests its own."""
