"""Functions as DWARF describes them: their code, the places where they were inlined, and the variables in scope by PC."""

import re
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property

from compiler.dwarf.dictionaries import Dictionaries
from compiler.dwarf.dies import Die
from compiler.dwarf.index import Index
from compiler.dwarf.splits import may_be_part, parts
from compiler.dwarf.units import DebugInfo, name_of, number
from compiler.ir.frozen import field, frozen

Range = tuple[int, int]
VARIABLE_TAGS = ("DW_TAG_variable", "DW_TAG_formal_parameter")
GO_CLOSURE_OFFSET = 0x2907
"""DW_AT_go_closure_offset (cmd/internal/dwarf): where a captured variable is in the closure. Since Go 1.23."""
MANY_THIRDS = 64
"""Values of a byte, of 256, from which on it is no rarer than the abbreviations of inlined calls."""
COPY_TAGS = ("DW_TAG_subprogram", "DW_TAG_inlined_subroutine")
NOWHERE = ((0, 0),)
"""Where a block is of which no code is left."""
HALVES = re.compile(r".[.\[]")
"""In names of parts of variables, which no program could have: `s.ptr`, `err.itab`, `v.type`, `pair[0]`; not in `.dict`."""


@frozen
class Variable:
    """A parameter or local. `escaped`: DWARF has it as `&name`, a pointer to it. `line` is that of its declaration, 0 unknown."""

    name: str
    type: int
    line: int
    parameter: bool
    escaped: bool
    die: Die
    scope: tuple[Range, ...]
    """Where it is visible; () is everywhere in its function."""
    nesting: int
    """How many lexical blocks deep; the deepest that is visible wins."""
    result: bool = False
    """A parameter by which the function returns something."""
    captured: bool = False
    """A closure has it of the function around it: it is there from the beginning, and its `line`, where it is first used, is
    not told."""
    choices: tuple[tuple[int, int], ...] = ()
    """(address of a dictionary, type): what it is in a call of generic code that was passed this one, where `type` is a shape."""
    inlined: bool = False
    """Of a call that is inlined, which has neither arguments nor results of its own in the frame."""


CLOSURE = re.compile(r"^(.+)(?:\.(?:func|gowrap|deferwrap)?\d+|-range\d+)$")
"""What is written within another function: `f.func1`, `f.func1.2`, `f-range1`, `f.gowrap1`."""


def enclosing(name: str) -> str | None:
    """The function that a closure is written in, by their linked names; None of what is no closure."""
    found = CLOSURE.match(name)
    return None if found is None else found[1]


@frozen
class Instance:
    """One copy of a function's code: its own (level 0), or where it was inlined at nesting depth `level`."""

    name: str
    level: int
    ranges: tuple[Range, ...]
    variables: list[Variable] = field(default_factory=list)
    line: int = 0
    """Where its function is written, 0 unknown."""


