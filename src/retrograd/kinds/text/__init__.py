"""What is this kind's alone: its options, its data, its model and how it explains itself."""
