"""SQL from people in, SQL that SQLite may run out: checked, and rewritten by splicing. Pure: opens no database."""
