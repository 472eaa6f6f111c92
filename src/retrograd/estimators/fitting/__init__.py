"""From weighted rows to a trained network: one `Fit`, on programs that fits of one size share."""
