"""Statements that call, as forms: @kind is a variable that is assigned to, #kind one that is declared, $kind a value;
@same and $same are the last again."""

SEVERAL = (
    "@item, @int, err = found($int)", "_, @int, err = found($int)", "@item, _, _ = found($int)", "@text, @int = both($int, $text)",
    "@text, _ = both($int, $text)", "@pair, @pair = parted($int)", "_, @pair = parted($int)", "@int, @fault = tried($int)",
    "@int, _ = tried($int)", "@pair, @int = rest($pair, $pair, $pair)", "#text, #int := both($int, $text)",
    "#int, #fault := tried($int)", "#int, err := tried($int)", "_, #pair := parted($int)", "#item, _, err := found($int)",
)  # fmt: skip
"""What returns several values."""
INLINED = (
    "@int, @int = twofold($int, $int)", "@text, @fault = checked($int)", "@pair, @bool = last($rows)",
    "@list, @list = halves($list)", "_, @words = halves($words)", "@int, @text, @fault = divided($pair)",
    "_, @text, _ = divided($pair)",
    "#int, #int := twofold($int, $int)", "#text, #fault := checked($int)", "#int, #text, err := divided($pair)",
    "#rows, _ := halves($rows)", "_, #list := halves($list)", "#pair, #bool := last($rows)",
)  # fmt: skip
"""The same by functions that are inlined, so that what they return may leave no trace."""
TOUCHES = (
    "bump(&@int)", "select { case @int = <-filled($int): default: }", "@pair.touch()", "run(@pair.touch)", "touched(&@pair)",
    "clear(@map)", "@text += text($int)", "defer use($any)", "defer @pair.touch()", "defer @pair.add($int)", "defer bump(&@int)",
    "for range [2]int{} { defer @pair.touch() }", "for range [2]int{} { @text += text($int) }",
    "(*pair).add(&@pair, $int)", "@text = pair.told($pair, $int)", "select { case @int = <-sure($int): case @same = <-sure(3): }",
    "select { case @pair = <-paths($int): case <-never: }", "select { case sink(1) <- $int: default: use($int) }", "clear(@tally)",
)  # fmt: skip
"""What changes a variable behind a pointer, by a method value, when the function ends, or by way of a channel."""
LOOSE_TOUCHES = (
    "@nest.touch()", "run(@nest.touch)", "touched(&@nest.Deep)", "copy(@list, $list)", "if $join != nil { $same.touch() }",
    "@crate.put($int)", "leak(&$any)", "~join = &@pair", 'delete(@map, "k")', 'delete(@tally, "k")', "~ref = &@int",
    "if $ref != nil { bump($same) }", "copy(@raw, $text)", "if $ref != nil { *$same += $int }", "defer (*pair).touch(&@pair)",
    "if $fault != nil { use($same.Error()) }", "clear(@words)", "~ref = &@pair.A", "~ref = &@mono[0]",
    "if $blame != nil { $same.Code += $int }", "@text = @same + @same",
)  # fmt: skip
"""The same where bodies are various; what is at ~ is assigned what leaves no trace."""
METHODS = (
    ("@pair.add", "{0}($int)"), ("(*pair).add", "{0}(&@pair, $int)"), ("$pair.told", "@text = {0}($int)"), ("bump", "{0}(&@int)"),
    ("pair.told", "@text = {0}($pair, $int)"), ("$pair.moved", "~pair = {0}($int)"), ("view.rest", "~view = {0}($view)"),
    ("same[pair]", "@pair = {0}($pair)"), ("(*box[int]).put", "{0}(&@crate, $int)"), ("namer.Name", "use({0}(label($text)))"),
)  # fmt: skip
"""Functions that are kept in a variable, and calls of them."""
