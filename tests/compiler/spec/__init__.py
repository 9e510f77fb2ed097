"""Specs: good ones, malformed ones, and any text at all."""
