"""Measurements of speed and memory, beside other tools, on real programs. Nothing here is part of what is installed."""
