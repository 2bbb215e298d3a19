"""Running a sweep through Ray Tune, or a single training without it."""
