"""The report of a sweep: what it finds, its figures, its page."""
