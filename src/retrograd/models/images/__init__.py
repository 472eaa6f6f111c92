"""Networks for images, and how images are changed in training."""