class Functions:
    """Finds a function's instances through the index."""

    def __init__(
        self, info: DebugInfo, index: Index, dictionaries: Dictionaries, is_code: Callable[[int], bool]
    ) -> None:
        """`is_code`: whether the executable has Go code at a PC."""
        self._info, self._dictionaries, self._is_code = info, dictionaries, is_code
        self._index = index
        self._trees: dict[int, tuple[tuple[int, Instance], ...]] = {}
        self._tree_of: dict[int, int] = {}
        """By the identity of an instance (all are kept in the trees): the offset of the tree it is in."""
        self._parts: set[int] = set()
        """Of the trees: variables (their DIEs) that are only fields of others."""
        self._declared: dict[str, frozenset[str]] = {}
        self._results: dict[str, frozenset[int]] = {}
        self._mentioned: dict[int, list[int]] = {}
        """Of each abstract function that was looked for: where .debug_info spells its offset."""

    def prepare(self, names: Iterable[str]) -> None:
        """Look for the copies of all these functions in one pass, before `instances` is asked for each."""
        offsets = [offset for name in names for offset in self._index.functions.get(name, [])]
        self._look_for([offset for offset in offsets if self._is_abstract(offset)])

    def instances(self, name: str) -> list[Instance]:
        """All copies of the code of the function with this linked name, by address; ValueError where there is no code."""
        wanted = self._index.functions.get(name, [])
        found = [instance for offset in wanted for origin, instance in self._tree(offset) if origin == offset]
        abstract = [offset for offset in wanted if self._is_abstract(offset)]
        self._look_for(abstract)
        mentions = [at for offset in abstract for at in self._mentioned[offset]]
        enclosing = {self._index.subprogram_before(at) for at in mentions}
        for around in sorted(each for each in enclosing if each is not None):
            found += [instance for origin, instance in self._tree(around) if origin in abstract]
        unique = {(instance.level, instance.ranges): instance for instance in found if instance.ranges}
        for lo, hi in (each for _, ranges in unique for each in ranges):
            if not (self._is_code(lo) and self._is_code(hi - 1)):
                raise ValueError(f"it has code at {lo:#x} to {hi:#x}, where the executable has none")
        return [unique[key] for key in sorted(unique, key=lambda key: (key[1], key[0]))]

    def beside(self, instance: Instance) -> Iterator[Variable]:
        """All variables of the code that the instance is part of: its own, and those of calls inlined there."""
        for _, each in self._trees[self._tree_of[id(instance)]]:
            yield from each.variables

    def owner(self, instance: Instance, variable: Variable) -> Instance:
        """The instance whose own variable it is: another one where a closure was inlined into what it is written in."""
        if not instance.level or enclosing(instance.name) is None:
            return instance
        tree = (each for _, each in self._trees[self._tree_of[id(instance)]])
        owners = [each for each in tree if any(own is variable for own in each.variables)]
        return min(owners, key=lambda each: each.level, default=instance)

    def mentions(self, name: str) -> int:
        """How often .debug_info refers to the function's descriptions: about as often as it was inlined."""
        abstract = [offset for offset in self._index.functions.get(name, []) if self._is_abstract(offset)]
        self._look_for(abstract)
        return sum(len(self._mentioned[offset]) for offset in abstract)

    def declared(self, name: str) -> frozenset[str]:
        """Names of all variables that any description of the function has, also those that no copy of its code kept."""
        if name not in self._declared:
            offsets = self._index.functions.get(name, [])
            for offset in offsets:
                self._tree(offset)  # finds which are none
            dies = [die for offset in offsets for _, die in self._info.subtree(offset) if die.tag in VARIABLE_TAGS]
            names = {name_of(die) or "" for die in dies if die.offset not in self._parts}
            around = enclosing(name)
            names |= self.declared(around) if around is not None else set()
            self._declared[name] = frozenset(each.removeprefix("&") for each in names if not HALVES.search(each)) - {""}
        return self._declared[name]

    def results(self, name: str) -> frozenset[int]:
        """The types of what the function with this linked name returns; none where no debug info describes it."""
        found = self._results.get(name)
        if found is None:
            at = self._index.description(name)
            dies = [] if at is None else [die for depth, die in self._info.subtree(at) if depth == 1]
            types = [number(die, "DW_AT_type") for die in dies if number(die, "DW_AT_variable_parameter")]
            found = self._results[name] = frozenset(each for each in types if each is not None)
        return found

    def is_wrapper(self, name: str) -> bool:
        """Whether the compiler made all of it (to call a method through a pointer, for a method value, a `go` or `defer`
        statement): Go's tracebacks show no frame of it (the wrapper bit of obj.LSym in cmd/internal/dwarf)."""
        offsets = self._index.functions.get(name, [])
        return bool(offsets) and all("DW_AT_trampoline" in self._info.attributes(offset) for offset in offsets)

    def has_own_code(self, name: str) -> bool:
        """Whether any of its descriptions is of code that carries its name; others are inlined, or copies named by origin."""
        offsets = self._index.functions.get(name, [])
        return any(not self._is_abstract(offset) for offset in offsets)

    def _is_abstract(self, offset: int) -> bool:
        return "DW_AT_inline" in self._info.attributes(offset)

    def _look_for(self, abstract: list[int]) -> None:
        """File where .debug_info refers to these offsets, with some chance hits: whoever uses them reads the DIE there."""
        new = {offset: offset.to_bytes(4, "little") for offset in abstract if offset not in self._mentioned}
        self._mentioned |= {offset: [] for offset in new}
        if not new:
            return
        # Few values stand for the last bytes of even many offsets; which offset it is, a dict tells faster. The third byte
        # is the rarest of all where there are few, and goes first: an expression is as fast as what it begins with is rare.
        third, fourth = (b"[" + re.escape(bytes(sorted({each[at] for each in new.values()}))) + b"]" for at in (2, 3))
        code = b"[" + self._copies + b"]"
        if len(third) < MANY_THIRDS:
            expression, shift = third + b"(?<=" + code + b"...)(?=" + fourth + b")", 2
        else:
            expression, shift = code + b"(?=.." + third + fourth + b")", -1
        data = self._info.bytes
        for match in re.finditer(expression, data, re.DOTALL):
            at = match.start() - shift
            found = self._mentioned.get(int.from_bytes(data[at : at + 4], "little"))
            if found is not None:
                found.append(at)

    @cached_property
    def _copies(self) -> bytes:
        """The bytes behind which a reference to an abstract function can stand, for a character class: the abbreviations of
        DIEs that begin with one, or all bytes where any DIE has it elsewhere."""
        codes: set[int] = set()
        for unit in {unit.abbrevs: unit for unit in self._info.units if self._info.is_go(unit)}.values():
            for code, declaration in self._info.abbrevs(unit).items():
                names = [name for name, _ in declaration.attributes]
                if declaration.tag in COPY_TAGS and "DW_AT_abstract_origin" in names:
                    codes |= {code} if code < 0x80 and names[0] == "DW_AT_abstract_origin" else set(range(256))
        return re.escape(bytes(sorted(codes))) or rb"\x00"

    def _tree(self, offset: int) -> tuple[tuple[int, Instance], ...]:
        """(offset of the DIE that names it, instance) for a concrete subprogram and all that is inlined into it."""
        if offset not in self._trees:
            self._trees[offset] = tuple(self._walk(offset))
            self._tree_of |= {id(instance): offset for _, instance in self._trees[offset]}
        return self._trees[offset]

    def _walk(self, offset: int) -> Iterator[tuple[int, Instance]]:
        scopes: list[tuple[int, Instance, tuple[Range, ...], int]] = []
        inlined: list[tuple[Instance, list[Instance]]] = []
        for depth, die in self._info.subtree(offset):
            while scopes and scopes[-1][0] >= depth:
                scopes.pop()
            if die.tag in ("DW_TAG_subprogram", "DW_TAG_inlined_subroutine"):
                origin = number(die, "DW_AT_abstract_origin")
                named = self._info.die(origin) if origin is not None else die
                level = scopes[-1][1].level + 1 if scopes else 0
                line = number(named, "DW_AT_decl_line") or 0
                instance = Instance(name_of(named) or "", level, self._ranges(die), line=line)
                within = [each for _, each, _, nesting in scopes if not nesting]
                scopes.append((depth, instance, (), 0))
                inlined.append((instance, within))
                if "DW_AT_inline" not in die.attributes and "DW_AT_trampoline" not in die.attributes:
                    yield (die.offset if origin is None else origin), instance
            elif die.tag == "DW_TAG_lexical_block" and scopes:
                _, instance, _, nesting = scopes[-1]
                scopes.append((depth, instance, self._ranges(die) or NOWHERE, nesting + 1))
            elif die.tag in VARIABLE_TAGS and scopes:
                _, instance, visible, nesting = scopes[-1]
                variable = self._variable(die, instance, visible, nesting)
                if variable is not None:
                    instance.variables.append(variable)
        self._leave_out_parts([instance for instance, _ in inlined])
        for instance, within in inlined:
            instance.variables.extend(_captured(instance, within))

    def _leave_out_parts(self, instances: list[Instance]) -> None:
        """Of a function and what is inlined there: its variables without those that are fields of others."""
        own = instances[0].variables if instances else []
        suspects = [each for each in own if may_be_part(each.die)]
        if not suspects or b"-N" in self._info.flags(suspects[0].die):
            return  # without optimization nothing is taken apart
        wholes = [
            (each, _lines(instance, each))
            for instance in instances
            for each in instance.variables
            if instance.level or not each.parameter
        ]
        found = parts(self._dictionaries.types, suspects, wholes)
        self._parts |= {suspects[at].die.offset for at in found}
        own[:] = [each for each in own if each.die.offset not in self._parts]

    def _variable(self, die: Die, instance: Instance, scope: tuple[Range, ...], nesting: int) -> Variable | None:
        origin = number(die, "DW_AT_abstract_origin")
        named = self._info.die(origin) if origin is not None else die
        name, type_offset = name_of(named), number(named, "DW_AT_type")
        if name is None or type_offset is None or HALVES.search(name):
            return None
        captured = any(number(each, GO_CLOSURE_OFFSET) is not None for each in (die, named))
        choices: tuple[tuple[int, int], ...] = ()
        if instance.level == 0 and "[" in instance.name:
            type_offset = self._dictionaries.real(instance.name, type_offset)
            choices = self._dictionaries.choices(instance.name, type_offset)
        return Variable(
            name.removeprefix("&"),
            type_offset,
            0 if captured else number(named, "DW_AT_decl_line") or 0,
            die.tag == "DW_TAG_formal_parameter",
            name.startswith("&"),
            die,
            scope,
            nesting,
            bool(number(named, "DW_AT_variable_parameter")),
            captured,
            choices,
            instance.level > 0,
        )

    def _ranges(self, die: Die) -> tuple[Range, ...]:
        low, high = number(die, "DW_AT_low_pc"), die.attributes.get("DW_AT_high_pc")
        if low is not None and high is not None:
            if not isinstance(high.value, int):
                raise ValueError("where code ends is not told by a number")
            end = high.value if high.form == "DW_FORM_addr" else low + high.value
            return ((low, end),) if low < end else ()
        listed = number(die, "DW_AT_ranges")
        found = [] if listed is None else [(lo, hi) for lo, hi, _ in self._info.ranges(die, listed) if lo < hi]
        return tuple(sorted(found))


def _lines(instance: Instance, variable: Variable) -> range:
    """The lines that a variable may be declared on: of an inlined call's arguments only the function's line is told."""
    if variable.line:
        return range(variable.line, variable.line + 1)
    if variable.captured or not instance.line:
        return range(sys.maxsize)
    return range(instance.line, instance.line + len(instance.variables))


def _captured(instance: Instance, within: list[Instance]) -> list[Variable]:
    """What a closure may use of the function that it is written in, where both are one piece of code.

    Newer Go versions have no variables of the closure's own for these. A name counts only where it can mean but one
    variable, declared before the closure.
    """
    around = enclosing(instance.name)
    outer = next((each for each in reversed(within) if each.name == around), None)
    if outer is None or not instance.line:
        return []
    own = {variable.name for variable in instance.variables}
    lines: dict[str, set[int]] = {}
    for variable in outer.variables:
        lines.setdefault(variable.name, set()).add(variable.line)
    return [
        variable
        for variable in outer.variables
        if variable.name not in own
        and not variable.result
        and (len(lines[variable.name]) == 1 and variable.line <= instance.line)
    ]
