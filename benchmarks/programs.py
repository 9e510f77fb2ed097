"""The programs that are measured on, and the tools that are measured beside: fetched and built once, into a folder of their own."""

import os
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).resolve().parent
FOLDER = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "freezeframe-benchmarks"
ETCD = ("go.etcd.io/etcd/server/v3", "v3.6.5")
DELVE = ("github.com/go-delve/delve/cmd/dlv", "v1.27.2")
TOOLBOX = "@toolbox-sdk/server-linux-x64@1.12.0"


def program(name: str, folder: Path, go: Path) -> Path:
    """One of PROGRAMS, or of the tools, in the folder."""
    path = folder / name
    if not path.exists():
        print(f"making {path} (once)", flush=True)
        folder.mkdir(parents=True, exist_ok=True)
        MAKERS[name](path, go)
    return path


def project_go() -> Path:
    """The go command that the project uses."""
    done = subprocess.run([HERE.parent / "scripts/go", "--path"], capture_output=True, text=True, check=True)
    return Path(done.stdout.strip())


def built(name: str, folder: Path, go: Path) -> Path:
    """One of our Go programs in targets/, built anew, for it may have changed."""
    folder.mkdir(parents=True, exist_ok=True)
    binary = folder.resolve() / f"target-{name}"
    _go(go, "build", "-o", binary, f"./{name}", cwd=HERE / "targets")
    return binary


def _go(go: Path, *arguments: str | Path, cwd: Path) -> None:
    environment = {**os.environ, "GOTOOLCHAIN": "local", "CGO_ENABLED": "0", "GOFLAGS": "-mod=mod"}
    subprocess.run([go, *arguments], cwd=cwd, env=environment, check=True)


def _cmdgo(path: Path, go: Path) -> None:
    """The go command, from the toolchain's own source."""
    root = subprocess.run([go, "env", "GOROOT"], capture_output=True, text=True, check=True).stdout.strip()
    environment = {**os.environ, "GOTOOLCHAIN": "local", "CGO_ENABLED": "0", "GOFLAGS": ""}
    subprocess.run([go, "build", "-o", path, "cmd/go"], cwd=Path(root) / "src", env=environment, check=True)


def _from_proxy(package: str, version: str) -> Callable[[Path, Path], None]:
    def make(path: Path, go: Path) -> None:
        module = path.with_name(f"{path.name}.module")
        shutil.rmtree(module, ignore_errors=True)
        module.mkdir()
        _go(go, "mod", "init", "freezeframe.test/benchmarks/module", cwd=module)
        _go(go, "get", f"{package}@{version}", cwd=module)
        _go(go, "build", "-o", path, package, cwd=module)

    return make


def _toolbox(path: Path, _: Path) -> None:
    """A server of 314 MB from an npm package."""
    packed = subprocess.run(
        ["npm", "pack", "--silent", TOOLBOX], cwd=path.parent, capture_output=True, text=True, check=True
    )
    archive = path.parent / packed.stdout.split()[-1]
    with tarfile.open(archive) as tar:
        member = tar.extractfile("package/bin/toolbox")
        if member is None:
            raise FileNotFoundError(f"{archive}: package/bin/toolbox")
        with member, path.open("wb") as file:
            shutil.copyfileobj(member, file)
    path.chmod(0o755)
    archive.unlink()


def _entries(path: Path, go: Path) -> None:
    _go(go, "build", "-o", path, ".", cwd=HERE / "entries")


MAKERS: dict[str, Callable[[Path, Path], None]] = {
    "cmdgo": _cmdgo, "etcd": _from_proxy(*ETCD), "toolbox": _toolbox, "entries": _entries, "dlv": _from_proxy(*DELVE),
}  # fmt: skip
PROGRAMS = ("cmdgo", "etcd", "toolbox")
