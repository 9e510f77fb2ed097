"""Statements that change variables, and what they are assigned."""

from tests.bodies.kinds import APART, CHANGED, GO, MADE, NUMBERS, PLAIN
from tests.bodies.parts import GUARDS, PARTS, STEPPED
from tests.bodies.scope import Scope
from tests.bodies.values import COMPOSED, CONSTANTS, DERIVED


class Changes(Scope):
    """Writes assignments; `_closure` is the closure that is being written, "" where there is none."""

    _closure = ""
    _copied: set[str]
    """Variables that are assigned another one somewhere, or are put together of others: once nothing needs what they
    were, they are said to be this."""
    _varied: bool
    """Whether more kinds of statements are written, and what leaves no trace."""

    def _value(self, kind: str) -> str:
        """A value that leaves a trace: what a call returns, mostly."""
        pick, same = self._pick, self._reach(kind)
        values = [f"{MADE[kind]}({self._number_from()})"] if kind in MADE else []
        if kind in CHANGED:
            values += [f"{CHANGED[kind]}({name})" for name in same]
        elif kind not in NUMBERS:
            values += [f"append({name}, {self._number_from()})" for name in same] if kind == "list" else same
        if kind == "int":
            values += [f"sum({', '.join(self._int() for _ in range(pick.randint(1, 4)))})"]
        if kind == "text":
            values += [f"{name} + {MADE[kind]}({self._int()})" for name in same]
        return pick.choice(values)

    def _number_from(self) -> str:
        """Mostly a variable, else a call."""
        draw = self._pick.random()
        if draw < 0.15:
            return f"next({self._int()})"
        return f"sum({self._int()}, next({self._int()}))" if draw < 0.2 else self._int()

    def _loose_value(self, kind: str) -> str:
        """A value that may leave none: a constant, a part or copy of other variables, or reckoned from them."""
        forms = (*CONSTANTS.get(kind, ()), *COMPOSED.get(kind, ()) * 2, *DERIVED.get(kind, ()) * 2)
        others = self._reach(kind) if kind in NUMBERS else []
        return self._filled(self._pick.choice((*forms, *others)))

    def _kind(self) -> str:
        return self._pick.choice(("int", "int", *PLAIN))

    def _assign(self, kind: str) -> None:
        name = self._assigned(kind)
        if name is not None:
            value = self._value(kind)
            self._copied |= {self._told_apart(name)} if value.isidentifier() else set()
            self._out(f"{name} = {value}")

    def _assign_loosely(self) -> None:
        """Assigns what may leave no trace."""
        if self._pick.random() < 0.25:
            self._swap()
            return
        kind = self._pick.choice(("int", "int", "pair", "list", "text", *PLAIN))
        name = self._assigned(kind)
        if name is None:
            self._declare_loosely(kind)
            return
        self._loose.add(self._told_apart(name))
        value = self._loose_value(kind)
        self._copied.add(self._told_apart(name))
        self._out(f"{name} = {value}")

    def _declare_loosely(self, kind: str) -> None:
        name = self._fresh("z" if kind == "list" else kind[0])
        value = self._loose_value(kind)
        self._blocks[-1].append((name, kind))
        if any(each[0] == "l" for each in self._reach()) or self._closure:  # it may have been something else before
            self._loose.add(self._told_apart(name))
        self._out(f"var {name} {GO[kind]}" + f" = {value}" * (self._pick.random() < 0.9))
        self._out(f"_ = {name}")

    def _swap(self) -> None:
        """Two or three variables change places, or parts of them do."""
        pick = self._pick
        kinds = [kind for kind in (*MADE, "int") if len([n for n in self._reach(kind) if n[0] != "l"]) > 1]
        if not kinds:
            return
        own = [name for name in self._reach(pick.choice(kinds)) if name[0] != "l"]
        names = pick.sample(own, min(len(own), pick.choice((2, 2, 3))))
        self._loose |= {self._told_apart(name) for name in names}
        self._copied |= {self._told_apart(name) for name in names}
        pair, number, trio = self._assigned("pair"), self._assigned("int"), self._assigned("trio")
        if pair and number and trio and pick.random() < 0.3:
            self._loose |= {self._told_apart(name) for name in (pair, number, trio)}
            self._copied |= {self._told_apart(name) for name in (pair, number, trio)}
            one = f"{pair}.A, {number} = {number}, {pair}.A"
            self._out(
                pick.choice(
                    (one, f"{trio}[0], {trio}[2] = {trio}[2], {trio}[0]", f"{trio}[1], {number} = {number}, {trio}[1]")
                )
            )
            return
        self._out(f"{', '.join(names)} = {', '.join([*names[1:], names[0]])}")

    def _assign_part(self) -> None:
        """Changes a part of a variable, or what is behind it."""
        trio, pick = self._assigned("trio"), self._pick
        parts = [f"{trio}[uint({self._int()})%3] = next({self._int()})"] if trio and self._varied else []
        for kind, part, value in PARTS:
            name = self._assigned(kind)
            if name:
                steps = STEPPED.get(value, ()) if pick.random() < 0.4 else ()
                step = pick.choice(steps or (f"{{0}} = {value}({{1}})",))
                line = step.format(part.format(name, self._int()), self._int())
                parts.append(f"if {GUARDS[kind].format(name)} {{ {line} }}" if kind in GUARDS else line)
        if parts:
            self._out(pick.choice(parts))

    def _declare(self, kind: str) -> None:
        value = self._value(kind)
        # Of a pair that a call returns, nothing is left to say that it hides another type's variable.
        outer = self._reach(kind if kind in APART else None)
        hidden = [name for name in outer if name[0] != "l" and name != "err" and name not in dict(self._blocks[-1])]
        if len(self._blocks) > 1 and hidden and self._pick.random() < 0.2:
            name = self._pick.choice(hidden)  # which hides an outer one
        else:
            name = self._fresh("z" if kind == "list" else kind[0])
        self._blocks[-1].append((name, kind))
        self._out(f"{name} := {value}")
        self._out(f"_ = {name}")
