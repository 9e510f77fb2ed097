"""What is done with a damaged executable, in a bounded child: all that compiling and decoding ask of it."""

from pathlib import Path

from compiler.binary import Binary
from compiler.compile import compile_spec
from compiler.ir.program_codec import program_from_bytes, program_to_bytes
from compiler.spec import read_spec

PROBED = 200
"""PCs that are looked up in the function table."""


def compile_all(binary: str, spec: str) -> dict[str, int]:
    """Compile, send the Program on a round trip, and name PCs all over the text."""
    with Binary(Path(binary)) as opened:
        opened.executable.unpack_ahead()
        compiled = compile_spec(read_spec(Path(spec).read_bytes(), spec), opened)
        program = compiled.program
        assert program_from_bytes(program_to_bytes(program)) == program
        text = program.runtime.text
        for pc in range(text.lo, text.hi, max((text.hi - text.lo) // PROBED, 1)):
            opened.pclntab.frames(pc)
        return {"issues": len(compiled.issues), "sites": len(program.sites)}
