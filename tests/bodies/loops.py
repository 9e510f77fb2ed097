"""Statements that come again."""

from tests.bodies.blocks import Blocks

RANGED = (
    ("text", "short", ""), ("trio", "int", ""), ("grid", "trio", "&"), ("rows", "pair", ""), ("words", "text", ""),
    ("raw", "octet", ""), ("duo", "pair", ""), ("duo", "pair", "&"), ("quad", "octet", ""),
)  # fmt: skip
"""Kinds that loops range over, of what, and by which operator."""


class Loops(Blocks):
    """Writes loops of all kinds."""

    _language: tuple[int, ...]
    """The version of Go, such as (1, 23)."""

    def _loop(self) -> None:
        name, draw = self._fresh("l"), self._pick.random()
        lists = self._reach("list")
        own = [(name, "int")]
        if draw < 0.15:
            self._go_back(name)
            return
        if self._language >= (1, 23) and draw > 0.8 and not self._closure:
            self._range_over_function(name)
            return
        leaves: tuple[str, ...] = ("break", "continue")
        labelled = self._varied and self._pick.random() < 0.3
        if labelled:
            self._out(f"out{name}:")
            leaves = (*leaves, f"break out{name}", f"continue out{name}", f"goto end{name}", *self._jumps[2:])
        if lists and draw < 0.4:
            self._out(f"for {name}, {name}v := range {self._pick.choice(lists)} {{")
            own.append((f"{name}v", "int"))
        elif self._varied and draw > 0.5:
            line, own = self._pick.choice(self._ranged(name))
            self._out(line)
        else:
            self._out(f"for {name} := 0; {name} < {self._pick.randint(2, 4)}; {name}++ {{")
        self._block(*own, longest=4, leaves=leaves)
        if labelled:  # a label has to be used
            self._out(f"if len(calls) == 0 {{ continue out{name} }}")
            self._out(f"if len(calls) == 0 {{ goto end{name} }}")
        self._out("}")
        if labelled:
            self._out(f"end{name}: _ = calls")

    def _go_back(self, name: str) -> None:
        """A loop by goto."""
        self._blocks[-1].append((name, "int"))
        self._out(f"{name} := 0")
        self._out(f"back{name}:")
        self._out("{")
        self._block(longest=3)
        self._out("}")
        self._out(f"{name}++")
        self._out(f"if {name} < 3 {{ goto back{name} }}")

    def _range_over_function(self, name: str) -> None:
        raise NotImplementedError

    def _ranged(self, name: str) -> list[tuple[str, list[tuple[str, str]]]]:
        """Heads of loops over texts, channels, arrays, maps and numbers, with the variables of each."""
        other, both = f"{name}v", f"for {name}, {name}v := range"
        ways = [(f"for {name} := range queued({self._int()}) {{", [(name, "int")])]
        ways += [(f"{both} mapped({self._int()}) {{", [(name, "text"), (other, "pair")])]
        for kind, elem, refers in RANGED:
            same = self._reach(kind)
            if same:
                ways += [(f"{both} {refers}{self._pick.choice(same)} {{", [(name, "int"), (other, elem)])]
        if self._language >= (1, 22):
            ways += [(f"for {name} := range {many} {{", [(name, "int")]) for many in (f"few({self._int()})", "3")]
        heads = (
            f"for {name} := 3; {name} > 0; {name}-- {{",
            f"for {name} := 0; {name} < 3 && {self._condition()}; {name}++ {{",
            f"for {name} := 1; {name} < len({self._given_for('text')})%5; {name} += 2 {{",
        )
        ways += [(head, [(name, "int")]) for head in heads]
        head = f"for {name}, {other} := 0, {self._int()}; {name} < 3; {name}, {other} = {name}+1, {other}*2 {{"
        return [*ways, (head, [(name, "int"), (other, "int")])]
