"""Statements that have blocks: branches and switches."""

from tests.bodies.calls import Calls
from tests.bodies.kinds import GO

HELD = {
    "some": ("int", "text", "item", "pair", "short"),
    "fault": ("blame", "oops"),
    "namer": ("pair", "item", "label"),
}
"""What interfaces hold."""
LOOKS = (
    ("some", "if {0}, ok := {1}.(int); ok {{", "int"), ("some", "if {0}, ok := {1}.(pair); ok {{", "pair"),
    ("some", "if {0}, ok := {1}.(string); ok {{", "text"), ("map", "if {0}, ok := {1}[text({2})]; !ok {{", "pair"),
    ("map", 'if {0} := {1}["k"]; true {{', "pair"), ("namer", "if {0}, ok := {1}.(pair); ok {{", "pair"),
    ("namer", "if {0} := {1}; {0} != nil {{ use({0}.Name())", "namer"), ("item", "if {0} := {1}; {0} != nil {{", "item"),
    ("tally", 'if {0}, ok := {1}["k"]; ok {{', "int"), ("fault", "if {0} := {1}; {0} != nil {{ use({0}.Error())", "fault"),
    ("fault", "if {0}, ok := {1}.(*fault); ok {{", "blame"), ("", "if {0} := failing({2}); {0} != nil {{", "fault"),
    ("fault", "var {0} *fault; \nif as({1}, &{0}) {{", "blame"), ("", "if {0}, err := tried({2}); err != nil {{", "int"),
    ("rows", "if {0}, ok := last({1}); ok {{", "pair"), ("text", "if {0} := len({1}); {0} > 2 {{", "int"),
    ("list", "if {0} := {1}[:len({1})/2]; len({0}) > 0 {{", "list"), ("ref", "if {0} := {1}; {0} != nil {{", "ref"),
)  # fmt: skip
"""Kinds, heads of blocks by {0} a new variable, {1} one of the kind and {2} a number, and the kind of the new one."""


class Blocks(Calls):
    """Writes statements one in another."""

    _returned: list[str]
    _jumps: tuple[str, ...] = ()
    """The ways out of the loops around."""
    _gives = False
    """Whether the closure that is being written returns a number and a text."""

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
        values = [(kind, name) for kind in HELD for name in self._reach(kind)]
        if values and self._pick.random() < 0.3:
            self._switch(*self._pick.choice(values))
            return
        self._out(f"if {self._condition()} {{")
        self._block(longest=3, returns=0.35)
        if self._pick.random() < 0.3:
            self._out("} else {")
            self._block(longest=2)
        self._out("}")

    def _switch(self, kind: str, value: str) -> None:
        """By what an interface holds."""
        name = self._fresh("w")
        self._out(f"switch {name} := {value}.(type) {{")
        held = HELD[kind][: None if self._varied else 3]
        if self._varied and self._pick.random() < 0.3:  # some in one case, where it is the interface still
            several, held = held[:2], held[2:]
            self._out(f"case {', '.join(GO.get(each, each) for each in several)}:")
            self._block((name, kind), longest=2)
        for each in held:
            self._out(f"case {GO.get(each, each)}:")
            self._block((name, each), longest=2, returns=0.2)
        if self._varied and self._pick.random() < 0.3:
            self._out("default:")
            self._block((name, kind), longest=2)
        self._out("}")

    def _choose(self) -> None:
        """A switch by a number or by conditions, which may fall through."""
        pick, name = self._pick, self._fresh("v")
        ways: tuple[tuple[str, list[str]], ...] = (
            (f"switch {self._int()} & 3 {{", ["case 0:", "case 1, 2:", "default:"]),
            ("switch {", [f"case {self._condition()}:", f"case {self._condition()}:", "default:"]),
            (f"switch {name} := next({self._int()}); {{", [f"case {name} > 6:", "default:", f"case even({name}):"]),
        )
        line, cases = pick.choice(ways)
        self._out(line)
        own = [(name, "int")] if name in line else []
        for at, case in enumerate(cases):
            self._out(case)
            self._block(*own, longest=2, returns=0.1)
            if at < len(cases) - 1 and pick.random() < 0.3:
                self._out("fallthrough")
        self._out("}")

    def _select(self) -> None:
        """One of several channels is ready."""
        name, pick = self._fresh("v"), self._pick
        number = self._assigned("int")
        ready = [
            (f"case {name} := <-filled({self._int()}):", "int"),
            (f"case {name} := <-paths({self._int()}):", "pair"),
        ]
        ready += [(f"case {name}, _ := <-queued({self._int()}):", "int"), (f"case sink(1) <- {self._int()}:", "")]
        ready += [(f"case {number} = <-filled({self._int()}):", "")] if number else []
        never = [
            ("case <-never:", ""),
            (f"case {name} := <-empty:", "pair"),
            (f"case empty <- {self._given_for('pair')}:", ""),
        ]
        cases = [
            pick.choice(ready),
            *pick.sample(never, pick.randint(1, 2)),
            *[("default:", "")] * (pick.random() < 0.3),
        ]
        pick.shuffle(cases)
        self._out("select {")
        for line, kind in cases:
            self._out(line)
            self._block(*[(name, kind)] * bool(kind), longest=2)
        self._out("}")

    def _look(self) -> None:
        """A block whose variables come out of an interface, a map or a pointer."""
        name, number = self._fresh("v"), self._int()
        ways: list[tuple[str, str]] = []
        for kind, form, declared in LOOKS:
            reach = self._reach(kind) if kind else [""]
            ways += [(form.format(name, self._pick.choice(reach), number), declared)] if reach else []
        if ways:
            form, kind = self._pick.choice(ways)
            for line in form.split("; \n"):
                self._out(line)
            self._block((name, kind), longest=3, loose=True)
            self._out("}")

    def _return(self) -> str:
        if self._closure.startswith(".func"):
            return f"return {self._given_for('int')}, {self._given_for('text')}" if self._gives else "return"
        second = self._reach(self._returned[1])
        return f"return {self._int()}, {self._pick.choice(second) if second else self._value(self._returned[1])}, err"
