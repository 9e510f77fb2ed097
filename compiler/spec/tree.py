"""YAML text to a tree of plain values that know their lines. Constructs no objects, follows no tags, expands no bombs.

YAML 1.2's core schema whatever a %YAML line says: `on`, `no` and `yes` are texts. https://yaml.org/spec/1.2.2/#103-core-schema
"""

import re
from collections.abc import Iterator
from typing import Any

from yaml import CSafeLoader
from yaml.error import MarkedYAMLError, YAMLError
from yaml.events import (
    AliasEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from yaml.reader import ReaderError

from compiler.ir.frozen import field, frozen
from compiler.spec.errors import SpecError

MAX_BYTES = 1 << 20
MAX_DEPTH = 20
"""A spec nests six deep."""
NESTED, SIX_LEVELS = f"nested more than {MAX_DEPTH} deep", "a spec needs six levels"
TOO_DEEP = "exceeded maximum nesting depth"
"""What libyaml says since 0.2.6, which reads ahead and stops by itself after a thousand levels."""
MAX_VALUES = 50_000
"""Of the whole tree, with every alias counted as what it stands for."""

QUOTE = 'quote a text that holds ": " or " #", or begins with one of *&!|>%@`[]{}\'"'
WITHIN = (
    'within {...} and [...] quote a text that holds one of ,[]{} (as in {expr: "q.Args[0]", as: first}), and close each'
)
"""Where an element of either ends, but neither the next one nor the end of all comes."""

_CORE_SCHEMA = {
    "null": re.compile(r"null|Null|NULL|~|"),
    "bool": re.compile(r"true|True|TRUE|false|False|FALSE"),
    "int": re.compile(r"[-+]?[0-9]{1,30}|0o[0-7]{1,30}|0x[0-9a-fA-F]{1,30}", re.ASCII),
    "float": re.compile(
        r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)", re.ASCII
    ),
}


@frozen
class Node:
    """A scalar (text, int, float, bool, None), a list of nodes, or a mapping of nodes with the line of each key."""

    line: int
    value: Any
    key_lines: dict[str, int] = field(default_factory=dict)
    size: int = 1
    """How many values this is, aliases expanded."""

    def plain(self) -> Any:
        """The value without the lines."""
        match self.value:
            case dict():
                return {key: node.plain() for key, node in self.value.items()}
            case list():
                return [node.plain() for node in self.value]
            case scalar:
                return scalar


def read_tree(text: str | bytes, origin: str) -> Node | None:
    """The tree of the one document in `text`, None if there is nothing in it; SpecError for all that is not YAML."""
    decoded = _decoded(text, origin)
    raw = decoded.encode()
    try:
        return _Builder(origin, _events(raw)).document()
    except ReaderError as error:
        line = raw.count(b"\n", 0, error.position) + 1
        what = f"this is not text: it holds the character U+{int(error.character):04X}"
        raise SpecError(what, origin=origin, line=line, remedy="write the spec as YAML text") from None
    except MarkedYAMLError as error:
        raise _not_yaml(error, decoded, origin) from None
    except YAMLError as error:
        raise SpecError(f"this is not YAML: {error}", origin=origin, line=1, remedy=QUOTE) from None


def _events(raw: bytes) -> Iterator[Event]:
    parser = CSafeLoader(raw)
    try:
        while (event := parser.get_event()) is not None:
            yield event
    finally:
        parser.dispose()


