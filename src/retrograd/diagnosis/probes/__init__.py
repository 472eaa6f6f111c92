"""Probes measure: numbers of layers, steps and epochs, and no judgment."""
