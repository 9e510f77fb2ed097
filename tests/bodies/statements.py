"""Which statements a body has, and where it waits."""

from tests.bodies.closures import Closures
from tests.bodies.kinds import PLAIN
from tests.bodies.scope import Asked


class Statements(Closures):
    """Writes statements of all kinds, and the wait somewhere among them."""

    _again: tuple[str, ...] = ()
    """The kinds of its parameters where it may call itself."""
    _found: Asked
    """What is asked of the frame that waits."""

    def _statement(self) -> None:
        depth = len(self._blocks) - 1
        if self._varied and self._pick.random() < 0.3:
            self._various(depth)
        else:
            self._usual(depth)
        if depth or not self._waited or self._found.closure:  # else the wait does not come again
            self._had()
        if not self._waited and self._pick.random() < (0.12 if depth else 0.18):
            self._wait()

    def _usual(self, depth: int) -> None:
        draw = self._pick.random()
        if draw < 0.2:
            self._declare(self._kind())
        elif draw < 0.4:
            self._assign(self._pick.choice(("int", "int", *PLAIN, "T")))
        elif draw < 0.5:
            self._assign_part()
        elif draw < 0.58:
            self._assign_several()
        elif draw < 0.63:
            self._out(f"use({self._pick.choice(self._reach())})")
        elif draw < 0.7:
            self._touch()
        elif draw < 0.73:
            self._out(f"{self._assigned('int') or '_'}++" if self._assigned("int") else "use(nil)")
        elif draw < 0.85 and depth < 3:
            self._branch()
        elif draw < 0.92 and depth < 3 and self._may_enclose():
            self._call_closure()
        elif depth < 2:
            self._loop()

    def _various(self, depth: int) -> None:
        """What random bodies have only where they are various."""
        draw = self._pick.random()
        own = [name for around, name in self._stored if around in self._serials]
        if draw < 0.38:
            self._assign_loosely()
        elif draw < 0.5:
            self._declare_loosely(self._kind())
        elif draw < 0.56 and own:
            self._out(f"{self._pick.choice(own)}({self._int()})")
        elif draw < 0.62:
            self._call_kept()
        elif draw < 0.77 and depth < 2 + bool(self._closure) and self._may_enclose():
            self._keep_closure()
        elif draw < 0.82 and depth < 3:
            self._choose()
        elif draw < 0.86 and depth < 3:
            self._select()
        elif draw < 0.9 and self._again and not self._closure:
            given = ", ".join(map(self._given_for, self._again))
            self._out(f"if again() {{ SELF({given}) }}")
        elif depth < 3:
            self._look()

    def _wait(self) -> None:
        """The wait, and uses of some variables behind it."""
        self._out("WAIT")
        self._waited = True
        self._found = self._asks(self._closure, self._keep)
        self._there = {name: self._told_apart(name) for name in self._reach()}
