"""What instructions do, and that what is learnt of one holds for those that differ only in how far they reach."""

from itertools import pairwise
from pathlib import Path

import pytest
from iced_x86 import Decoder

from compiler.binary import Binary
from compiler.code import x86
from compiler.code.x86 import Effects, steps

PC = 0x401000
MUCH = 1 << 19
"""Bytes of a program's code: 100,000 instructions."""
ALIKE = [
    ("jne", "7505", "75f0"),
    ("jne, far", "0f8500010000", "0f8510ffffff"),
    ("jmp", "e900010000", "e9f0ffffff"),
    ("call", "e800010000", "e8f0ffffff"),
    ("lea rax, [rip+x]", "488d0500010000", "488d0500020000"),
    ("mov rcx, [rip+x]", "488b0d00010000", "488b0df0ffffff"),
    ("mov [rip+x], rdx", "48891500010000", "488915f0ffffff"),
    ("mov rcx, [rax+x]", "488b4808", "488b4810"),
    ("mov ecx, [rax+x]", "8b4808", "8b4810"),
    ("mov [r9+x], rdx", "49899100010000", "498991f0ffffff"),
    ("cmp [rbp+x], r8d", "44394508", "44394510"),
    ("movups [rax+x], xmm15", "440f117808", "440f117810"),
    ("movzx eax, byte [rcx+x]", "0fb64108", "0fb64110"),
    ("mov eax, n", "b805000000", "b8ffffffff"),
    ("mov r10, n", "49ba0500000000000000", "49baffffffffffffffff"),
    ("mov dword [rax+x], n", "c7400805000000", "c7401006000000"),
    ("mov qword [rip+x], n", "48c7050001000005000000", "48c7050002000006000000"),
    ("cmp rax, n", "4883f805", "4883f8ff"),
    ("cmp byte [rcx+x], n", "80790805", "80791006"),
    ("test byte [rdx], n", "f60201", "f60202"),
]
DIFFERENT = [
    ("mov from and to memory", "488b0d00010000", "48890d00010000"),
    ("lea into rax and rcx", "488d0500010000", "488d0d00010000"),
    ("words of the frame", "488b442408", "488b442410"),
    ("what is at two registers", "488b4808", "488b4908"),
    ("what is at a register, and in it", "488b4808", "488bc8"),
    ("addresses", "488d4808", "488d4810"),
    ("constants that are added", "4883c001", "4883c0ff"),
    ("what is at rsp and at r12", "488b442408", "498b442408"),
    ("what is at rsp and at rsp and an index", "488b442408", "4a8b442408"),
    ("cmp and add", "4883f805", "4883c005"),
    ("test and not", "f7c001000000", "f7d0"),
    ("mov eax, 5 and mov ecx, 5", "b805000000", "b905000000"),
    ("jo near and an instruction that begins like it", "0f8000000000", "0f10442410"),
]


def effects(code: str) -> Effects:
    """Of one instruction alone."""
    x86._known.clear()
    (step,) = steps(bytes.fromhex(code), PC).values()
    return step.does


@pytest.mark.parametrize(("one", "other"), [codes for _, *codes in ALIKE], ids=[name for name, *_ in ALIKE])
def test_how_far_an_instruction_reaches_makes_no_difference_to_what_it_does(one: str, other: str) -> None:
    assert effects(one) == effects(other)
    first, second = steps(bytes.fromhex(one + other), PC).values()
    assert first.does is second.does


ON_STACK = [
    ("mov rax, [rsp+x]", "488b442408", "488b842410010000"),
    ("mov [rsp+x], rax", "4889442408", "48894424f8"),
    ("lea rax, [rsp+x]", "488d442408", "488d8424f0ffffff"),
    ("mov qword [rsp+x], n", "48c744240805000000", "48c744241006000000"),
    ("movups [rsp+x], xmm15", "440f117c2408", "440f117c2410"),
    ("xchg [rsp+x], rax", "4887442408", "4887442410"),
    ("cmp qword [rsp], n and [rsp+x]", "48833c2405", "48837c240806"),
]


@pytest.mark.parametrize(("one", "other"), [codes for _, *codes in ON_STACK], ids=[name for name, *_ in ON_STACK])
def test_what_is_learnt_of_one_word_of_the_frame_is_told_of_another(one: str, other: str) -> None:
    apart = effects(one), effects(other)
    assert apart[0] != apart[1]
    for code in (one + other, other + one):
        x86._known.clear()
        found = [step.does for step in steps(bytes.fromhex(code), PC).values()]
        assert found in (list(apart), list(reversed(apart)))


@pytest.mark.parametrize(("one", "other"), [codes for _, *codes in DIFFERENT], ids=[name for name, *_ in DIFFERENT])
def test_instructions_that_do_different_things_are_kept_apart(one: str, other: str) -> None:
    apart = effects(one), effects(other)
    first, second = steps(bytes.fromhex(one + other), PC).values()
    assert (first.does, second.does) == apart
    assert apart[0] != apart[1]


def test_an_address_is_no_number_that_is_added() -> None:
    assert effects("488d0500010000").adds == 0
    assert effects("488d4010").adds == 16


def test_what_is_learnt_of_one_instruction_is_true_of_every_other_of_a_program(querydb: Path) -> None:
    with Binary(querydb) as binary:
        start = binary.pclntab.text
        code = binary.executable.read(start, MUCH)
    assert code is not None
    x86._known.clear()
    checked = set[bytes]()
    for step, following in pairwise(steps(code, start).values()):
        text = code[step.pc - start : following.pc - start]
        if text not in checked:
            checked.add(text)
            (alone,) = Decoder(64, text, ip=step.pc)
            assert step.does == x86._effects(alone), text.hex()
    assert len(checked) > 10_000
