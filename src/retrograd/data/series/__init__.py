"""Series of numbers over time, and the clock that names their instants."""
