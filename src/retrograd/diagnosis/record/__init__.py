"""What a training run leaves for the diagnosis: a record of each step and epoch."""
