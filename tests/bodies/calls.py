"""Statements that are calls, or take what calls return."""

import re

from tests.bodies.changes import Changes
from tests.bodies.forms import INLINED, LOOSE_TOUCHES, METHODS, SEVERAL, TOUCHES

TARGET = re.compile(r"([@#~])(\w+)")


class Calls(Changes):
    """Writes calls; a form is written where there is a variable for each of its targets."""

    def _assign_several(self) -> None:
        loosely = self._varied and self._pick.random() < 0.5
        self._form_of(INLINED if loosely else SEVERAL, loose=loosely)

    def _touch(self) -> None:
        if self._may_enclose() and self._pick.random() < 0.08:
            self._count_closure()
            self._out(f"defer func() {{ use(recover()); use({self._int()}) }}()")
            return
        self._form_of((*TOUCHES, *LOOSE_TOUCHES) if self._varied else TOUCHES)

    def _may_enclose(self) -> bool:
        """Whether there may be a closure here."""
        raise NotImplementedError

    def _count_closure(self) -> str:
        """The name of the next closure."""
        raise NotImplementedError

    def _call_kept(self) -> None:
        """Keeps a method, or its value, in a variable, changes others, and calls it."""
        kept, call = self._pick.choice(METHODS)
        name = self._fresh("g")
        call = call.format(name)
        targets = self._targets(kept), self._targets(call)
        if targets[0] is None or targets[1] is None:
            return
        self._write(f"{name} := {kept}", targets[0])
        if self._pick.random() < 0.5:
            self._assign(self._kind())
        call = self._pick.choice(("defer ", "", "")) + call if call.startswith(name) else call
        self._write(call, targets[1])

    def _form_of(self, forms: tuple[str, ...], *, loose: bool = False) -> None:
        """Writes one of the forms of which a few tries find one for which there are variables."""
        for _ in range(4):
            form = self._pick.choice(forms)
            targets = self._targets(form)
            if targets is not None:
                self._write(form, targets, loose=loose)
                return

    def _targets(self, form: str) -> list[tuple[str, str]] | None:
        """The variables that it assigns to, each another one, and their kinds; None where there are not enough."""
        found: list[tuple[str, str]] = []
        for mark, kind in TARGET.findall(form):
            if kind == "same":
                found.append(found[-1])
                continue
            if mark == "#":
                found.append((self._fresh("z" if kind == "list" else kind[0]), kind))
                continue
            names = {name for name in self._reach(kind) if name[0] != "l"} - {name for name, _ in found}
            if not names:
                return None
            found.append((self._pick.choice(sorted(names)), kind))
        return found

    def _write(self, form: str, targets: list[tuple[str, str]], *, loose: bool = False) -> None:
        names = iter(targets)
        line = self._filled(TARGET.sub(lambda _: next(names)[0], form))
        declared = [each for each, (mark, _) in zip(targets, TARGET.findall(form), strict=True) if mark == "#"]
        again = " err :=" in form and "err" not in dict(self._blocks[-1])
        self._out(line)
        self._blocks[-1] += [*declared, *[("err", "fault")] * again]
        for name in [*(name for name, _ in declared), *["err"] * again]:
            self._out(f"_ = {name}")
        marks = [mark for mark, _ in TARGET.findall(form)]
        assigned = [name for mark, (name, _) in zip(marks, targets, strict=True) if loose or mark == "~"]
        for name in [*assigned, *["err"] * (loose and "err" in form)]:
            self._loose.add(self._told_apart(name))
            self._copied.add(self._told_apart(name))