def _decoded(text: str | bytes, origin: str) -> str:
    size = len(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
    if size > MAX_BYTES:
        what = f"the spec has {size} bytes, more than {MAX_BYTES}"
        raise SpecError(what, origin=origin, remedy="is this the right file? split it if it is")
    try:
        raw = text if isinstance(text, bytes) else text.encode()
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        what = f"this is not text: byte {error.start} (0x{error.object[error.start]:02x}) is not UTF-8"
        raise SpecError(what, origin=origin, line=line, remedy="write the spec as YAML text in UTF-8") from None
    except UnicodeEncodeError as error:
        line = error.object.count("\n", 0, error.start) + 1
        raise SpecError("this is not text: it holds half a character", origin=origin, line=line) from None


def _not_yaml(error: MarkedYAMLError, text: str, origin: str) -> SpecError:
    mark = error.problem_mark or error.context_mark
    problem = str(error.problem or error.context or "cannot be read")
    if mark is None:
        return SpecError(f"this is not YAML: {problem}", origin=origin, line=1, remedy=QUOTE)
    if problem == TOO_DEEP:
        return SpecError(NESTED, origin=origin, line=mark.line + 1, remedy=SIX_LEVELS)
    found = "".join(text.split("\n")[mark.line : mark.line + 1])[mark.column : mark.column + 1]
    remedy = WITHIN if problem.startswith("did not find expected ','") else QUOTE
    remedy = "indent with spaces, not tabs" if found == "\t" else remedy
    return SpecError(f"this is not YAML: {problem}", origin=origin, line=mark.line + 1, remedy=remedy)


class _Builder:
    """One pass over the events; recursion is bounded by MAX_DEPTH."""

    def __init__(self, origin: str, events: Iterator[Event]) -> None:
        self._origin = origin
        self._events = events
        self._anchors: dict[str, Node | None] = {}
        self._values = 0

    def document(self) -> Node | None:
        root: Node | None = None
        seen = False
        for event in self._events:
            if isinstance(event, DocumentStartEvent):
                if seen:
                    raise self._error(event, "there is a second document", 'remove the line "---" and what is below it')
                seen = True
                root = self._node(next(self._events), 0)
        return root

    def _node(self, event: Event, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise self._error(event, NESTED, SIX_LEVELS)
        if isinstance(event, AliasEvent):
            return self._alias(event)
        if not isinstance(event, (ScalarEvent, CollectionStartEvent)):
            raise self._error(event, "a value is missing", QUOTE)
        anchor = event.anchor
        if event.tag is not None:
            raise self._error(event, f"the tag {_shown_tag(event.tag)} is not allowed in a spec", "remove or quote it")
        if anchor is not None:
            self._anchors[anchor] = None
        node = self._content(event, depth)
        if anchor is not None:
            self._anchors[anchor] = node
        return node

    def _content(self, event: Event, depth: int) -> Node:
        self._count(event, 1)
        line = _line(event)
        if isinstance(event, ScalarEvent):
            return Node(line, _scalar(event))
        node = Node(line, [] if isinstance(event, SequenceStartEvent) else {})
        if isinstance(event, SequenceStartEvent):
            while not isinstance(child := next(self._events), SequenceEndEvent):
                node.value.append(self._node(child, depth + 1))
        elif isinstance(event, MappingStartEvent):
            while not isinstance(child := next(self._events), MappingEndEvent):
                self._entry(node, child, depth)
        children = node.value.values() if isinstance(node.value, dict) else node.value
        return Node(line, node.value, node.key_lines, 1 + sum(child.size for child in children))

    def _entry(self, node: Node, key: Event, depth: int) -> None:
        if not isinstance(key, ScalarEvent) or key.tag is not None:
            raise self._error(key, "a key must be a name", QUOTE)
        name, line = str(key.value), _line(key)
        if name in node.key_lines:
            first = node.key_lines[name]
            raise self._error(key, f'the key "{name}" stands here twice, first on line {first}', "remove one")
        node.key_lines[name] = line
        node.value[name] = self._node(next(self._events), depth + 1)

    def _alias(self, event: AliasEvent) -> Node:
        name = event.anchor
        if name not in self._anchors:
            remedy = f'quote it if it is an expression: "*{name}"'
            raise self._error(event, f"the alias *{name} has no anchor &{name} before it", remedy)
        node = self._anchors[name]
        if node is None:
            raise self._error(event, f"the alias *{name} holds itself", "write it out")
        self._count(event, node.size)
        return node

    def _count(self, event: Event, values: int) -> None:
        self._values += values
        if self._values > MAX_VALUES:
            raise self._error(event, f"the spec grows to more than {MAX_VALUES} values", "use fewer aliases")

    def _error(self, event: Event, what: str, remedy: str) -> SpecError:
        return SpecError(what, origin=self._origin, line=_line(event), remedy=remedy)


def _line(event: Event) -> int:
    return event.start_mark.line + 1 if event.start_mark is not None else 1


def _shown_tag(tag: str) -> str:
    return tag.replace("tag:yaml.org,2002:", "!!")[:60]


def _scalar(event: ScalarEvent) -> bool | int | float | str | None:
    text = str(event.value)
    if event.style:
        return text
    kind = next((kind for kind, pattern in _CORE_SCHEMA.items() if pattern.fullmatch(text)), "text")
    match kind:
        case "null":
            return None
        case "bool":
            return text.lower() == "true"
        case "int":
            return int(text, 0) if text[:2] in ("0o", "0x") else int(text)
        case "float":
            return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
        case _:
            return text
