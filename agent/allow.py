"""Which processes an agent may touch at all: its own allow-list, over executables, users and cgroups.

All that is asked is what the kernel says of a process: the link /proc/PID/exe, the user ids in /proc/PID/status, the paths
in /proc/PID/cgroup. An executable's path is one of the process's own mount namespace: whoever starts containers chooses
it, so that where others may, a rule should name the cgroup or the user, too.
"""

import pwd
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from agent.capabilities import remedy
from compiler.ir.errors import BadInput, CannotNow


class Forbidden(BadInput):
    """A process that the agent's allow-list does not permit."""

    http_status = 403


@dataclass(frozen=True, slots=True)
class Rule:
    """Permits a process that meets every condition that is here, each by any of its alternatives. `*` is any text, `/` too."""

    exe: tuple[str, ...] = ()
    """Globs of the executable's whole path."""
    user: tuple[str, ...] = ()
    """Names or numbers of users: the process must be nobody else, not by its effective or saved user id either."""
    cgroup: tuple[str, ...] = ()
    """Globs of a whole path in /proc/PID/cgroup."""


@dataclass(frozen=True, slots=True)
class _Condition:
    """A rule whose users are numbers."""

    exe: tuple[str, ...]
    users: frozenset[int]
    cgroup: tuple[str, ...]

    def met_by(self, folder: Path) -> bool:
        """Whether the process whose folder in /proc this is meets all of it; OSError where it has ended."""
        return (
            (not self.exe or _matches([executable(folder)], self.exe))
            and (not self.users or user_ids(folder) <= self.users)
            and (not self.cgroup or _matches(_cgroups(folder), self.cgroup))
        )


class AllowList:
    """Rules, any of which permits a process; None permits every one. BadInput where a rule is empty or names no user."""

    def __init__(self, rules: Sequence[Rule] | None = None, *, proc: Path = Path("/proc"), where: str = "") -> None:
        self._proc = proc
        self._where = where
        places = [f"{where}: allow[{number}]" if where else f"allow[{number}]" for number in range(len(rules or ()))]
        self._conditions = (
            None if rules is None else tuple(_condition(*each) for each in zip(rules, places, strict=True))
        )

    @property
    def everything(self) -> bool:
        """Whether there is no list at all."""
        return self._conditions is None

    def permits(self, pid: int) -> bool:
        """Whether `pid` may be touched, as it is now. OSError where it has ended or nobody lets us look."""
        folder = self._proc / str(pid)
        return self._conditions is None or any(condition.met_by(folder) for condition in self._conditions)

    def check(self, pid: int) -> None:
        """Forbidden where `pid` may not be touched. Says nothing of what it is."""
        try:
            permitted = self.permits(pid)
        except PermissionError:
            what = f"no permission to see whether process {pid} is on the allow-list"
            raise CannotNow(what, remedy=remedy("CAP_SYS_PTRACE")) from None
        except OSError:
            permitted = not (self._proc / str(pid)).exists()  # who asks next says that it has ended
        if not permitted:
            config = self._where or "the agent's configuration"
            raise Forbidden(
                f"process {pid} is not on the agent's allow-list",
                remedy=f"permit it by its exe, user or cgroup under [[allow]] in {config}, and start the agent again",
            )


def executable(folder: Path) -> str:
    """The path of the program that the process runs, as the kernel tells it, whether the file is still there or not."""
    return str((folder / "exe").readlink()).removesuffix(" (deleted)")


def user_ids(folder: Path) -> frozenset[int]:
    """Its user ids: real, effective, saved and of the file system (proc(5))."""
    for line in (folder / "status").read_text(errors="replace").splitlines():
        if line.startswith("Uid:"):
            return frozenset(int(number) for number in line.split()[1:])
    raise ProcessLookupError(f"{folder} tells no user ids")


def _cgroups(folder: Path) -> list[str]:
    """Its path in every hierarchy (cgroups(7): `number:controllers:path`)."""
    lines = (folder / "cgroup").read_text(errors="replace").splitlines()
    return [line.split(":", 2)[2] for line in lines if line.count(":") >= 2]


def _matches(texts: Iterable[str], globs: Iterable[str]) -> bool:
    return any(fnmatchcase(text, glob) for text in texts for glob in globs)


def _condition(rule: Rule, where: str) -> _Condition:
    if not (rule.exe or rule.user or rule.cgroup):
        raise BadInput("the rule has no condition", where=where, remedy='write exe = "*" to permit everything')
    return _Condition(rule.exe, frozenset(_user_id(name, where) for name in rule.user), rule.cgroup)


def _user_id(name: str, where: str) -> int:
    if name.isascii() and name.isdigit():
        return int(name)
    try:
        return pwd.getpwnam(name).pw_uid
    except KeyError:
        remedy = "name a user of this machine, or write the number"
        raise BadInput(f'there is no user "{name}"', where=f"{where}.user", remedy=remedy) from None
