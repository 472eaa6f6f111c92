"""What a layer computes in one operation: attention, normalization, recurrent cells along time."""
