"""Where a value that is not finite comes from."""
