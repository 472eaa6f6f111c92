"""What `Tensor` inherits besides the methods that are written out."""
