"""Models: the networks of a pack, and the plain references that they are held against."""
