"""Specs: what to collect and how to show it, read from YAML and judged as far as the spec alone allows. Pure."""

from compiler.spec.checks import check_times
from compiler.spec.errors import SpecError
from compiler.spec.model import Collect, DerivedTable, Extra, FunctionSpec, Link, ProgramRule, Spec, TypeSpec, spec_hash
from compiler.spec.reader import read_spec

__all__ = [
    "Collect",
    "DerivedTable",
    "Extra",
    "FunctionSpec",
    "Link",
    "ProgramRule",
    "Spec",
    "SpecError",
    "TypeSpec",
    "check_times",
    "read_spec",
    "spec_hash",
]
