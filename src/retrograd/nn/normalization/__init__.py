"""Normalization over the batch, over an example, over neighboring channels."""
