"""The kinds of variables: Go's types, and what makes values of them."""

GO = {
    "solo": "[1]pair", "small": "small", "view": "view", "tagged": "tagged",
    "int": "int", "text": "string", "item": "*item", "pair": "pair", "list": "[]int", "trio": "[3]int", "some": "any",
    "float": "float64", "bool": "bool", "short": "int32", "wide": "wide", "vast": "vast", "duo": "[2]pair",
    "map": "map[string]pair", "grid": "[2][3]int", "cplx": "complex128", "byte": "int8", "octet": "uint8", "huge": "uint64",
    "single": "float32", "nest": "nest", "crate": "box[int]", "namer": "namer", "join": "*pair",
}  # fmt: skip
MADE = {
    "solo": "soloed", "small": "smaller", "view": "viewed", "tagged": "tagging",
    "int": "next", "text": "text", "item": "made", "pair": "paired", "list": "listed", "trio": "three", "some": "boxed",
    "float": "half", "bool": "even", "short": "short", "wide": "widened", "vast": "extended", "duo": "twain", "map": "mapped",
    "grid": "gridded", "cplx": "rooted", "byte": "tiny", "octet": "octet", "huge": "huge", "single": "single",
    "nest": "nested", "crate": "crated", "namer": "named", "join": "joined",
}  # fmt: skip
"""What makes a value of a kind from a number."""
CHANGED = {
    "solo": "resoloed", "small": "smallest", "view": "reviewed", "tagged": "retagged",
    "pair": "grown", "trio": "turned", "wide": "broader", "vast": "vaster", "duo": "crossing", "T": "same",
    "grid": "regridded", "cplx": "rotated", "nest": "deeper", "crate": "recrated",
}  # fmt: skip
"""What makes a value of a kind from another one."""
PLAIN = tuple(kind for kind in GO if kind != "int")
NUMBERS = ("int", "float", "bool", "short", "cplx", "byte", "octet", "huge", "single")
"""Kinds of one word: of a copy of one no trace is left."""
APART = ("pair", "crate", "solo", "small", "view", "tagged")
"""Kinds that Go's compiler takes apart: of one that a call returns,
        nothing is left to say that it hides another type's variable."""
