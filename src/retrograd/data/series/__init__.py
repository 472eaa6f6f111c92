"""Series of numbers over time, and the clock that labels their steps."""
