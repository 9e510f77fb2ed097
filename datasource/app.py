"""The Flask application: Grafana's JSON data-source protocol (simPod), and a small API for specs and snapshots."""

import hmac
import logging
import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from flask import Flask, Response, jsonify, request, send_file
from werkzeug.exceptions import HTTPException

from compiler.ir.errors import BadInput, FreezeframeError
from compiler.spec.builtin import BUILTIN_TABLES
from datasource.answer import answer
from datasource.service import Service
from datasource.snapshots import SnapshotFile

MAX_BODY = 4 << 20
"""Bytes of one request."""
LISTED_SNAPSHOTS = 200

log = logging.getLogger(__name__)


def create_app(service: Service, token: str | None = None) -> Flask:
    """The application. With a `token`, every request but the health check must carry it (Authorization: Bearer ...)."""
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY
    app.json.sort_keys = False  # type: ignore[attr-defined]
    _errors(app)
    _grafana(app, service)
    _api(app, service)

    @app.before_request
    def check_token() -> Response | None:
        given = request.headers.get("Authorization", "")
        if token is None or request.path == "/" or hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
            return None
        return _refusal(401, "the token is missing or wrong", remedy="send Authorization: Bearer TOKEN")

    return app


def _refusal(status: int, what: str, where: str = "", remedy: str = "") -> Response:
    """An error as Grafana shows it (`message`) and as programs read it."""
    message = "; ".join(part for part in (f"{where}: {what}" if where else what, remedy) if part)
    answer_ = jsonify({"message": message, "what": what, "where": where, "remedy": remedy})
    answer_.status_code = status
    return answer_


def _errors(app: Flask) -> None:
    @app.errorhandler(FreezeframeError)
    def known(error: FreezeframeError) -> Response:
        return _refusal(error.http_status, error.what, error.where, error.remedy)

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> Response:
        return _refusal(error.code or 500, error.description or error.name)

    @app.errorhandler(Exception)
    def bug(error: Exception) -> Response:
        log.exception("a request failed", exc_info=error)
        return _refusal(500, f"an error of Freezeframe itself: {type(error).__name__}", remedy="see the service's log")


def _body() -> Mapping[str, Any]:
    body = request.get_json(force=True, silent=True)
    if not isinstance(body, dict):
        raise BadInput("the request's body is no JSON object", remedy='send {"targets": [...]}')
    return body


def _grafana(app: Flask, service: Service) -> None:
    @app.get("/")
    def health() -> Response:
        service.spec.get()
        return jsonify({"status": "ok", "agents": len(service.agents)})

    @app.post("/metrics")
    def metrics() -> Response:
        return jsonify(
            [{"label": label, "value": name, "payloads": _payloads(name)} for name, label in _metrics(service)]
        )

    @app.post("/metric-payload-options")
    def payload_options() -> Response:
        if _body().get("name") != "snapshot":
            return jsonify([])
        return jsonify(
            [{"label": "latest", "value": "latest"}, *map(_option, service.snapshots.all()[:LISTED_SNAPSHOTS])]
        )

    @app.post("/query")
    def query() -> Response:
        targets = _body().get("targets")
        if not isinstance(targets, list) or not all(isinstance(target, dict) for target in targets):
            raise BadInput(
                'the request has no list "targets"', remedy='send {"targets": [{"refId": "A", "target": "..."}]}'
            )
        return jsonify([answer(service, target) for target in targets if not target.get("hide")])

    @app.post("/variable")
    def variable() -> Response:
        wanted = (_body().get("payload") or {}).get("target")
        if wanted != "snapshots":
            raise BadInput(f'no variable query "{wanted}"', remedy='write "snapshots"')
        found = [{"__text": "latest", "__value": "latest"}]
        found += [
            {"__text": _label(each), "__value": each.snapshot_id} for each in service.snapshots.all()[:LISTED_SNAPSHOTS]
        ]
        return jsonify(found)

    @app.post("/tag-keys")
    @app.post("/tag-values")
    def tags() -> Response:
        return jsonify([])


def _metrics(service: Service) -> list[tuple[str, str]]:
    """(name, label) of everything that a query can ask for: derived tables first, they are what people look for."""
    spec = service.spec.get()
    derived = [(table.name, table.name) for table in spec.tables]
    functions = [(each.table, f"{each.table} ({each.function})") for each in spec.functions]
    built_in = [(name, f"{name} (built in)") for name in BUILTIN_TABLES]
    return [*derived, *functions, *built_in, ("sql", "SQL ..."), ("snapshots", "list of snapshots")]


def _payloads(metric: str) -> list[dict[str, Any]]:
    if metric == "snapshots":
        return []
    found: list[dict[str, Any]] = [
        {"name": "snapshot", "label": "Snapshot", "type": "select"},
        {"name": "max_age_s", "label": "Capture if older than (s)", "type": "input", "width": 12},
    ]
    if metric == "sql":
        found.append({"name": "sql", "label": "SELECT", "type": "textarea", "width": 80})
    if metric in ("frames", "goroutines"):
        found.append({"name": "process_id", "label": "Process", "type": "input", "width": 12})
        found.append({"name": "goroutine_id", "label": "Goroutine", "type": "input", "width": 12})
    return found


def _label(snapshot: SnapshotFile) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(snapshot.taken_at_ns / 1e9))


def _option(snapshot: SnapshotFile) -> dict[str, str]:
    return {"label": _label(snapshot), "value": snapshot.snapshot_id}


def _api(app: Flask, service: Service) -> None:
    @app.get("/api/v1/spec")
    def spec() -> Response:
        return Response(service.spec.get().text, mimetype="application/yaml")

    @app.put("/api/v1/spec")
    def save_spec() -> Response:
        saved = service.spec.save(request.get_data())
        return jsonify({"functions": len(saved.functions), "tables": len(saved.tables)})

    @app.get("/api/v1/processes")
    def processes() -> Response:
        found = [{"agent": agent.url, "host": host, **asdict(process)} for agent, host, process in service.processes()]
        return jsonify(found)

    @app.get("/api/v1/snapshots")
    def snapshots() -> Response:
        return jsonify([{"snapshot_id": s.snapshot_id, "taken_at_ns": s.taken_at_ns} for s in service.snapshots.all()])

    @app.post("/api/v1/snapshots")
    def take() -> Response:
        taken = service.snapshot("latest", 0)
        return jsonify({"snapshot_id": taken.snapshot_id, "taken_at_ns": taken.taken_at_ns})

    @app.get("/api/v1/snapshots/<snapshot_id>.sqlite")
    def download(snapshot_id: str) -> Response:
        found = service.snapshots.find(snapshot_id)
        return send_file(
            found.path, mimetype="application/vnd.sqlite3", as_attachment=True, download_name=found.path.name
        )
