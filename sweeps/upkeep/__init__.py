"""What keeps results in order: joining folders, dropping what is not needed, looking for faults."""
