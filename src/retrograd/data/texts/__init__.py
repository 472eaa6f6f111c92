"""N-grams and tokens from columns, folders and long texts."""
