"""Networks for signals."""
