"""Tests of the data source, over real HTTP with a real agent and real SQLite."""
