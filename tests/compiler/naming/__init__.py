"""Tests of functions by the names that people write."""
