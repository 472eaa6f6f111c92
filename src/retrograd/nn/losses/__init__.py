"""Losses, each as a function and as a module side by side."""
