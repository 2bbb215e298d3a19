"""What a sweep takes: packs, operations, memory, hours."""
