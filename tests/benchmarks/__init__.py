"""Benchmarks are instruments: what they measure is checked."""