PARTS = (
    ("solo", "[0].A", "next"), ("small", ".A", "short"), ("small", ".C", "tiny"), ("view", ".N", "next"), ("view", ".L",
        "listed"),
    ("tagged", ".T", "text"), ("tagged", ".V", "boxed"),
    ("wide", ".C", "next"), ("wide", ".T", "text"), ("vast", ".N[1]", "next"), ("vast", ".P.A", "next"),
    ("vast", ".V", "made"), ("duo", "[1].B", "text"), ("duo", "[0].A", "next"), ("map", '["k"]', "paired"),
    ("grid", "[1][2]", "next"), ("grid", "[0]", "three"), ("nest", ".A", "next"), ("nest", ".In", "made"),
    ("nest", ".Deep.B", "text"), ("nest", ".pair", "paired"), ("crate", ".V", "next"), ("crate", ".P", "paired"),
)  # fmt: skip
"""Kinds, a part of each, and what makes a value for it."""
CONSTANTS = {
    "solo": ("[1]pair{}", '[1]pair{{1, "s"}}'), "small": ("small{}", "small{1, true, 2, 3}"), "view": ("view{}", "view{N: 3}"),
    "tagged": ("tagged{}", 'tagged{7, "seven"}', "tagged{V: 7}"),
    "int": ("5", "-3", "1<<6 - 1", "fixed"), "text": ('"lit"', '""', '"a" + "b"'), "item": ("nil", '&item{3, "c"}'),
    "pair": ("pair{}", 'pair{7, "seven"}'), "list": ("nil", "[]int{1, 2}"), "trio": ("[3]int{}", "[3]int{1, 2, 3}"),
    "some": ("nil", "7", '"any"', 'pair{3, "any"}', "short(3)"), "float": ("2.5", "fixed / 4.0"), "bool": ("true", "fixed > 3"),
    "short": ("-9",), "wide": ('wide{A: 1, S: "s"}', "wide{}"), "vast": ("vast{}",), "duo": ("[2]pair{}",),
    "map": ("nil", "map[string]pair{}"), "grid": ("[2][3]int{}", "[2][3]int{1: {2: 7}}"), "cplx": ("3i", "1 + 2i"),
    "byte": ("-128", "fixed"), "octet": ("255",), "huge": ("1<<63 + 5",), "single": ("0.25",), "nest": ("nest{}",),
    "crate": ("box[int]{}", 'box[int]{V: 4, P: pair{B: "c"}}'), "namer": ("nil", 'label("l")', 'pair{1, "p"}'),
    "join": ("nil", "&pair{}"),
}  # fmt: skip
COMPOSED = {
    "solo": ("[1]pair{$pair}", "[1]pair{{$int, $text}}"), "small": ("small{$short, $bool, $byte, 3}", "small{A: $short}"),
    "view": ("view{$list, $int}", "view{L: $list}", "view{listed($int), 3}"),
    "tagged": ("tagged{$some, $text}", "tagged{$int, $text}", "tagged{$pair, $text}", "tagged{T: $text}"),
    "pair": ("pair{$int, $text}", "pair{A: $int}", "pair{B: $text}", "pair{$int, text($int)}", "pair{$int, \"five\"}"),
    "trio": ("[3]int{$int, $int, $int}", "[3]int{1: $int}"),
    "wide": ("wide{A: $int, C: $int, S: $text}", "wide{T: $text, F: float64($int)}"),
    "item": ("&item{$int, $text}",), "list": ("[]int{$int, $int}",), "some": ("$int", "$text", "pair{$int, $text}"),
    "duo": ("[2]pair{{$int, $text}, $pair}", "[2]pair{$pair, $pair}"), "grid": ("[2][3]int{$trio, {1, 2, $int}}",),
    "nest": ("nest{pair: $pair, In: $item}", "nest{pair{$int, $text}, nil, $pair, $trio}"),
    "crate": ("box[int]{$int, $pair}", "boxed2($int, $pair)"), "join": ("&pair{$int, $text}",),
    "namer": ("namer($pair)", "namer($item)", "label($text)"),
}  # fmt: skip
"""Values that are put together of others: $kind is a variable, or a call where there is none, $same the last again."""
DERIVED = {
    "solo": ("same($solo)",), "small": ("same($small)",), "view": ("$view.rest()",), "tagged": ("$tagged.by($int)",),
    "int": ("$view.N", "len($view.L)", "int($small.A) + $int", "$solo[0].A", "$int*$int - $int", "$int<<2 | $int", "-$int",
        "$int &^ 5", "$int % 7", "int($short) + $int", "len($text)",
            "len($list)", "cap($list)", "$pair.A", "$trio[1]", "$wide.B", "int($byte)", "int($octet) - $int", "$grid[1][0]",
            "$nest.A", "$nest.Deep.A", "$nest.Arr[2]", "$crate.V", "max($int, $int)", "min($int, next($int), 9)",
            "doubled($int)", "deep($int, $int)", "$int + 1", "next($int) + 1", "next($int) * $int", "max(next($int), next($int))",
            "$int ^ int($huge>>60)", "len($map)", "$duo[1].A", "$vast.N[2]", "int($short) * int($byte)"),
    "text": ("$tagged.T", "$solo[0].B", "$pair.B", "$wide.S", "$text[min(1, len($same)):]", "$text[:len($same)/2]",
        "clipped($text)", '$text + "x"',
             '"<" + $text + ">"', "max($text, $text)", "$nest.B", "$duo[0].B", "string([]byte($text))",
        "string(rune(97 + $int&7))"),
    "list": ("$view.L", "$list[:len($same)/2]", "$list[len($same)/2:]", "$list[:len($same):len($same)]",
        "$list[:len($same):cap($same)]",
             "append([]int(nil), $list...)", "append($list, $same...)", "append($list[:len($same)/2], $int, $int)"),
    "float": ("$float*1.5 + $float", "float64($int)/4", "float64($short) - $float", "real($cplx)", "imag($cplx)",
              "max($float, 1)", "float64($single)", "-$float", "$wide.F"),
    "bool": ("$int > $int", "!$bool", "$bool && $int < $int", "$text != $text", "$bool || even($int)", "$item == nil"),
    "short": ("int32($int)", "$short * 3", "$short >> 1", "int32($byte) + $short"),
    "byte": ("int8($int)", "$byte + 1", "$byte * $byte", "int8($short)"), "octet": ("uint8($int)", "$octet ^ 0x5a",
        "uint8($byte)", "$octet - 200"),
    "huge": ("uint64($int) * 0x9e3779b97f4a7c15", "$huge >> 7", "uint64($byte)", "$huge / 3"),
    "single": ("float32($int) / 8", "$single + 0.5", "float32($float)"),
    "cplx": ("complex($float, 1)", "$cplx + complex(1, float64($int))", "-$cplx", "complex64to($cplx)"),
    "pair": ("$solo[0]", "shifted($pair)", "$duo[1]", "$nest.pair", "$nest.Deep", "$crate.P", "$vast.P", '$map["k"]',
        "same($pair)",
        "$pair.moved($int)"),
    "trio": ("$grid[1]", "$nest.Arr", "[3]int($list3)", "same($trio)"), "item": ("$nest.In", "$vast.V"),
        "duo": ("[2]pair{$duo[1], $duo[0]}",),
    "crate": ("$crate.with($int)",), "nest": ("same($nest)",), "namer": ("namer(label($text))",), "some": ("$tagged.V",
        "any($namer)",
        "any($pair)"),
    "grid": ("[2][3]int{$grid[1], $grid[0]}",),
}  # fmt: skip
"""Values that are parts of others, or reckoned from them."""
