"""Damaged executables: made of real ones, and compiled with their time and memory bounded."""
