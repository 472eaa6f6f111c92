"""`python -m retrograd`: the command, where its script is not on the path."""

from retrograd.cli import main

main()
