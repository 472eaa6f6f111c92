"""Methods that look at whole matrices, whole steps or the loss itself."""
