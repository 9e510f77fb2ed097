"""The agent's own allow-list: what no rule permits is not listed, not handed out, not captured."""

import shutil
import tempfile
import urllib.parse
from pathlib import Path

import pytest

from agent.allow import AllowList, Forbidden, Rule
from agent.config import AgentConfig
from agent.processes import Processes
from compiler.ir.errors import BadInput
from compiler.ir.program import Program
from compiler.ir.program_codec import program_to_bytes
from compiler.ir.wire import Processes as ProcessList
from tests.agent.conftest import Busy
from tests.agent.serving import Agent, serving
from tests.programs import StartTarget

NOBODY = 65534


def listed(agent: Agent) -> set[int]:
    return {each.pid for each in ProcessList.from_json(agent.ask("GET", "/v1/processes")[1]).processes}


def folder_of(proc: Path, pid: int, *, exe: str, uids: str, cgroups: str) -> Path:
    """A made-up process."""
    folder = proc / str(pid)
    folder.mkdir()
    (folder / "exe").symlink_to(exe)
    (folder / "status").write_text(f"Name:\tx\nUid:\t{uids}\nGid:\t0\t0\t0\t0\n")
    (folder / "cgroup").write_text(cgroups)
    return folder


@pytest.mark.parametrize(
    ("rule", "permitted"),
    [
        (Rule(exe=("/srv/*",)), True),
        (Rule(exe=("/srv/shop",)), True),
        (Rule(exe=("/SRV/shop",)), False),
        (Rule(exe=("shop",)), False),
        (Rule(exe=("/none", "*/shop")), True),
        (Rule(user=("100",)), False),  # it is 200, too
        (Rule(user=("100", "200")), True),
        (Rule(cgroup=("/kube/*",)), True),
        (Rule(cgroup=("/system.slice/a:b.service",)), True),
        (Rule(cgroup=("/none",)), False),
        (Rule(exe=("/srv/*",), cgroup=("/none",)), False),
        (Rule(exe=("/srv/*",), user=("100", "200"), cgroup=("/kube/*",)), True),
    ],
)
def test_rules_over_a_made_up_process(rule: Rule, permitted: bool, tmp_path: Path) -> None:
    cgroups = "3:memory:/kube/pod7\n0::/system.slice/a:b.service\n"
    folder_of(tmp_path, 7, exe="/srv/shop (deleted)", uids="100\t200\t100\t100", cgroups=cgroups)
    assert AllowList([rule], proc=tmp_path).permits(7) is permitted
    assert AllowList([Rule(exe=("no",)), rule], proc=tmp_path).permits(7) is permitted
    assert AllowList([], proc=tmp_path).permits(7) is False
    assert AllowList(None, proc=tmp_path).permits(7) is True


def test_what_ended_is_left_to_who_asks_next_and_what_cannot_be_read_is_forbidden(tmp_path: Path) -> None:
    allow = AllowList([Rule(exe=("*",))], proc=tmp_path)
    allow.check(8)
    (tmp_path / "9").mkdir()
    with pytest.raises(Forbidden):
        allow.check(9)
    with pytest.raises(BadInput, match="there is no process 4194304"):
        Processes(allow=AllowList([Rule(exe=("*",))])).identify(4194304)


def test_only_what_is_permitted_is_seen_handed_out_and_captured(
    busy: Busy, busy_binary: Path, patient_program: Program, querydb: Path, start_target: StartTarget
) -> None:
    other = start_target(querydb, "-load")
    query = "/v1/binaries?build_id=" + urllib.parse.quote(patient_program.build_id)
    body = program_to_bytes(patient_program)
    with serving(AgentConfig(allow=(Rule(exe=(str(querydb),)),)), origin="agent.toml") as agent:
        assert listed(agent) == {other.pid}
        assert agent.refusal("GET", query)[0] == 404
        remedy = "permit it by its exe, user or cgroup under [[allow]] in agent.toml, and start the agent again"
        refusal = (403, f"process {busy.pid} is not on the agent's allow-list; {remedy}")
        assert agent.refusal("POST", f"/v1/captures?pid={busy.pid}", body) == refusal
        assert agent.refusal("POST", "/v1/captures?pid=2", body)[0] == 403  # not even what it is
        assert busy.tracers() == {"0"}
        assert (agent.audited()[0]["pid"], agent.audited()[0]["reason"]) == (busy.pid, refusal[1])
    with serving(AgentConfig(allow=(Rule(exe=(str(busy_binary),)),))) as agent:
        assert listed(agent) == {busy.pid}
        assert agent.ask("GET", query)[0] == 200
        armed = agent.arm(busy.pid, patient_program)
        assert agent.ask("POST", f"/v1/captures/{armed.capture}/fire")[0] == 200


def test_it_is_asked_again_when_a_capture_is_fired(
    busy_binary: Path, patient_program: Program, tmp_path: Path, start_target: StartTarget
) -> None:
    """Between arming and firing, the process's file is renamed: the kernel tells another path."""
    binary = tmp_path / "permitted"
    shutil.copy(busy_binary, binary)
    busy = Busy(start_target(binary))
    with serving(AgentConfig(allow=(Rule(exe=(str(binary),)),))) as agent:
        armed = agent.arm(busy.pid, patient_program)
        binary.rename(tmp_path / "renamed")
        assert agent.refusal("POST", f"/v1/captures/{armed.capture}/fire")[0] == 403
        assert busy.tracers() == {"0"}
        assert [line["outcome"] for line in agent.audited()] == ["refused"]
        assert "allow-list" in agent.audited()[0]["reason"]
        (tmp_path / "renamed").rename(binary)
        agent.arm(busy.pid, patient_program)  # and the refused one holds nothing


def test_by_user(busy: Busy, busy_binary: Path, start_target: StartTarget) -> None:
    with tempfile.TemporaryDirectory() as name:  # pytest's own folders are closed to others
        folder = Path(name)
        folder.chmod(0o755)
        binary = Path(shutil.copy(busy_binary, folder))
        nobodys = start_target(binary, user=NOBODY, cwd="/")
        with serving(AgentConfig(allow=(Rule(user=("nobody",)),))) as agent:
            assert listed(agent) == {nobodys.pid}
        with serving(AgentConfig(allow=(Rule(user=("0",), exe=("*/busy",)),))) as agent:
            assert nobodys.pid not in listed(agent)
            assert busy.pid in listed(agent)
