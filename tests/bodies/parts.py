"""Parts of variables, and what changes them."""

PARTS = (
    ("pair", "{0}.A", "next"), ("pair", "{0}.B", "text"), ("trio", "{0}[0]", "next"), ("trio", "{0}[2]", "next"),
    ("item", "{0}.N", "next"), ("solo", "{0}[0].A", "next"), ("small", "{0}.A", "short"), ("small", "{0}.C", "tiny"),
    ("view", "{0}.N", "next"), ("view", "{0}.L", "listed"), ("tagged", "{0}.T", "text"), ("tagged", "{0}.V", "boxed"),
    ("wide", "{0}.C", "next"), ("wide", "{0}.T", "text"), ("vast", "{0}.N[1]", "next"), ("vast", "{0}.P.A", "next"),
    ("vast", "{0}.V", "made"), ("duo", "{0}[1].B", "text"), ("duo", "{0}[0].A", "next"), ("map", '{0}["k"]', "paired"),
    ("grid", "{0}[1][2]", "next"), ("grid", "{0}[0]", "three"), ("nest", "{0}.A", "next"), ("nest", "{0}.In", "made"),
    ("nest", "{0}.Deep.B", "text"), ("nest", "{0}.pair", "paired"), ("crate", "{0}.V", "next"), ("crate", "{0}.P", "paired"),
    ("words", "{0}[0]", "text"), ("rows", "{0}[0].A", "next"), ("rows", "{0}[len({0})-1]", "paired"),
    ("raw", "{0}[0]", "letter"), ("tally", '{0}["k"]', "next"), ("tally", "{0}[text({1})]", "next"),
    ("mono", "{0}[0]", "next"), ("quad", "{0}[1]", "octet"), ("ref", "*{0}", "next"), ("blame", "{0}.Code", "next"),
    ("bare", "{0}.X", "next"), ("bare", "{0}.Z", "text"),
)  # fmt: skip
"""Kinds, a part of each by {0} the variable and {1} a number, and what makes a value for it."""
GUARDS = {
    "item": "{0} != nil", "map": "{0} != nil", "tally": "{0} != nil", "ref": "{0} != nil", "blame": "{0} != nil",
    "words": "len({0}) > 0", "rows": "len({0}) > 0", "raw": "len({0}) > 0",
}  # fmt: skip
"""What has to be so before a kind has parts."""
STEPPED = {
    "next": ("{0}++", "{0} += {1}", "{0} -= next({1})", "{0} ^= {1}", "{0} = {0}*3 + {1}"), "text": ("{0} += text({1})",),
    "short": ("{0}--", "{0} -= short({1})"), "octet": ("{0} <<= 1",),
}  # fmt: skip
"""By what makes a value of a part, other ways to change one."""
