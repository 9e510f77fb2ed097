"""The least rights that suffice: a whole capture over HTTP with four capabilities, and one clear error without each of them.

The agents here may gain nothing (no_new_privs), have no other capability, not even in the bounding set, and find no
kernel headers. Their target is somebody else's, and so is its file, which nobody else may read.
"""

import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from agent.capabilities import EBPF, NEEDED, missing
from agent.config_file import read_config
from agent.urgent import PRIORITY
from compiler.ir.errors import CannotNow
from compiler.ir.program import Program
from datasource.agents import Agent
from tests.agent.conftest import patient
from tests.agent.unit import UNIT, read_unit
from tests.conftest import ROOT
from tests.house import FREEZEFRAME
from tests.programs import StartTarget, Target, running

TOKEN = "0123456789abcdef"
NOBODY, STRANGER = 65534, 54321
HIDE_HEADERS = "for folder in /lib/modules /usr/src; do [ ! -d $folder ] || mount -t tmpfs none $folder; done"


def command(capabilities: tuple[str, ...], user: int, engine: str) -> list[str]:
    """`freezeframe agent` with these capabilities alone, where there are no kernel headers."""
    only = "-all" + "".join(f",+{name.removeprefix('CAP_').lower()}" for name in capabilities)
    agent = [
        "setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", "--no-new-privs", f"--inh-caps={only}",
        f"--ambient-caps={only}", f"--bounding-set={only}", str(FREEZEFRAME), "agent", "--port=0", f"--engine={engine}",
    ]  # fmt: skip
    return ["unshare", "--mount", "sh", "-c", f"{HIDE_HEADERS}; exec {shlex.join(agent)}"]


@contextmanager
def restricted(capabilities: tuple[str, ...], user: int = 0, engine: str = "ebpf") -> Iterator[tuple[Agent, Target]]:
    """A client of such an agent, and the agent."""
    environment = {**os.environ, "FREEZEFRAME_AGENT_TOKEN": TOKEN, "PYTHONDONTWRITEBYTECODE": "1"}
    environment["XDG_CACHE_HOME"] = "/nowhere"  # the probe is compiled, not read from what an earlier agent kept
    with running(*command(capabilities, user, engine), env=environment, stderr=subprocess.DEVNULL) as agent:
        yield Agent(f"http://{agent.ready['address']}", TOKEN), agent


@pytest.fixture
def nobodys(busy_binary: Path, start_target: StartTarget) -> Iterator[Target]:
    """A process of the user nobody; its file is closed to everyone else."""
    with tempfile.TemporaryDirectory() as name:  # pytest's own folders are closed to others
        Path(name).chmod(0o755)
        binary = Path(shutil.copy(busy_binary, name))
        os.chown(binary, NOBODY, NOBODY)
        binary.chmod(0o700)
        yield start_target(binary, user=NOBODY, group=NOBODY, extra_groups=(), cwd="/")


@pytest.mark.parametrize("user", [0, STRANGER])
def test_four_capabilities_suffice(
    user: int, nobodys: Target, busy_binary: Path, patient_program: Program, tmp_path: Path
) -> None:
    with restricted(tuple(NEEDED), user) as (asking, agent):
        pid = agent.ready["pid"]
        status = Path(f"/proc/{pid}/status").read_text()
        assert "NoNewPrivs:\t1" in status
        assert f"Uid:\t{user}\t{user}" in status
        assert missing(Path(f"/proc/{pid}/status")) == ()
        capabilities = {line.split()[1] for line in status.splitlines() if line.startswith("Cap")}
        assert len(capabilities) == 1, "permitted, effective, ambient and bounding are the same four"
        assert int(capabilities.pop(), 16).bit_count() == len(NEEDED)
        assert nobodys.pid in {each.pid for each in asking.processes().processes}
        asking.fetch_binary(patient_program.build_id, tmp_path / "binary")
        assert digest(tmp_path / "binary") == digest(busy_binary)
        with asking.armed(nobodys.pid, patient_program) as number:
            raw = asking.fire(number)
        assert (raw.header.pid, raw.header.engine, raw.header.losses) == (nobodys.pid, "ebpf", ())
        assert not list(Path(f"/proc/{pid}/root/lib/modules").glob("*/build"))


def digest(path: Path) -> bytes:
    return hashlib.sha256(path.read_bytes()).digest()


@pytest.mark.parametrize("lost", [name for name in NEEDED if name not in EBPF])
def test_without_one_of_these_nobody_elses_process_is_captured(
    lost: str, nobodys: Target, patient_program: Program
) -> None:
    with restricted(tuple(name for name in NEEDED if name != lost), engine="memory") as (asking, _):
        with pytest.raises(CannotNow) as refused, asking.armed(nobodys.pid, patient_program):
            pass
        assert f"no permission to look at process {nobodys.pid}" in str(refused.value)
        assert str(refused.value).endswith(f"; run as root, or with {lost} ({NEEDED[lost]})")
        assert nobodys.pid not in {each.pid for each in asking.processes().processes}


@pytest.mark.parametrize("lost", EBPF)
def test_without_one_of_these_the_agent_does_not_start(lost: str) -> None:
    environment = {**os.environ, "FREEZEFRAME_AGENT_TOKEN": TOKEN}
    capabilities = tuple(name for name in NEEDED if name != lost)
    done = subprocess.run(
        command(capabilities, 0, "ebpf"), capture_output=True, text=True, env=environment, check=False, timeout=60
    )
    sentence = f"the eBPF engine cannot run without {lost}; run as root, or with {lost} ({NEEDED[lost]})"
    assert (done.returncode, done.stdout, done.stderr) == (1, "", f"freezeframe: {sentence}\n")


