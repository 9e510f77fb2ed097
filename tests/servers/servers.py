"""Building them: with a Go of a pinned version, too, so that the same source gives the same code everywhere."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import ROOT

GO = "1.27.3"
FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Server:
    """One server: the folder that pins it, and its main package."""

    name: str
    package: str

    @property
    def spec(self) -> Path:
        """What an engineer would ask of it."""
        return FOLDER / self.name / "spec.yaml"

    def build(self) -> Path:
        """Its executable, in .venv; quick where it was built before."""
        environment = {**os.environ, "CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=readonly"}
        go = subprocess.run([ROOT / "scripts/toolchain", GO], capture_output=True, text=True, check=True).stdout.strip()
        binary = ROOT / ".venv/servers" / self.name
        command = ["nice", go, "build", "-buildvcs=false", "-o", str(binary), self.package]
        done = subprocess.run(
            command, cwd=FOLDER / self.name, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"go build {self.package}: {done.stderr}"
        return binary


NATS = Server("nats", "github.com/nats-io/nats-server/v2")
ETCD = Server("etcd", "go.etcd.io/etcd/server/v3")
COREDNS = Server("coredns", "github.com/coredns/coredns")
QUICK, ALL = (NATS,), (NATS, ETCD, COREDNS)
