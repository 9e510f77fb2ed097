"""Builds the data source's application and runs it under gunicorn: one process, several threads, so that captures coalesce."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication

from compiler.dwarf.debugfile import DebugFiles
from datasource.agents import Agent
from datasource.app import create_app
from datasource.cache import Cache, cache_directory
from datasource.service import Service, SpecFile
from datasource.snapshots import Snapshots

THREADS = 16


def build_app(
    spec_file: Path, agents: Sequence[Agent], data: Path, access_token: str | None, debug: Sequence[Path] = ()
) -> Flask:
    """The application for a spec file, agents, and a folder for snapshots."""
    spec = SpecFile(spec_file)
    spec.get()
    directory = cache_directory()
    cache, debug_files = Cache(directory), DebugFiles(debug)
    service = Service(spec, agents, Snapshots(data), cache, directory / "binaries", debug_files)
    return create_app(service, access_token)


class _Server(BaseApplication):  # type: ignore[misc]
    def __init__(self, app: Flask, options: dict[str, Any]) -> None:
        self._app = app
        self._options = options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        return self._app


def run(app: Flask, host: str, port: int) -> None:
    """Serve until told to stop; prints one line `ready {...}` when it answers."""

    def ready(worker: Any) -> None:
        listening = worker.sockets[0].getsockname()
        print("ready " + json.dumps({"url": f"http://{listening[0]}:{listening[1]}"}), flush=True)

    options = {
        "bind": f"{host}:{port}",
        "workers": 1,
        "threads": THREADS,
        "worker_class": "gthread",
        "timeout": 300,
        "graceful_timeout": 5,
        "keepalive": 2,
        "post_worker_init": ready,
        "loglevel": "warning",
        "errorlog": "-",
        "proc_name": "freezeframe-serve",
        "control_socket_disable": True,
    }
    known = {name: value for name, value in options.items() if name in _settings()}
    sys.argv = sys.argv[:1]  # gunicorn looks for options of its own there
    _Server(app, known).run()


def _settings() -> frozenset[str]:
    """gunicorn's settings: newer versions have more."""
    from gunicorn.config import KNOWN_SETTINGS

    return frozenset(setting.name for setting in KNOWN_SETTINGS)
