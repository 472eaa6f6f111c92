"""Networks that continue a series of numbers or of characters."""
