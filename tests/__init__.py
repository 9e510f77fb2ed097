"""Tests on real programs, real SQLite and real eBPF; mirrors the packages."""
