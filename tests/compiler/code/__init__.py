"""Tests of the readers of machine code and of Go's own tables, on real binaries."""
