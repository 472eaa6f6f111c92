"""Windows over spatial axes: convolution, pooling, interpolation."""
