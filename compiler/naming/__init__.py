"""Functions by the names that people write: patterns, generic shapes, what is near a misspelt one."""
