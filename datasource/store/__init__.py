"""One SQLite file a snapshot: writing it whole or not at all, deriving its tables, reading it safely. Home of sqlite-utils."""
