"""Drawing strings from a grammar, independently or without replacement."""
