"""Everything that happened under one correlation id, in the order of time."""
