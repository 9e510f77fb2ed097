"""Statements that come again, and closures."""

from tests.bodies.blocks import Blocks


class Loops(Blocks):
    """Writes loops of all kinds, and functions within functions."""

    _iterates: bool
    _ranges = 0
    _stored: list[tuple[int, str]]
    """Closures that can be called, and the block that each is declared in."""

    def _loop(self) -> None:
        name, draw = self._fresh("l"), self._pick.random()
        lists = self._reach("list")
        own = [(name, "int")]
        leaves: tuple[str, ...] = ("break", "continue")
        if draw < 0.15:
            self._blocks[-1].append((name, "int"))
            self._out(f"{name} := 0")
            self._out(f"back{name}:")
            self._out("{")
            self._block(longest=3)
            self._out("}")
            self._out(f"{name}++")
            self._out(f"if {name} < 3 {{ goto back{name} }}")
            return
        if self._iterates and draw > 0.8 and not self._closure:
            self._ranges += 1
            self._closure = f"-range{self._ranges}"
            jumps, self._jumps = self._jumps, ()
            self._out(f"for {name} := range upto({self._int()}) {{")
            self._block(*own, longest=4, leaves=leaves)
            self._out("}")
            self._closure, self._jumps = "", jumps
            return
        if self._varied and self._pick.random() < 0.3:
            self._out(f"out{name}:")
            leaves = (*leaves, f"break out{name}", f"continue out{name}", *self._jumps[2:])
        if lists and draw < 0.4:
            self._out(f"for {name}, {name}v := range {self._pick.choice(lists)} {{")
            own.append((f"{name}v", "int"))
        elif self._varied and draw > 0.5:
            ways = self._ranged(name)
            line, own = self._pick.choice(ways)
            self._out(line)
        else:
            self._out(f"for {name} := 0; {name} < {self._pick.randint(2, 4)}; {name}++ {{")
        self._block(*own, longest=4, leaves=leaves)
        if any("out" in each for each in leaves[2:4]):
            self._out(f"if len(calls) == 0 {{ continue out{name} }}")  # a label has to be used
        self._out("}")

    def _ranged(self, name: str) -> list[tuple[str, list[tuple[str, str]]]]:
        """Heads of loops over texts, channels, arrays, maps and numbers, with the variables of each."""
        other, both = f"{name}v", f"for {name}, {name}v := range"
        ways = [(f"for {name} := range queued({self._int()}) {{", [(name, "int")])]
        ways += [(f"{both} mapped({self._int()}) {{", [(name, "text"), (other, "pair")])]
        for kind, elem, refers in (("text", "short", ""), ("trio", "int", ""), ("grid", "trio", "&")):
            same = self._reach(kind)
            if same:
                ways += [(f"{both} {refers}{self._pick.choice(same)} {{", [(name, "int"), (other, elem)])]
        ways += [(f"for {name} := range few({self._int()}) {{", [(name, "int")])] if self._iterates else []
        head = f"for {name}, {other} := 0, {self._int()}; {name} < 3; {name}, {other} = {name}+1, {other}*2 {{"
        return [*ways, (head, [(name, "int"), (other, "int")])]

    def _call_closure(self) -> None:
        self._closures += 1
        self._closure = f".func{self._closures}"
        called = self._pick.random() < 0.5
        jumps, self._jumps = self._jumps, ()
        self._out("func() {" if called else "run(func() {")
        self._block(longest=4, returns=0.1)
        self._out("}()" if called else "})")
        self._closure, self._jumps = "", jumps

    def _keep_closure(self) -> None:
        """A closure that is called later, when the function ends, or on another goroutine."""
        self._closures += 1
        self._closure = f".func{self._closures}"
        jumps, self._jumps = self._jumps, ()
        argument, name, draw = self._fresh("v"), self._fresh("g"), self._pick.random()
        head, tail = f"{name} := func({argument} int) {{", "}"
        if draw < 0.3:
            head, tail = f"defer func({argument} int) {{", f"}}({self._int()})"
        elif draw < 0.45:
            self._out(f"back{name} := make(chan any, 1)")
            head = f"go func({argument} int) {{ defer relay(back{name})"
            tail = f"}}({self._int()}); arrived(back{name})"
        self._out(head)
        self._block((argument, "int"), longest=4, returns=0.1)
        self._out(tail)
        self._closure, self._jumps = "", jumps
        if draw >= 0.45:
            self._call_later(name)

    def _call_later(self, name: str) -> None:
        """Has a closure called when its function's variables have changed."""
        self._had()
        for _ in range(self._pick.randint(0, 2)):
            self._assign(self._kind())
        self._stored.append((self._serials[-1], name))
        call = f"{name}({self._int()})"
        way = self._pick.choice((call, f"defer {call}", f"run(func() {{ {call} }})"))
        self._closures += way.startswith("run(")
        self._out(way)
        self._out(f"_ = {name}")
