"""From the results of a sweep to tidy frames."""
