"""Which cells are trained next: searches, one a file, behind one small interface."""
