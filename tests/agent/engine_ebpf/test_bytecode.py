"""Linking compiled functions into one program, and what the loader says when the kernel will not have it."""

import os
import struct
import subprocess
import sys

import pytest

from agent.engine_ebpf.bytecode import INSN, MapReference, btf, link
from agent.engine_ebpf.compiling import compile_probe
from agent.engine_ebpf.kernel import Kernel
from agent.engine_ebpf.layout import CALLBACKS, MAIN, MAPS, MARK_CALLBACK, MARK_MAP, MARK_MASK, STRUCTS, c_declarations
from compiler.ir.errors import CannotNow
from tests.conftest import ROOT

EXIT = INSN.pack(0x95, 0, 0, 0)


def marked(register: int, mark: int, number: int) -> bytes:
    """ld_imm64 of a marked constant."""
    return INSN.pack(0x18, register, 0, number) + INSN.pack(0, 0, 0, mark)


MAPS_GIVEN = tuple(MapReference(100 + number, 1 << number) for number in range(len(MAPS)))


def test_marks_become_references() -> None:
    main = marked(1, MARK_MAP, 3) + marked(2, MARK_MASK, 5) + marked(3, MARK_CALLBACK, 1) + marked(4, 0x1234, 7) + EXIT
    linked = link({MAIN: main, CALLBACKS[0]: EXIT, CALLBACKS[1]: EXIT}, MAPS_GIVEN)
    instructions = list(INSN.iter_unpack(linked.instructions))
    assert instructions[0] == (0x18, 1 | 2 << 4, 0, 103)  # BPF_PSEUDO_MAP_VALUE of that map, at byte 0
    assert instructions[2] == (0x18, 2, 0, 31)
    assert instructions[4] == (0x18, 3 | 4 << 4, 0, 11 - 4 - 1)  # BPF_PSEUDO_FUNC, from the instruction after it
    assert instructions[6:8] == [(0x18, 4, 0, 7), (0, 0, 0, 0x1234)]
    assert instructions[9] == instructions[11] == (0xBF, 0x21, 0, 0)  # callbacks begin with r1 = r2
    assert list(struct.iter_unpack("<II", linked.functions)) == [(0, 5), (9, 6), (11, 7)]
    assert linked.function_count == 3


def test_the_kernel_takes_our_btf() -> None:
    os.close(Kernel().load_btf(btf()))


def test_structs_are_the_same_in_c_and_python() -> None:
    """Every offset and size, compared by the compiler."""
    checks = [
        f"_Static_assert(__builtin_offsetof(struct {struct_.__name__}, {name}) == {getattr(struct_, name).offset}, #name);"
        for struct_ in STRUCTS
        for name, *_ in struct_._fields_
    ]
    checks = [check.replace("#name", '"offset"') for check in checks]
    functions = "".join(f"int {name}(u64 *context) {{ return 0; }}\n" for name in (MAIN, *CALLBACKS))
    compiled = compile_probe(c_declarations() + "\n".join(checks) + "\n" + functions)
    assert compiled.functions.keys() == {MAIN, *CALLBACKS}


def test_refused_program_is_one_error_with_the_end_of_the_log() -> None:
    kernel = Kernel()
    linked = link({MAIN: EXIT, **dict.fromkeys(CALLBACKS, EXIT)}, MAPS_GIVEN)  # nobody calls the callbacks
    fd = kernel.load_btf(btf())
    try:
        with pytest.raises(CannotNow, match=r"the kernel's verifier refuses the probe: .*\nunreachable insn 1\n"):
            kernel.load(linked, fd)
    finally:
        os.close(fd)


def test_index_outside_of_a_map_is_refused() -> None:
    """The masks are what keeps the probe inside: with one that is too large the verifier says no."""
    kernel = Kernel()
    fds = [kernel.create_array("ff_test", 4096) for _ in MAPS]
    btf_fd = kernel.load_btf(btf())
    try:
        too_many = tuple(MapReference(fd, 1 << 20) for fd in fds)
        with pytest.raises(CannotNow, match="invalid access to map value"):
            kernel.load(link(compile_probe().functions, too_many), btf_fd)
    finally:
        for fd in (*fds, btf_fd):
            os.close(fd)


def test_old_kernel_is_one_clear_error() -> None:
    with pytest.raises(CannotNow) as caught:
        Kernel(release="5.10.0-28-amd64")
    assert str(caught.value) == (
        "kernel 5.10.0-28-amd64 is too old for the eBPF engine; it needs Linux 6.1 or later (Debian 12 has it)"
    )


def test_what_the_compiler_says_is_in_the_error() -> None:
    with pytest.raises(CannotNow, match=r"(?s)bcc could not compile the probe:\n.*unknown type name 'nonsense'"):
        compile_probe("nonsense twice;")


def test_the_compiler_stays_out_of_this_process() -> None:
    """LLVM and clang are 60 MB; the agent is small."""
    code = (
        "from agent.engine_ebpf import EbpfEngine\n"
        "from agent.engine_ebpf.trial import try_out\n"
        "try_out()\n"
        "print(open('/proc/self/maps').read())\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "libbcc_bpf" in done.stdout
    assert "LLVM" not in done.stdout
