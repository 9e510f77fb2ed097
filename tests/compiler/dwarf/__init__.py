"""Tests of the debug-info reader, on real binaries."""
