"""Each output element depends on one element of each operand; operands broadcast."""
