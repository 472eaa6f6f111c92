"""What several test files stand on: data, fixtures, oracles."""
