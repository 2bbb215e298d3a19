"""Training packs: from configurations to published, measured trainings."""
