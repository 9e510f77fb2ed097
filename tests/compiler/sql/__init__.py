"""SQL: rewritten, refused, and executed on real SQLite."""
