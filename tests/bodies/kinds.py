"""The kinds of variables: Go's types, and what makes values of them."""

GO = {
    "solo": "[1]pair", "small": "small", "view": "view", "tagged": "tagged", "int": "int", "text": "string", "item": "*item",
    "pair": "pair", "list": "[]int", "trio": "[3]int", "some": "any", "float": "float64", "bool": "bool", "short": "int32",
    "wide": "wide", "vast": "vast", "duo": "[2]pair", "map": "map[string]pair", "grid": "[2][3]int", "cplx": "complex128",
    "byte": "int8", "octet": "uint8", "huge": "uint64", "single": "float32", "nest": "nest", "crate": "box[int]",
    "namer": "namer", "join": "*pair", "raw": "[]byte", "words": "[]string", "rows": "[]pair", "tally": "map[string]int",
    "mono": "[1]int", "quad": "[4]uint8", "brief": "int16", "cell": "uint32", "state": "state", "ref": "*int",
    "fault": "error", "blame": "*fault", "bare": "struct{ X, Y int; Z string }",
}  # fmt: skip
MADE = {
    "solo": "soloed", "small": "smaller", "view": "viewed", "tagged": "tagging", "int": "next", "text": "text",
    "item": "made", "pair": "paired", "list": "listed", "trio": "three", "some": "boxed", "float": "half", "bool": "even",
    "short": "short", "wide": "widened", "vast": "extended", "duo": "twain", "map": "mapped", "grid": "gridded",
    "cplx": "rooted", "byte": "tiny", "octet": "octet", "huge": "huge", "single": "single", "nest": "nested",
    "crate": "crated", "namer": "named", "join": "joined", "raw": "bytesof", "words": "worded", "rows": "rowed",
    "tally": "tallied", "mono": "only", "quad": "quartered", "brief": "briefly", "cell": "celled", "state": "stated",
    "ref": "referred", "fault": "failing", "blame": "blamed", "bare": "bared",
}  # fmt: skip
"""What makes a value of a kind from a number."""
CHANGED = {
    "solo": "resoloed", "small": "smallest", "view": "reviewed", "tagged": "retagged", "pair": "grown", "trio": "turned",
    "wide": "broader", "vast": "vaster", "duo": "crossing", "T": "same", "grid": "regridded", "cplx": "rotated",
    "nest": "deeper", "crate": "recrated", "raw": "longer", "mono": "lonely", "quad": "rotating", "fault": "worse",
    "bare": "same",
}  # fmt: skip
"""What makes a value of a kind from another one."""
PLAIN = tuple(kind for kind in GO if kind != "int")
NUMBERS = (
    "int", "float", "bool", "short", "cplx", "byte", "octet", "huge", "single", "brief", "cell", "state",
)  # fmt: skip
"""Kinds of one word: of a copy of one no trace is left."""
APART = ("pair", "crate", "solo", "small", "view", "tagged", "bare")
"""Kinds that Go's compiler takes apart: of one that a call returns, nothing is left to say that it hides another type's
variable."""
SHORT = ("bool", "byte", "octet", "state")
"""Kinds of one byte: in an interface only the address of one of 256 numbers is needed, and that may be all that is kept."""
