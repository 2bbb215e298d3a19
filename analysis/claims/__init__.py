"""The claims: each a statement, its source, and a test of it on the tables of a sweep."""
