"""Sweeps of trainings: their files, their packing, Ray Tune and the command line."""
