"""Tests of expressions: parsing, names of types, values that are asked for."""
