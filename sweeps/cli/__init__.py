"""The command line, `memophase`: a file for each command.

What is heavy is imported by the command that needs it, when it runs.
"""

from sweeps.cli.commands import app, main

__all__ = ["app", "main"]
