"""What trainings can be: their settings by name, the axes of a sweep, and the cells on them."""
