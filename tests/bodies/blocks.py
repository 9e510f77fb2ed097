"""Statements that have blocks: branches and switches."""

from tests.bodies.changes import Changes
from tests.bodies.kinds import GO


class Blocks(Changes):
    """Writes statements one in another."""

    _returned: list[str]
    _jumps: tuple[str, ...] = ()
    """The ways out of the loops around."""

    def _statement(self) -> None:
        """Writes one, of whatever kind."""
        raise NotImplementedError

    def _condition(self) -> str:
        items = [f"{name} == nil" for name in self._reach("item")]
        looping = any(name[0] == "l" for name in self._reach())
        known = [] if looping else ["err != nil", "err == nil"]  # a loop that never comes round is none in the code
        found = [f"even({self._int()})", f"{self._int()} > 5", *known, *items]
        return self._pick.choice(found)

    def _block(
        self,
        *declared: tuple[str, str],
        longest: int,
        returns: float = 0.0,
        leaves: tuple[str, ...] = (),
        loose: bool = False,
    ) -> None:
        """Statements of a block that has variables of its own; `leaves`: statements that leave it."""
        jumps = self._jumps
        self._jumps = leaves or jumps
        self._blocks.append(list(declared))
        self._begun += 1
        self._serials.append(self._begun)
        for name, _ in declared:
            self._out(f"_ = {name}")
        self._loose |= {self._told_apart(name) for name, _ in declared if loose}
        self._had()
        for _ in range(self._pick.randint(1, longest)):
            self._statement()
        if self._pick.random() < returns:
            self._out(self._return())
        if self._jumps and (leaves or self._varied) and self._pick.random() < 0.2:
            self._out(f"if {self._condition()} {{ {self._pick.choice(self._jumps)} }}")
        self._blocks.pop()
        self._serials.pop()
        self._jumps = jumps

    def _branch(self) -> None:
        values = self._reach("some")
        if values and self._pick.random() < 0.3:
            self._switch(self._pick.choice(values))
            return
        self._out(f"if {self._condition()} {{")
        self._block(longest=3, returns=0.35)
        if self._pick.random() < 0.3:
            self._out("} else {")
            self._block(longest=2)
        self._out("}")

    def _switch(self, value: str) -> None:
        """By what an interface holds."""
        name = self._fresh("w")
        self._out(f"switch {name} := {value}.(type) {{")
        for kind in ("int", "text", "item", *(("pair", "short") if self._varied else ())):
            self._out(f"case {GO[kind]}:")
            self._block((name, kind), longest=2, returns=0.2)
        self._out("}")

    def _choose(self) -> None:
        """A switch by a number, which may fall through."""
        pick = self._pick
        self._out(f"switch {self._int()} & 3 {{")
        cases = ["case 0:", "case 1, 2:", "default:"]
        for at, case in enumerate(cases):
            self._out(case)
            self._block(longest=2, returns=0.1)
            if at < len(cases) - 1 and pick.random() < 0.3:
                self._out("fallthrough")
        self._out("}")

    def _look(self) -> None:
        """A block whose variables come out of an interface, a map or a pointer."""
        some, maps, items, namers = (self._reach(kind) for kind in ("some", "map", "item", "namer"))
        name, pick = self._fresh("v"), self._pick
        kind = pick.choice(("int", "pair", "text"))
        ways = [(f"if {name}, ok := {pick.choice(some)}.({GO[kind]}); ok {{", kind)] if some else []
        if maps:
            ways += [(f"if {name}, ok := {pick.choice(maps)}[text({self._int()})]; !ok {{", "pair")]
            ways += [(f'if {name} := {pick.choice(maps)}["k"]; true {{', "pair")]
        if namers:
            ways += [(f"if {name}, ok := {pick.choice(namers)}.(pair); ok {{", "pair")]
            ways += [(f"if {name} := {pick.choice(namers)}; {name} != nil {{ use({name}.Name())", "namer")]
        ways += [(f"if {name} := {pick.choice(items)}; {name} != nil {{", "item")] if items else []
        if ways:
            line, kind = pick.choice(ways)
            self._out(line)
            self._block((name, kind), longest=3, loose=True)
            self._out("}")

    def _return(self) -> str:
        if self._closure.startswith(".func"):
            return "return"
        second = self._reach(self._returned[1])
        return f"return {self._int()}, {self._pick.choice(second) if second else self._value(self._returned[1])}, err"
