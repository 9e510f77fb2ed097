"""Compiles the probe with bcc, in a process of its own: `compile_probe`. Nothing else in Freezeframe imports bcc.

bcc brings LLVM with it, 60 MB that nobody needs once the probe is compiled. In a child they are given back, and a crash of the
compiler (clang asserts) is an error instead of the agent's end. What comes back are bytes; they are data until
the kernel's verifier has looked at them.
"""

import ctypes
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.engine_ebpf.layout import CALLBACKS, MAIN, c_declarations
from compiler.ir.errors import CannotNow

SOURCES = ("memory.c", "goroutine.c", "stacks.c", "objects.c", "containers.c", "roots.c", "main.c")
HERE = Path(__file__).parent
SECONDS = 300
"""It takes half a second; a machine that needs longer than this has other troubles."""
NO_BCC = 3
"""Exit code of a child that could not load bcc."""
CHILD = f"import sys; from {__name__} import main; sys.exit(main())"
INSTALL = "install Debian's package python3-bpfcc, then run `make install` again"


@dataclass(frozen=True, slots=True)
class Compiled:
    """The bytecode of each function, in which maps and callbacks are still marks (bytecode.link), and bcc's version."""

    functions: Mapping[str, bytes]
    bcc_version: str


def probe_source() -> str:
    """The whole probe as C."""
    return "".join([c_declarations(), *((HERE / "probe" / name).read_text() for name in SOURCES)])


def bcc_version() -> str:
    """The version of Debian's bcc. CannotNow where there is none."""
    return compile_probe("").bcc_version


def compile_probe(source: str | None = None) -> Compiled:
    """Compile in a child (the probe, or `source`). CannotNow where bcc is missing or refuses, with what it says."""
    text = probe_source() if source is None else source
    try:
        done = subprocess.run(
            [sys.executable, "-c", CHILD],
            input=text.encode(), capture_output=True, check=False, timeout=SECONDS,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CannotNow(f"the eBPF compiler bcc cannot be run: {error}", remedy=INSTALL) from None
    said = done.stderr.decode(errors="replace").strip()
    if done.returncode == NO_BCC:
        raise CannotNow(f"the eBPF compiler bcc cannot be loaded: {said}", remedy=INSTALL)
    if done.returncode:
        raise CannotNow(f"bcc could not compile the probe:\n{said}", remedy="report this")
    answer = json.loads(done.stdout)
    return Compiled({name: bytes.fromhex(code) for name, code in answer["functions"].items()}, answer["version"])


def main() -> int:
    """The child: C on stdin, JSON on stdout."""
    try:
        from bcc import __version__
        from bcc.libbcc import lib
    except (ImportError, OSError) as error:
        print(error, file=sys.stderr)
        return NO_BCC
    text = sys.stdin.buffer.read()
    functions = _functions(lib, text) if text else {}
    if functions is None:
        return 1
    print(json.dumps({"version": str(__version__), "functions": functions}))
    return 0


def _functions(lib: Any, text: bytes) -> dict[str, str] | None:
    with _headers(HERE / "headers"):
        module = lib.bpf_module_create_c_from_string(text, 0, None, 0, True, None)
    if not module:
        return None
    functions = {}
    for name in (MAIN, *CALLBACKS):
        start = lib.bpf_function_start(module, name.encode())
        if not start:
            return None
        functions[name] = ctypes.string_at(start, lib.bpf_function_size(module, name.encode())).hex()
    return functions


@contextmanager
def _headers(folder: Path) -> Iterator[None]:
    """Have libbcc use our few headers instead of the kernel's, which need not be installed."""
    os.environ["BCC_KERNEL_SOURCE"] = str(folder)
    try:
        yield
    finally:
        del os.environ["BCC_KERNEL_SOURCE"]