def test_on_an_old_kernel_the_agent_says_so_and_does_not_start() -> None:
    """One that calls itself 2.6, as setarch can have it."""
    environment = {**os.environ, "FREEZEFRAME_AGENT_TOKEN": TOKEN}
    old = ["setarch", "x86_64", "--uname-2.6", str(FREEZEFRAME), "agent", "--port=0"]
    done = subprocess.run(old, capture_output=True, text=True, env=environment, check=False, timeout=60)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert re.match(r"freezeframe: kernel 2\.6\.\S* is too old for the eBPF engine; it needs Linux 6\.1", done.stderr)


TRY = "from agent.engine_ebpf.trial import try_out\ntry:\n    try_out()\nexcept Exception as error:\n    print(error)"


@pytest.mark.parametrize("lost", EBPF)
def test_the_kernels_own_refusal_names_it_too(lost: str) -> None:
    """Rights may also be lost while the agent runs; then the kernel refuses the probe."""
    only = "-all" + "".join(f",+{name.removeprefix('CAP_').lower()}" for name in NEEDED if name != lost)
    python = [str(ROOT / ".venv/bin/python"), "-c", TRY]
    drop = ["setpriv", "--no-new-privs", f"--inh-caps={only}", f"--bounding-set={only}"]
    done = subprocess.run([*drop, *python], capture_output=True, text=True, cwd=ROOT, check=True, timeout=60)
    assert "Operation not permitted" in done.stdout
    assert done.stdout.endswith(f"; run as root, or with {lost} ({NEEDED[lost]})\n")


def test_what_an_unprivileged_agent_says_at_its_start() -> None:
    environment = {**os.environ, "FREEZEFRAME_AGENT_TOKEN": TOKEN}
    with running(*command((), 0, "memory"), env=environment, stderr=subprocess.PIPE) as agent:
        agent.process.terminate()
        assert agent.process.stderr is not None
        with agent.process.stderr as stream:
            said = stream.read()
    for name in NEEDED:
        assert (f"without {name} (" in said) == (name not in EBPF)


def test_the_systemd_unit_grants_exactly_these() -> None:
    unit = read_unit()
    for key in ("AmbientCapabilities", "CapabilityBoundingSet"):
        assert [value.split() for value in unit[key]] == [list(NEEDED)]
    assert [unit[key] for key in ("NoNewPrivileges", "DynamicUser", "ProtectSystem")] == [["yes"], ["yes"], ["strict"]]
    assert unit["LimitRTPRIO"] == [str(PRIORITY)]
    for what_captures_need in ("ProtectProc", "ProcSubset", "PrivateUsers", "RestrictRealtime"):
        assert what_captures_need not in unit


def test_the_units_system_calls_suffice(
    querydb: Path, querydb_program: Program, start_target: StartTarget, tmp_path: Path
) -> None:
    """A capture, and the probe's compilation, within the unit's filter of system calls; and what it forbids is refused."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("this machine has no systemd-analyze, which tells what the filter's groups are")
    target = start_target(querydb, "-load")
    environment = {**os.environ, "FREEZEFRAME_AGENT_TOKEN": TOKEN, "XDG_CACHE_HOME": str(tmp_path)}
    python = [sys.executable, "-m", "tests.agent.sandbox"]
    program = ["-m", "tests.agent.sandbox", FREEZEFRAME, "agent", "--port", 0]
    with running(sys.executable, *program, env=environment, cwd=ROOT, stderr=subprocess.DEVNULL) as agent:
        asking = Agent(f"http://{agent.ready['address']}", TOKEN)
        with asking.armed(target.pid, patient(querydb_program)) as number:
            assert asking.fire(number).header.engine == "ebpf"
    chroot = [*python, sys.executable, "-c", "import os; os.chroot('/')"]
    done = subprocess.run(chroot, capture_output=True, text=True, cwd=ROOT, check=False)
    assert "Operation not permitted" in done.stderr


def test_systemd_finds_no_fault_in_the_unit(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("this machine has no systemd-analyze; what the unit grants is checked all the same")
    path = tmp_path / UNIT.name
    path.write_text(UNIT.read_text().replace("/opt/freezeframe/.venv/bin/freezeframe", "/bin/true"))
    done = subprocess.run(["systemd-analyze", "verify", path], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    review = ["systemd-analyze", "security", "--offline=true", "--threshold=30", "--json=short", path]
    done = subprocess.run(list(map(str, review)), capture_output=True, text=True, check=False)
    assert done.returncode == 0, json.dumps([each for each in json.loads(done.stdout) if not each["set"]])


def test_the_example_configuration_is_right(tmp_path: Path) -> None:
    text = (ROOT / "agent/agent.toml").read_text()
    assert read_config(ROOT / "agent/agent.toml").allow
    everything = re.sub(r"^# (?=\w+ = |\[)", "", text, flags=re.MULTILINE)
    path = tmp_path / "agent.toml"
    path.write_text(everything)
    config = read_config(path)
    assert config.tls is not None
    assert config.tls.client_ca == tmp_path / "clients.pem"
    assert config.allow is not None
    assert config.allow[0].cgroup
