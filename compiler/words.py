"""In words: where a column's value comes from, as an engineer would say it who reads Go's frames."""

import json
from collections.abc import Sequence
from typing import assert_never

from compiler.ir.frames import REASONS
from compiler.ir.program import (
    AnyAccess,
    AtAddress,
    AtCfa,
    ByDictionary,
    ContextValue,
    Count,
    Deref,
    Element,
    InRegister,
    Literal,
    Located,
    Lookup,
    Missing,
    Piece,
    Place,
    Range,
    Select,
    Tail,
    TailStep,
    Unbox,
)

AMD64 = ("rax", "rdx", "rcx", "rbx", "rsi", "rdi", "rbp", "rsp", *(f"r{number}" for number in range(8, 16)))
"""By DWARF's numbers (System V ABI, AMD64 supplement, figure 3.36); arm64's are those in the names x0 to x30."""
CFA = "CFA: the address behind a frame's return address, where the caller's frame begins (DW_OP_call_frame_cfa)"


def place_in_words(place: Place, accesses: Sequence[AnyAccess], tails: Sequence[Tail], arch: str) -> str:
    """Where a column is at the PCs of a site, in a Program with these accesses and tails: one sentence without a full stop."""
    match place:
        case Missing(reason=reason, detail=detail):
            return f"absent: {reason} ({detail or REASONS.get(reason, '')})"
        case Located(access=number, pieces=pieces, dead=dead):
            access = accesses[number]
            parts = [_root(pieces, access.root_size, arch), *_way(access, tails)]
            if dead:
                parts.append("but nothing keeps alive what it points to, which is shown only if it is a literal")
            return "; ".join(parts)
        case _:
            assert_never(place)


def _root(pieces: tuple[Piece, ...], size: int, arch: str) -> str:
    joined = _joined(pieces)
    if not size:
        return "of no size: it has but one value"
    if len(joined) == 1 and joined[0].size >= size:
        return _piece(joined[0], arch)
    found, at = [], 0
    for piece in joined:
        if piece.at > at:
            found.append(f"{_bytes(at, piece.at)} nowhere")
        at = piece.at + piece.size
        found.append(f"{_bytes(piece.at, at)} {_piece(piece, arch)}")
    if at < size:
        found.append(f"{_bytes(at, size)} nowhere")
    return " and ".join(found)


def _joined(pieces: tuple[Piece, ...]) -> list[Piece]:
    """Pieces that follow each other both in the variable and in memory as one."""
    found: list[Piece] = []
    for piece in sorted(pieces, key=lambda each: each.at):
        match found[-1:], piece:
            case [AtCfa(at=at, size=size, offset=offset)], AtCfa() if (at + size, offset + size) == (
                piece.at,
                piece.offset,
            ):
                found[-1] = AtCfa(at, size + piece.size, offset)
            case _:
                found.append(piece)
    return found


def _bytes(lo: int, hi: int) -> str:
    return f"byte {lo}" if hi == lo + 1 else f"bytes {lo}-{hi - 1}"


def _piece(piece: Piece, arch: str) -> str:
    match piece:
        case AtCfa(offset=offset) if offset < 0:
            return f"in the frame, {_size(-offset)} below the CFA"
        case AtCfa(offset=0):
            return "in the caller's frame, at the CFA"
        case AtCfa(offset=offset):
            return f"in the caller's frame, {_size(offset)} above the CFA"
        case InRegister(number=number):
            name = AMD64[number] if arch == "amd64" and number < len(AMD64) else f"x{number}"
            return f"in register {name} (only for a goroutine on a CPU)"
        case AtAddress(address=address):
            return f"at address {address:#x}"
        case _:
            assert_never(piece)


def _way(access: AnyAccess, tails: Sequence[Tail]) -> list[str]:
    """What is done from the root on. Neighbouring selections are one."""
    if isinstance(access, ByDictionary):
        return [f"then by the dictionary that the call was passed, as one of {len(access.choices)} types"]
    steps: list[TailStep] = [*access.steps, *(access.tail.steps if access.tail is not None else ())]
    return _steps(steps, tails)


def _steps(steps: Sequence[TailStep], tails: Sequence[Tail]) -> list[str]:  # noqa: C901, PLR0912 - a case a kind
    found: list[str] = []
    offset = 0
    for step in steps:
        match step:
            case Select(offset=further):
                offset += further
                continue
            case Deref(or_zero=or_zero):
                found.append(f"then through the pointer{_at(offset)}" + (" (0 where it is nil)" if or_zero else ""))
            case Element(index=index, stride=stride):
                found.append(f"then to element {index} ({_size(stride)} each) of what begins{_at(offset) or ' here'}")
            case Range(lo=lo, hi=hi, stride=stride):
                last = "the last" if hi is None else f"before {hi}"
                found.append(
                    f"then elements {lo} to {last} ({_size(stride)} each) of what begins{_at(offset) or ' here'}"
                )
            case Lookup(key=key):
                found.append(f"then to the value under {_literal(key)} in the map{_at(offset)}")
            case Count():
                found.append(f"then to the number of entries of the map{_at(offset)}")
            case Unbox(wanted=wanted, branches=branches):
                found.append(f"then into the interface{_at(offset)}, if it holds {wanted}")
                if len(branches) == 1:
                    found += _steps(tails[branches[0].tail].steps, tails)
                elif branches:
                    found.append(f"then by the type that it holds, one of {len(branches)}")
            case ContextValue(key=key):
                which = "" if key is None else f", equal to {_literal(key)}"
                found.append(
                    f"then along the contexts from the one{_at(offset) or ' here'} to a value by its key's type{which}"
                )
            case _:
                assert_never(step)
        offset = 0
    if offset:
        found.append(f"then {_size(offset)} on")
    return found


def _at(offset: int) -> str:
    return f" at +{offset}" if offset else ""


def _size(count: int) -> str:
    return "1 byte" if count == 1 else f"{count} bytes"


def _literal(key: Literal) -> str:
    return json.dumps(key, ensure_ascii=False)
