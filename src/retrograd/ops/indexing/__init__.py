"""Reading and writing by position, by slice and by mask."""
