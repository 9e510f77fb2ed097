"""What an expression is made of: a variable, and the operations on it, first to last."""

from compiler.ir.frozen import frozen
from compiler.ir.program import Literal


@frozen
class FieldOf:
    """`.name`; looks through pointers, and into what an interface holds."""

    name: str


@frozen
class PointedTo:
    """`*`."""


@frozen
class IndexOf:
    """`[key]`: an element of an array, slice or string, or a map's value."""

    key: Literal


@frozen
class SliceOf:
    """`[lo:hi]`; `hi` is None in `[lo:]`."""

    lo: int
    hi: int | None


@frozen
class CountOf:
    """`len(...)`, or `cap(...)` with `capacity`."""

    capacity: bool


@frozen
class Asserted:
    """`.(type)`; the type as Go's engineers write it, perhaps with a package's whole path."""

    type: str


@frozen
class ContextKey:
    """`.Value(...)` of a context: by a key (of the type `type`, if that is given), or by a type alone."""

    type: str | None
    key: Literal | None


@frozen
class AddressIn:
    """`.__addr`: the address that a pointer, map, channel, func, slice, string or interface holds."""


Operation = FieldOf | PointedTo | IndexOf | SliceOf | CountOf | Asserted | ContextKey | AddressIn


@frozen
class Expression:
    """A variable and what is done to it, first to last."""

    text: str
    root: str
    operations: tuple[Operation, ...]
