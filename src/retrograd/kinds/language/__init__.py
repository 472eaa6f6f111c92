"""Language models: their options, their data, and their model."""
