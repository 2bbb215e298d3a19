"""What makes a step fast: products, GELU, Adam, memory, compilation."""
