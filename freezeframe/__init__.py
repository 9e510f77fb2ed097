"""The command line: thin, imported by none, each command importing what it needs when it runs."""
