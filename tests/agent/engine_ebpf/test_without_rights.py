"""What somebody hears who may not use eBPF."""

import os
import subprocess
import sys

from tests.conftest import ROOT

TRY = """
import os
from compiler.ir.errors import CannotNow
from agent.engine_ebpf.kernel import Kernel
kernel = Kernel()
os.setgid(65534); os.setuid(65534)
try:
    kernel.create_array("ff_test", 4096)
except CannotNow as error:
    print(error)
"""


def test_without_rights_the_error_names_them() -> None:
    assert os.geteuid() == 0, "run the tests as root"
    paths = [path for path in sys.path if path]
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:0] = {paths!r}\n{TRY}"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout == (
        "the kernel gives no memory map of 4096 bytes: Operation not permitted; "
        "run as root, or with CAP_PERFMON (to load a probe that reads memory) and CAP_BPF (to make the probe's maps, and load it)\n"
    ), done.stderr
