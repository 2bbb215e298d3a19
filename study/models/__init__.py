"""Models: the kinds of networks that a pack trains, and the plain reference of the fast one."""
