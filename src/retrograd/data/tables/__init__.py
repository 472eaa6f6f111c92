"""Tables: a file's rows, the kinds of its columns, and the numbers a network takes."""
