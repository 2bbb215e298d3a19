"""`python -m sweeps` is `memophase`."""

from sweeps.cli import main

main()
