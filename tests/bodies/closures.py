"""Functions within functions."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.bodies.loops import Loops
from tests.bodies.scope import Asked


class Closures(Loops):
    """Writes closures that are called at once, later, when the function ends, or on another goroutine."""

    _keep: float
    _waited = False
    _ranges = 0
    _there: dict[str, str]
    """The variables in reach of the wait, by what tells them from namesakes."""
    _stored: list[tuple[int, str]]
    """Closures that can be called, and the block that each is declared in."""
    _around: list[Asked]
    """What is asked of the frame that called the closure that waits."""
    _returns = False
    """Whether the wait comes when the function returns."""
    _within: dict[str, int]
    """How many closures there are so far, by the closure around them."""
    _nests = False
    """Whether closures in the one that is being written have names that tell so: it is never inlined."""

    def _may_enclose(self) -> bool:
        return not self._closure or (self._nests and self._varied and self._closure.count(".") == 1)

    def _count_closure(self) -> str:
        """The name of the next closure."""
        number = self._within[self._closure] = self._within.get(self._closure, 0) + 1
        return f"{self._closure}.{'func' * (not self._closure)}{number}"

    @contextmanager
    def _enclosed(self, name: str = "", *, nests: bool = False, gives: bool = False) -> Iterator[None]:
        """What is written within is of a closure."""
        before = self._closure, self._jumps, self._nests, self._gives
        self._closure, self._jumps, self._nests, self._gives = name or self._count_closure(), (), nests, gives
        yield
        self._closure, self._jumps, self._nests, self._gives = before

    @contextmanager
    def _calls_now(self) -> Iterator[None]:
        """What is written within is a call of a closure, during which this frame stands here."""
        waited = self._waited
        yield
        if self._waited and not waited and not self._around:
            self._around.append(self._asks(self._closure, self._keep, self._there))

    def _range_over_function(self, name: str) -> None:
        self._ranges += 1
        with self._calls_now():
            with self._enclosed(f"-range{self._ranges}"):
                self._out(f"for {name} := range upto({self._int()}) {{")
                self._block((name, "int"), longest=4, leaves=("break", "continue"))
            self._out("}")

    def _call_closure(self) -> None:
        draw = self._pick.random()
        if self._varied and draw < 0.2:
            self._rescue()
        elif self._varied and draw < 0.4 and self._assigned("int") and self._assigned("text"):
            self._take_from_closure()
        else:
            called = draw < 0.7
            with self._calls_now():
                with self._enclosed(nests=not called):
                    self._out("func() {" if called else "run(func() {")
                    self._block(longest=4, returns=0.1)
                self._out("}()" if called else "})")

    def _take_from_closure(self) -> None:
        """A closure that returns something."""
        targets = self._assigned("int"), self._assigned("text")
        self._loose |= {self._told_apart(name) for name in targets if name}
        self._copied |= {self._told_apart(name) for name in targets if name}
        argument = self._fresh("v")
        with self._calls_now():
            with self._enclosed(gives=True):
                self._out(f"{targets[0]}, {targets[1]} = func({argument} int) (int, string) {{ {{")
                self._block((argument, "int"), longest=3, returns=0.3)
                self._out(f"}}; {self._return()}")
            self._out(f"}}({self._int()})")

    def _rescue(self) -> None:
        """A closure that panics, and recovers in one that is deferred."""
        found, pick = self._fresh("v"), self._pick
        with self._calls_now():
            with self._enclosed(nests=True):
                self._out("func() {")
                with self._enclosed(nests=True):
                    self._out("defer func() {")
                    self._out(f"{found} := recover()")
                    self._block((found, "some"), longest=3)
                    self._out("}()")
                self._out("{")
                self._block(longest=2)
                self._out("}")
                lists, item = self._reach("list"), self._assigned("item")
                ends = [f"panic({self._given_for(pick.choice(('int', 'text', 'pair')))})"]
                ends += [f"use({lists[0]}[len({lists[0]})])"] if lists else []
                ends += [f"if {item} = nil; even(2) {{ use({item}.N) }}"] if item else []
                self._loose |= {self._told_apart(item)} if item else set()
                self._out(pick.choice(ends))
            self._out("}()")

    def _keep_closure(self) -> None:
        """A closure that is called later, when the function ends, or on another goroutine."""
        argument, name, draw = self._fresh("v"), self._fresh("g"), self._pick.random()
        head, tail = f"{name} := func({argument} int) {{", "}"
        if draw < 0.3:
            head, tail = f"defer func({argument} int) {{", f"}}({self._int()})"
        elif draw < 0.45:
            self._out(f"back{name} := make(chan any, 1)")
            head = f"go func({argument} int) {{ defer relay(back{name})"
            tail = f"}}({self._int()})\narrived(back{name})"
        elif draw < 0.6:
            self._gather(name)
            return
        waited = self._waited
        with self._enclosed(nests=draw < 0.45):
            self._out(head)
            self._block((argument, "int"), longest=4, returns=0.1)
        self._out(tail)
        if draw < 0.45 and self._waited and not waited and not self._around:
            if draw >= 0.3:
                self._around.append(self._asks(self._closure, self._keep, self._there))
            elif not self._closure:
                self._returns = True
        if draw >= 0.45:
            self._call_later(name)

    def _gather(self, name: str) -> None:
        """Closures of all turns of a loop, called behind it."""
        turn, argument = self._fresh("l"), self._fresh("v")
        self._out(f"var {name} []func(int)")
        self._out(f"for {turn} := 0; {turn} < 3; {turn}++ {{")
        self._blocks.append([(turn, "int")])
        self._begun += 1
        self._serials.append(self._begun)
        for _ in range(self._pick.randint(0, 2)):
            self._declare(self._kind())
        with self._enclosed():
            self._out(f"{name} = append({name}, func({argument} int) {{")
            self._block((argument, "int"), longest=3, returns=0.1)
        self._out("})")
        self._blocks.pop()
        self._serials.pop()
        self._out("}")
        self._out(f"for _, {name} := range {name} {{ {name}({self._int()}) }}")

    def _call_later(self, name: str) -> None:
        """Has a closure called when its function's variables have changed."""
        self._had()
        for _ in range(self._pick.randint(0, 2)):
            self._assign(self._kind())
        self._stored.append((self._serials[-1], name))
        call = f"{name}({self._int()})"
        way = self._pick.choice((call, f"defer {call}", f"run(func() {{ {call} }})"))
        if way.startswith("run("):
            self._count_closure()
        self._out(way)
        self._out(f"_ = {name}")
