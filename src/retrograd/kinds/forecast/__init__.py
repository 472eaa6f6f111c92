"""A series to forecast: its options, its data, and its model."""
