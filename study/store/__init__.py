"""The results on disk: one door, one commit point per training, and the tables' schemas."""
