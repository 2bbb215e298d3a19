"""Noise processes: how strings are noised, what is learned, and the way back from noise."""
